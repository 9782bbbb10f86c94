/* SPDX-License-Identifier: MIT */
/*
 * Collects the processor's features from the hypervisor's host policy and from /proc/cpuinfo, and
 * has lib/cpu_faults.h and lib/cpu_guards.h judge them.
 */
#include "xend/server/cpu_faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cpu_guards.h"
#include "lib/error.h"
#include "lib/str.h"

#define CPUINFO_PATH		   "/proc/cpuinfo"
#define MSR_IA32_ARCH_CAPABILITIES 0x10a

/* The microcode revision of the first processor in /proc/cpuinfo; 0: none given. */
static uint32_t read_microcode(void)
{
	FILE *file = fopen(CPUINFO_PATH, "re");
	unsigned int revision = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "microcode : %x", &revision) != 1)
		;
	fclose(file);
	return revision;
}

static void facts_from(struct cpu_facts *facts, const struct hv_cpu_policy *policy)
{
	memset(facts, 0, sizeof(*facts));
	for (uint32_t i = 0; i < policy->nr_leaves; i++) {
		const xen_cpuid_leaf_t *l = &policy->leaves[i];

		cpu_facts_add_leaf(facts, l->leaf,
				   l->subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : l->subleaf, l->a, l->b,
				   l->c, l->d);
	}
	for (uint32_t i = 0; i < policy->nr_msrs; i++)
		if (policy->msrs[i].idx == MSR_IA32_ARCH_CAPABILITIES &&
		    cpu_facts_have_arch_capabilities(facts))
			facts->arch_capabilities = policy->msrs[i].val;
	facts->microcode = read_microcode();
}

static void name_faults(struct str *text, uint32_t faults)
{
	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (faults & 1u << i)
			str_printf(text, "%s%s", text->len ? " " : "",
				   cpu_fault_name((enum cpu_fault)i));
	if (!text->len)
		str_add(text, "none");
}

/* The faults that the guards leave, which the hypervisor has chosen by the same rules. */
static uint32_t faults_left(const struct cpu_facts *facts, const struct hv_version *version)
{
	struct cpu_guard_wishes wishes = { 0 };
	uint32_t faults = cpu_faults_find(facts);

	cpu_guards_parse_line(version->commandline, &wishes);
	return cpu_faults_left(facts, faults, cpu_guards_choose(facts, faults, &wishes));
}

const char *cpu_faults_text(struct hv *hv, const struct hv_version *version)
{
	/* The processor and the command line stay the same while xend runs. */
	static struct str text = STR_INIT;
	struct xen_sysctl_physinfo info;
	struct hv_cpu_policy policy;
	struct cpu_facts facts;

	if (!strstr(version->extra, "xenolith"))
		return NULL;
	if (!text.len) {
		if (hv_host_physinfo(hv, &info, NULL) ||
		    hv_policy_get_system(hv, XEN_SYSCTL_cpu_policy_host, &policy, NULL))
			return NULL;
		facts_from(&facts, &policy);
		facts.threads = info.threads_per_core > 1;
		hv_policy_free(&policy);
		name_faults(&text, faults_left(&facts, version));
	}
	return str_text(&text);
}
