/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/server/cpu_faults.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c hypervisor/lib/cpu_faults.c hypervisor/lib/cpu_guards.c */
/*
 * The faults that `xm info` names: they come from the processor's policy and the guards that are
 * on, and only on Xenolith.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

#include "lib/error.h"
#include "xend/server/cpu_faults.h"

/* Cascade Lake, without TSX; its capabilities deny Meltdown, L1TF and MDS. */
static const xen_cpuid_leaf_t leaves[] = {
	{ .leaf = 0,
	  .subleaf = XEN_CPUID_NO_SUBLEAF,
	  .a = 0x16,
	  .b = 0x756e6547,
	  .c = 0x6c65746e,
	  .d = 0x49656e69 },
	{ .leaf = 1, .subleaf = XEN_CPUID_NO_SUBLEAF, .a = 0x50657, .c = 1u << 28 | 1u << 30 },
	{ .leaf = 7, .subleaf = 0, .a = 1, .b = 1u << 5 | 1u << 18, .d = 0xbc000400 },
	{ .leaf = 7, .subleaf = 1, .a = ~0u, .b = ~0u, .c = ~0u, .d = ~0u },
	{ .leaf = 0x80000008, .subleaf = XEN_CPUID_NO_SUBLEAF, .a = 0x302e },
};
static const xen_msr_entry_t msrs[] = { { .idx = 0xce }, { .idx = 0x10a, .val = 0x2b } };
#define EXPECTED "mmio_stale_data gds spectre_v2 bhi retbleed its ssb"

static int policy_error;
static unsigned int policies_read;

int hv_policy_get_system(struct hv *hv, unsigned int index, struct hv_cpu_policy *policy,
			 struct error **e)
{
	policies_read++;
	if (policy_error)
		return error_set(e, policy_error, "Cannot read the processor's features.");
	assert_int_equal(index, XEN_SYSCTL_cpu_policy_host);
	*policy = (struct hv_cpu_policy){ .leaves = malloc(sizeof(leaves)),
					  .msrs = malloc(sizeof(msrs)),
					  .nr_leaves = sizeof(leaves) / sizeof(leaves[0]),
					  .nr_msrs = sizeof(msrs) / sizeof(msrs[0]) };
	memcpy(policy->leaves, leaves, sizeof(leaves));
	memcpy(policy->msrs, msrs, sizeof(msrs));
	return 0;
}

int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e)
{
	*info = (struct xen_sysctl_physinfo){ .threads_per_core = 2 };
	return 0;
}

void hv_policy_free(struct hv_cpu_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
}

static void another_hypervisors_guards_are_its_own(void **state)
{
	const struct hv_version xen = { .extra = ".6-pre" };

	assert_null(cpu_faults_text(NULL, &xen));
	assert_int_equal(policies_read, 0);
}

static void faults_are_named_as_soon_as_the_features_can_be_read(void **state)
{
	const struct hv_version xenolith = { .extra = ".0-xenolith",
					     .commandline = "dom0_mem=1G spec-ctrl=no-ibrs" };

	policy_error = EPERM;
	assert_null(cpu_faults_text(NULL, &xenolith));
	policy_error = 0;
	assert_string_equal(cpu_faults_text(NULL, &xenolith), EXPECTED);
	/* The policy is read only once. */
	assert_string_equal(cpu_faults_text(NULL, &xenolith), EXPECTED);
	assert_int_equal(policies_read, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_hypervisors_guards_are_its_own),
		cmocka_unit_test(faults_are_named_as_soon_as_the_features_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
