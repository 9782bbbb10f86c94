/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/cpu_faults.c */
/* The faults of real processors. */
#include <stdlib.h>
#include <string.h>
#include "cpu_processors.h"
#include "lib/cpu_faults.h"
#include "unit.h"

static void names_of(u32 faults, char *text)
{
	text[0] = '\0';
	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (faults & 1U << i) {
			strcat(text, text[0] ? " " : "");
			strcat(text, cpu_fault_name((enum cpu_fault)i));
		}
}

static void each_processor_has_its_faults(void **state)
{
	struct cpu_facts f;
	char text[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		f = facts_of(i);
		assert_int_equal(cpu_facts_have_arch_capabilities(&f),
				 !!(processors[i].f7d & ARCH_CAPS));
		names_of(cpu_faults_find(&f), text);
		if (strcmp(text, processors[i].faults))
			fail_msg("%s: \"%s\", not \"%s\"", processors[i].name, text,
				 processors[i].faults);
	}
}

static u32 fault_named(const char *name)
{
	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (!strcmp(cpu_fault_name((enum cpu_fault)i), name))
			return 1U << i;
	fail_msg("no fault is named %s", name);
	return 0;
}

/* A bit by which a processor denies a fault removes that fault and no other, on every processor. */
static void what_a_processor_denies_it_has_not(void **state)
{
	static const struct {
		u64 caps;
		const char *names[2];
	} denials[] = { { RDCL_NO, { "meltdown", "l1tf" } },
			{ SSB_NO, { "ssb" } },
			{ MDS_NO, { "mds" } },
			{ TAA_NO, { "taa" } },
			{ MMIO_NO, { "mmio_stale_data" } },
			{ BHI_NO, { "bhi" } },
			{ GDS_NO, { "gds" } },
			{ RFDS_NO, { "rfds" } },
			{ ITS_NO, { "its" } } };

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(denials); k++) {
			struct cpu_facts f = facts_of(i);
			u32 had = cpu_faults_find(&f), gone = 0;

			if (processors[i].vendor != INTEL)
				continue;
			for (unsigned int n = 0; n < 2 && denials[k].names[n]; n++)
				gone |= fault_named(denials[k].names[n]);
			f.arch_capabilities |= denials[k].caps;
			if (denials[k].caps == MDS_NO)
				gone |= fault_named("srbds") & (f.f7b & RTM ? 0 : ~0U);
			assert_int_equal(cpu_faults_find(&f), had & ~gone);
		}
}

static void every_fault_is_somebodys_and_has_texts(void **state)
{
	u32 seen = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		struct cpu_facts f = facts_of(i);

		seen |= cpu_faults_find(&f);
	}
	assert_int_equal(seen, (1UL << CPU_FAULTS) - 1);
	for (unsigned int i = 0; i < CPU_FAULTS; i++) {
		assert_true(strlen(cpu_fault_title((enum cpu_fault)i)) > 2);
		assert_true(strlen(cpu_fault_meaning((enum cpu_fault)i)) > 20);
		/* A word for programs. */
		assert_int_equal(strspn(cpu_fault_name((enum cpu_fault)i),
					"abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(cpu_fault_name((enum cpu_fault)i)));
	}
}

/* The list of leaves to read has every leaf that the code uses. */
static void the_list_of_leaves_is_complete(void **state)
{
	struct cpu_facts all = { 0 }, listed = { 0 };

	for (u32 leaf = 0; leaf < 0x40; leaf++)
		for (u32 subleaf = 0; subleaf < 4; subleaf++) {
			cpu_facts_add_leaf(&all, leaf, subleaf, leaf + 1, leaf + 2, leaf + 3,
					   leaf + 4);
			cpu_facts_add_leaf(&all, 0x80000000 + leaf, subleaf, leaf + 1, leaf + 2,
					   leaf + 3, leaf + 4);
		}
	for (unsigned int i = 0; i < cpu_fault_nr_leaves; i++) {
		u32 leaf = cpu_fault_leaves[i].leaf & 0xffff;

		cpu_facts_add_leaf(&listed, cpu_fault_leaves[i].leaf, cpu_fault_leaves[i].subleaf,
				   leaf + 1, leaf + 2, leaf + 3, leaf + 4);
	}
	assert_memory_equal(&all, &listed, sizeof(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_processor_has_its_faults),
		cmocka_unit_test(what_a_processor_denies_it_has_not),
		cmocka_unit_test(every_fault_is_somebodys_and_has_texts),
		cmocka_unit_test(the_list_of_leaves_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
