/* SPDX-License-Identifier: MIT */
/*
 * Decides which guards against processor faults are on.
 *
 * Sources: Intel, "Microarchitectural Data Sampling", "Processor MMIO Stale Data Vulnerabilities",
 * "Register File Data Sampling", "Branch History Injection"; SDM 4, IA32_ARCH_CAPABILITIES and
 * IA32_SPEC_CTRL; AMD's bulletins 7008 and 7029, APM 3, leaf 0x80000021.
 */
#include "lib/cpu_guards.h"

#include "lib/string.h"

#define VENDOR_AUTHENTIC_AMD 0x68747541 /* "Auth" */
#define VENDOR_HYGON_GENUINE 0x6f677948 /* "Hygo" */

#define F7D_MD_CLEAR	(1U << 10)
#define F7D_IBRS_IBPB	(1U << 26)
#define F7_2D_BHI_CTRL	(1U << 4)
#define E8B_IBPB	(1U << 12)
#define E21A_VERW_CLEAR (1U << 5)
#define E21A_AUTO_IBRS	(1U << 8)

#define CAP_IBRS_ALL   BIT(1)
#define CAP_MDS_NO     BIT(5)
#define CAP_FB_CLEAR   BIT(17)
#define CAP_RFDS_CLEAR BIT(28)

static bool is_amd(const struct cpu_facts *f)
{
	return f->vendor == VENDOR_AUTHENTIC_AMD || f->vendor == VENDOR_HYGON_GENUINE;
}

/* The guards that the processor can put into effect. */
static u32 available(const struct cpu_facts *f)
{
	/* These take no feature. Without its feature VERW clears nothing, but does no harm. */
	u32 guards = CPU_GUARD_VERW | CPU_GUARD_DIVIDE | CPU_GUARD_L1TF | CPU_GUARD_L1TF_DOM0;

	if (is_amd(f)) {
		if (f->e21a & E21A_AUTO_IBRS)
			guards |= CPU_GUARD_IBRS;
		if (f->e8b & E8B_IBPB)
			guards |= CPU_GUARD_IBPB;
		if (f->family == 0x17)
			guards |= CPU_GUARD_ZENBLEED;
	} else if (f->f7d & F7D_IBRS_IBPB) {
		guards |= CPU_GUARD_IBPB;
		if (f->arch_capabilities & CAP_IBRS_ALL)
			guards |= CPU_GUARD_IBRS;
		if (f->f7_2d & F7_2D_BHI_CTRL)
			guards |= CPU_GUARD_BHI_DIS_S;
	}
	return guards;
}

/* Does VERW clear what this fault shows? */
static bool verw_clears(const struct cpu_facts *f, enum cpu_fault fault)
{
	u64 caps = f->arch_capabilities;
	bool md_clear = f->f7d & F7D_MD_CLEAR;

	switch (fault) {
	case CPU_FAULT_MDS:
	case CPU_FAULT_TAA:
		return md_clear;
	case CPU_FAULT_MMIO_STALE_DATA:
		/* On processors with MDS, MD_CLEAR covers the fill buffers. */
		return (caps & CAP_FB_CLEAR) || (md_clear && !(caps & CAP_MDS_NO));
	case CPU_FAULT_RFDS:
		return caps & CAP_RFDS_CLEAR;
	case CPU_FAULT_TSA:
		return f->e21a & E21A_VERW_CLEAR;
	default:
		return false;
	}
}

/* The guard that helps against the fault on this processor; 0: there is none. */
static u32 guard_against(const struct cpu_facts *f, enum cpu_fault fault)
{
	switch (fault) {
	case CPU_FAULT_L1TF:
		return CPU_GUARD_L1TF;
	case CPU_FAULT_SPECTRE_V2:
		return CPU_GUARD_IBRS & available(f);
	case CPU_FAULT_BHI:
		return CPU_GUARD_BHI_DIS_S & available(f);
	case CPU_FAULT_ZENBLEED:
		return CPU_GUARD_ZENBLEED & available(f);
	case CPU_FAULT_DIVIDER:
		return CPU_GUARD_DIVIDE;
	default:
		return verw_clears(f, fault) ? CPU_GUARD_VERW : 0;
	}
}

u32 cpu_fault_guards(const struct cpu_facts *f, enum cpu_fault fault, u32 guards)
{
	return guard_against(f, fault) & guards;
}

u32 cpu_guards_choose(const struct cpu_facts *f, u32 faults, const struct cpu_guard_wishes *w)
{
	u32 guards = CPU_GUARD_IBPB;

	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (faults & 1U << i)
			guards |= guard_against(f, (enum cpu_fault)i);
	return (guards | w->on) & ~w->off & available(f);
}

/*
 * While guests of two owners run on the threads of one core at once, clearing buffers on the way in
 * is too late.
 */
#define SEEN_BY_THREADS \
	(1U << CPU_FAULT_MDS | 1U << CPU_FAULT_TAA | 1U << CPU_FAULT_MMIO_STALE_DATA)

u32 cpu_faults_left(const struct cpu_facts *f, u32 faults, u32 guards)
{
	u32 left = faults;

	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (cpu_fault_guards(f, (enum cpu_fault)i, guards) &&
		    !(f->threads && (SEEN_BY_THREADS & 1U << i)))
			left &= ~(1U << i);
	/* The processor has IBPB, and it is off. */
	if (available(f) & ~guards & CPU_GUARD_IBPB)
		left |= 1U << CPU_FAULT_NO_IBPB;
	return left;
}

const char *cpu_guard_name(u32 guard)
{
	switch (guard) {
	case CPU_GUARD_VERW:
		return "VERW";
	case CPU_GUARD_DIVIDE:
		return "a division";
	case CPU_GUARD_IBRS:
		return "IBRS";
	case CPU_GUARD_BHI_DIS_S:
		return "BHI_DIS_S";
	case CPU_GUARD_IBPB:
		return "IBPB";
	case CPU_GUARD_L1TF:
		return "checks of page tables";
	case CPU_GUARD_L1TF_DOM0:
		return "checks of Domain-0's page tables";
	default:
		return "a bit of the processor";
	}
}

/* --- the command line --- */

static const struct {
	const char *name;
	u32 guard;
} spec_ctrl_names[] = {
	{ "verw", CPU_GUARD_VERW }, { "div-scrub", CPU_GUARD_DIVIDE },
	{ "ibrs", CPU_GUARD_IBRS }, { "bhi-dis-s", CPU_GUARD_BHI_DIS_S },
	{ "ibpb", CPU_GUARD_IBPB }, { "zenbleed", CPU_GUARD_ZENBLEED },
};
#define SPEC_CTRL_GUARDS (CPU_GUARD_ALL & ~(u32)(CPU_GUARD_L1TF | CPU_GUARD_L1TF_DOM0))

static bool is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(s, word, len);
}

/* A switch as boot options have it: 1 yes, 0 no, -1 something else. */
static int switch_of(const char *s, size_t len)
{
	static const char *const yes[] = { "1", "yes", "on", "true", "enable" };
	static const char *const no[] = { "0", "no", "off", "false", "disable" };

	for (unsigned int i = 0; i < ARRAY_SIZE(yes); i++) {
		if (is_word(s, len, yes[i]))
			return 1;
		if (is_word(s, len, no[i]))
			return 0;
	}
	return -1;
}

static void wish(struct cpu_guard_wishes *w, u32 guards, bool on)
{
	w->on = on ? w->on | guards : w->on & ~guards;
	w->off = on ? w->off & ~guards : w->off | guards;
}

static u32 guard_of_word(const char *s, size_t len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(spec_ctrl_names); i++)
		if (is_word(s, len, spec_ctrl_names[i].name))
			return spec_ctrl_names[i].guard;
	return 0;
}

/* NAME, NAME=SWITCH, no-NAME or, for all of them, a negative SWITCH. */
static bool parse_spec_ctrl_word(const char *s, size_t len, struct cpu_guard_wishes *w)
{
	size_t name = 0;
	int on = 1;
	u32 guard;

	if (switch_of(s, len) == 0) {
		wish(w, SPEC_CTRL_GUARDS, false);
		return true;
	}
	while (name < len && s[name] != '=')
		name++;
	if (name < len)
		on = switch_of(s + name + 1, len - name - 1);
	if (name > 3 && !strncmp(s, "no-", 3) && name == len) {
		on = 0;
		s += 3;
		name -= 3;
	}
	guard = guard_of_word(s, name);
	if (!guard || on < 0)
		return false;
	wish(w, guard, on);
	return true;
}

static size_t word_length(const char *s, const char *ends)
{
	size_t len = 0;

	while (s[len] && !strchr(ends, s[len]))
		len++;
	return len;
}

bool cpu_guards_parse_spec_ctrl(const char *value, struct cpu_guard_wishes *w)
{
	struct cpu_guard_wishes new = *w;
	const char *s = value;

	for (;;) {
		size_t len = word_length(s, ", \t");

		if (!parse_spec_ctrl_word(s, len, &new))
			return false;
		s += len;
		if (*s != ',')
			break;
		s++;
	}
	*w = new;
	return true;
}

bool cpu_guards_parse_pv_l1tf(const char *value, struct cpu_guard_wishes *w)
{
	struct cpu_guard_wishes new = *w;
	size_t len = word_length(value, " \t");
	int on = len ? switch_of(value, len) : 1;

	if (on >= 0) {
		wish(&new, CPU_GUARD_L1TF | CPU_GUARD_L1TF_DOM0, on);
	} else if (is_word(value, len, "domu")) {
		wish(&new, CPU_GUARD_L1TF, true);
		wish(&new, CPU_GUARD_L1TF_DOM0, false);
	} else if (is_word(value, len, "dom0")) {
		wish(&new, CPU_GUARD_L1TF_DOM0, true);
		wish(&new, CPU_GUARD_L1TF, false);
	} else {
		return false;
	}
	*w = new;
	return true;
}

void cpu_guards_parse_line(const char *line, struct cpu_guard_wishes *w)
{
	while (*line) {
		size_t len = word_length(line, " \t");

		if (!strncmp(line, "spec-ctrl=", 10))
			(void)cpu_guards_parse_spec_ctrl(line + 10, w);
		else if (!strncmp(line, "pv-l1tf=", 8))
			(void)cpu_guards_parse_pv_l1tf(line + 8, w);
		else if (is_word(line, len, "pv-l1tf"))
			(void)cpu_guards_parse_pv_l1tf("", w);
		line += len;
		while (*line == ' ' || *line == '\t')
			line++;
	}
}
