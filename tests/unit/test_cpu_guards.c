/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/cpu_guards.c hypervisor/lib/cpu_faults.c hypervisor/lib/string.c */
/* The guards that real processors get, the faults that these leave, and the options for guards. */
#include <stdlib.h>
#include <string.h>
#include "cpu_processors.h"
#include "lib/cpu_guards.h"
#include "unit.h"

#define VERW	  CPU_GUARD_VERW
#define DIVIDE	  CPU_GUARD_DIVIDE
#define IBRS	  CPU_GUARD_IBRS
#define BHI_DIS_S CPU_GUARD_BHI_DIS_S
#define WITH_IBPB CPU_GUARD_IBPB
#define L1TF	  CPU_GUARD_L1TF
#define ZENBLEED  CPU_GUARD_ZENBLEED

/* In the order of the table of processors. */
static const struct {
	const char *name;
	u32 guards;
	const char *left;
} expected[] = {
	/* clang-format off */
	{ "Bonnell", 0, "" },
	{ "Penryn", L1TF, "meltdown mds spectre_v2 no_ibpb ssb" },
	{ "Westmere-EP", L1TF, "meltdown mds spectre_v2 no_ibpb ssb" },
	{ "Westmere-EP, 2019", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 ssb" },
	{ "Sandy Bridge", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 ssb" },
	{ "Ivy Bridge", VERW | WITH_IBPB | L1TF, "meltdown srbds spectre_v2 ssb" },
	{ "Ivy Bridge, 2020", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 ssb" },
	{ "Ivy Bridge-EP", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 ssb" },
	{ "Haswell", L1TF, "meltdown mds taa srbds spectre_v2 no_ibpb ssb" },
	{ "Haswell-EP, TSX off", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 ssb" },
	{ "Broadwell-EP", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 ssb" },
	{ "Skylake-S, 2018", WITH_IBPB | L1TF, "meltdown mds taa mmio_stale_data gds srbds spectre_v2 retbleed ssb" },
	{ "Skylake-S, 2023, TSX off", VERW | WITH_IBPB | L1TF, "meltdown spectre_v2 retbleed ssb" },
	{ "Skylake-SP", VERW | WITH_IBPB | L1TF, "meltdown gds spectre_v2 retbleed ssb" },
	{ "Cascade Lake", VERW | IBRS | WITH_IBPB, "mmio_stale_data gds bhi retbleed its ssb" },
	{ "Cooper Lake, 2023", VERW | IBRS | WITH_IBPB, "bhi retbleed its ssb" },
	{ "Coffee Lake", VERW | WITH_IBPB | L1TF, "meltdown gds srbds spectre_v2 retbleed ssb" },
	{ "Coffee Lake Refresh", VERW | IBRS | WITH_IBPB, "mmio_stale_data gds srbds bhi retbleed its ssb" },
	{ "Coffee Lake Refresh, TSX off", IBRS | WITH_IBPB, "mmio_stale_data gds bhi retbleed its ssb" },
	{ "Comet Lake", VERW | IBRS | WITH_IBPB, "bhi retbleed its ssb" },
	{ "Ice Lake-SP, 2023", VERW | IBRS | WITH_IBPB, "bhi its ssb" },
	{ "Tiger Lake", IBRS | WITH_IBPB, "gds bhi its ssb" },
	{ "Rocket Lake", VERW | IBRS | WITH_IBPB, "bhi retbleed its ssb" },
	{ "Alder Lake", VERW | IBRS | BHI_DIS_S | WITH_IBPB, "ssb" },
	{ "Sapphire Rapids", IBRS | BHI_DIS_S | WITH_IBPB, "ssb" },
	{ "Sierra Forest", IBRS | WITH_IBPB, "ssb" },
	{ "Silvermont", VERW | WITH_IBPB, "meltdown spectre_v2" },
	{ "Goldmont", WITH_IBPB, "rfds spectre_v2 ssb" },
	{ "Snow Ridge", VERW | IBRS | WITH_IBPB, "bhi ssb" },
	{ "Knights Landing", WITH_IBPB, "meltdown mds spectre_v2" },
	{ "Opteron (K8)", 0, "spectre_v2 no_ibpb" },
	{ "K10", 0, "spectre_v2 no_ibpb" },
	{ "Bulldozer", 0, "spectre_v2 no_ibpb retbleed ssb" },
	{ "Piledriver, 2018", WITH_IBPB, "spectre_v2 retbleed ssb" },
	{ "Jaguar", WITH_IBPB, "spectre_v2 retbleed ssb" },
	{ "Zen 1 (Naples)", DIVIDE | WITH_IBPB, "spectre_v2 retbleed ssb srso" },
	{ "Zen+ (Raven Ridge)", DIVIDE | WITH_IBPB, "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Rome), 2021", WITH_IBPB | ZENBLEED, "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Rome), 2023", WITH_IBPB, "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Matisse)", WITH_IBPB | ZENBLEED, "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Renoir), 2023", WITH_IBPB, "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Van Gogh)", WITH_IBPB | ZENBLEED, "spectre_v2 retbleed ssb srso" },
	{ "Zen 3 (Milan)", WITH_IBPB, "spectre_v2 ssb srso tsa" },
	{ "Zen 3 (Milan), 2025", VERW | WITH_IBPB, "spectre_v2 ssb srso" },
	{ "Zen 4 (Genoa)", IBRS | WITH_IBPB, "ssb srso tsa" },
	{ "Zen 4 (Genoa), 2025", VERW | IBRS | WITH_IBPB, "ssb srso" },
	{ "Zen 5 (Turin)", IBRS | WITH_IBPB, "ssb" },
	{ "Hygon Dhyana", WITH_IBPB, "spectre_v2 retbleed ssb srso" },
	{ "VIA Nano", 0, "unknown" },
	/* clang-format on */
};
_Static_assert(ARRAY_SIZE(expected) == ARRAY_SIZE(processors), "a row for each processor");

static void names_of(u32 faults, char *text)
{
	text[0] = '\0';
	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (faults & 1U << i) {
			strcat(text, text[0] ? " " : "");
			strcat(text, cpu_fault_name((enum cpu_fault)i));
		}
}

static const struct cpu_guard_wishes no_wishes;

static void each_processor_gets_its_guards(void **state)
{
	char text[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		struct cpu_facts f = facts_of(i);
		u32 faults = cpu_faults_find(&f);
		u32 guards = cpu_guards_choose(&f, faults, &no_wishes);

		assert_string_equal(processors[i].name, expected[i].name);
		names_of(cpu_faults_left(&f, faults, guards), text);
		if (guards != expected[i].guards || strcmp(text, expected[i].left))
			fail_msg("%s: guards %#x, left \"%s\"", processors[i].name, guards, text);
	}
}

/* A sibling reads the core's buffers before they are cleared. What is left names it again. */
static void threads_of_a_core_see_what_the_core_moves(void **state)
{
	u32 shared = 1U << CPU_FAULT_MDS | 1U << CPU_FAULT_TAA | 1U << CPU_FAULT_MMIO_STALE_DATA;
	unsigned int seen = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		struct cpu_facts f = facts_of(i);
		u32 faults = cpu_faults_find(&f);
		u32 guards = cpu_guards_choose(&f, faults, &no_wishes);
		u32 left = cpu_faults_left(&f, faults, guards), more;

		f.threads = true;
		more = cpu_faults_left(&f, faults, guards);
		assert_int_equal(more, left | (faults & shared));
		seen += more != left;
	}
	assert_in_range(seen, 10, ARRAY_SIZE(processors));
}

/* With all guards off every fault is left; with all on, those that the processor has no guard for.
 */
static void wishes_decide(void **state)
{
	const struct cpu_guard_wishes none = { .off = CPU_GUARD_ALL },
				      all = { .on = CPU_GUARD_ALL };

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		struct cpu_facts f = facts_of(i);
		u32 faults = cpu_faults_find(&f);
		u32 needed = cpu_guards_choose(&f, faults, &no_wishes);
		u32 most = cpu_guards_choose(&f, faults, &all);

		assert_int_equal(cpu_guards_choose(&f, faults, &none), 0);
		assert_int_equal(cpu_faults_left(&f, faults, 0) | 1U << CPU_FAULT_NO_IBPB,
				 faults | 1U << CPU_FAULT_NO_IBPB);
		/* IBPB is there but off: that is a fault of its own. */
		assert_int_equal(!!(cpu_faults_left(&f, faults, 0) & 1U << CPU_FAULT_NO_IBPB),
				 !!((needed & WITH_IBPB) || (faults & 1U << CPU_FAULT_NO_IBPB)));
		assert_int_equal(most & needed, needed);
		assert_int_equal(most & (VERW | DIVIDE | L1TF), VERW | DIVIDE | L1TF);
		assert_int_equal(cpu_faults_left(&f, faults, most),
				 cpu_faults_left(&f, faults, needed));
	}
}

static void a_guard_has_a_name_and_helps(void **state)
{
	u32 helped = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		struct cpu_facts f = facts_of(i);

		for (unsigned int k = 0; k < CPU_FAULTS; k++) {
			u32 guard = cpu_fault_guards(&f, (enum cpu_fault)k, CPU_GUARD_ALL);

			assert_int_equal(guard & (guard - 1), 0);
			helped |= guard;
		}
	}
	assert_int_equal(helped, VERW | DIVIDE | IBRS | BHI_DIS_S | L1TF | ZENBLEED);
	for (u32 guard = 1; guard & CPU_GUARD_ALL; guard <<= 1)
		for (u32 other = 1; other < guard; other <<= 1)
			assert_string_not_equal(cpu_guard_name(guard), cpu_guard_name(other));
}

static void options_are_understood(void **state)
{
	static const struct {
		const char *line;
		u32 on, off;
	} lines[] = {
		{ "", 0, 0 },
		{ "spec-ctrl=verw", VERW, 0 },
		{ "spec-ctrl=no-verw", 0, VERW },
		{ "spec-ctrl=verw=0", 0, VERW },
		{ "spec-ctrl=verw=yes,ibpb=off,div-scrub", VERW | DIVIDE, WITH_IBPB },
		{ "spec-ctrl=no", 0, VERW | DIVIDE | IBRS | BHI_DIS_S | WITH_IBPB | ZENBLEED },
		{ "spec-ctrl=off,ibrs", IBRS, VERW | DIVIDE | BHI_DIS_S | WITH_IBPB | ZENBLEED },
		{ "spec-ctrl=no-zenbleed spec-ctrl=zenbleed,bhi-dis-s", ZENBLEED | BHI_DIS_S, 0 },
		{ "pv-l1tf", L1TF | CPU_GUARD_L1TF_DOM0, 0 },
		{ "pv-l1tf=no", 0, L1TF | CPU_GUARD_L1TF_DOM0 },
		{ "pv-l1tf=domu", L1TF, CPU_GUARD_L1TF_DOM0 },
		{ " dom0_mem=1G  pv-l1tf=dom0\tspec-ctrl=verw ", VERW | CPU_GUARD_L1TF_DOM0, L1TF },
		/* What is not understood has no effect, and none by halves. */
		{ "spec-ctrl=verw,what", 0, 0 },
		{ "spec-ctrl=verw=maybe", 0, 0 },
		{ "spec-ctrl=no-verw=1", 0, 0 },
		{ "spec-ctrl=,", 0, 0 },
		{ "spec-ctrl=verw,", 0, 0 },
		{ "spec-ctrl= verw", 0, 0 },
		{ "spec-ctrl", 0, 0 },
		{ "pv-l1tf=some", 0, 0 },
		{ "xspec-ctrl=verw", 0, 0 },
		{ "pv-l1tfs", 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
		struct cpu_guard_wishes w = { 0 };

		cpu_guards_parse_line(lines[i].line, &w);
		if (w.on != lines[i].on || w.off != lines[i].off)
			fail_msg("\"%s\": on %#x, off %#x", lines[i].line, w.on, w.off);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_processor_gets_its_guards),
		cmocka_unit_test(threads_of_a_core_see_what_the_core_moves),
		cmocka_unit_test(wishes_decide),
		cmocka_unit_test(a_guard_has_a_name_and_helps),
		cmocka_unit_test(options_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
