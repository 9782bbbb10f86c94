/* SPDX-License-Identifier: MIT */
/*
 * Finds a processor's faults by tables of models and by the bits in which a processor denies a
 * fault.
 *
 * Sources: Intel, "Affected Processors: Guidance for Security Issues" and the articles that it
 * links; SDM 4, IA32_ARCH_CAPABILITIES; AMD's security bulletins 1036, 1037, 7005, 7007, 7008, 7016
 * and APM 3, leaves 0x80000008 and 0x80000021.
 */
#include "lib/cpu_faults.h"

#define VENDOR_GENUINE_INTEL 0x756e6547 /* "Genu" */
#define VENDOR_AUTHENTIC_AMD 0x68747541 /* "Auth" */
#define VENDOR_HYGON_GENUINE 0x6f677948 /* "Hygo" */

/* Leaf 1 ECX, leaf 7 EBX and EDX, leaf 7 subleaf 2 EDX. */
#define F1C_AVX		      (1U << 28)
#define F1C_RDRAND	      (1U << 30)
#define F7B_RTM		      (1U << 11)
#define F7B_RDSEED	      (1U << 18)
#define F7D_SRBDS_CTRL	      (1U << 9)
#define F7D_IBPB	      (1U << 26)
#define F7D_ARCH_CAPABILITIES (1U << 29)
#define F7_2D_BHI_CTRL	      (1U << 4)
/* 0x80000008 EBX; 0x80000021 EAX and ECX. */
#define E8B_IBPB     (1U << 12)
#define E8B_SSB_NO   (1U << 26)
#define E8B_BTC_NO   (1U << 29)
#define E21A_SRSO_NO (1U << 29)
#define E21C_TSA_NO  (3U << 1) /* both variants */

#define CAP_RDCL_NO    BIT(0)
#define CAP_IBRS_ALL   BIT(1)
#define CAP_RSBA       BIT(2)
#define CAP_SSB_NO     BIT(4)
#define CAP_MDS_NO     BIT(5)
#define CAP_TAA_NO     BIT(8)
#define CAP_MMIO_NO    (BIT(13) | BIT(14) | BIT(15)) /* SBDR_SSDP_NO, FBSDP_NO, PSDP_NO */
#define CAP_BHI_NO     BIT(20)
#define CAP_GDS_CTRL   BIT(25)
#define CAP_GDS_NO     BIT(26)
#define CAP_RFDS_NO    BIT(27)
#define CAP_RFDS_CLEAR BIT(28)
#define CAP_ITS_NO     BIT(62)

#define FAULT(name) (1U << CPU_FAULT_##name)

const struct cpu_fault_leaf cpu_fault_leaves[] = { { 0, 0 }, { 1, 0 },		{ 7, 0 },
						   { 7, 2 }, { 0x80000008, 0 }, { 0x80000021, 0 } };
const unsigned int cpu_fault_nr_leaves = ARRAY_SIZE(cpu_fault_leaves);

/* --- Intel --- */

/* Faults that all processors of a kind have, or have not, where their capabilities do not say. */
struct intel_kind {
	u8 model, first_stepping, last_stepping;
	u32 has, has_not;
};
#define ANY_STEPPING   0, 15
#define NO_SPECULATION ((1U << CPU_FAULTS) - 1)
#define SKYLAKE	       (FAULT(MMIO_STALE_DATA) | FAULT(RETBLEED) | FAULT(GDS))
#define COMET_LAKE     (SKYLAKE | FAULT(ITS))
#define ICE_LAKE       (FAULT(MMIO_STALE_DATA) | FAULT(GDS) | FAULT(ITS))
#define TREMONT	       (FAULT(MMIO_STALE_DATA) | FAULT(RFDS))
#define SILVERMONT     (FAULT(SSB) | FAULT(L1TF))
#define GOLDMONT       (FAULT(MDS) | FAULT(L1TF))

/* Family 6. The first row that matches counts. */
static const struct intel_kind intel_kinds[] = {
	/* Bonnell and Saltwell, Atoms that do not speculate */
	{ 0x1c, ANY_STEPPING, 0, NO_SPECULATION },
	{ 0x26, ANY_STEPPING, 0, NO_SPECULATION },
	{ 0x27, ANY_STEPPING, 0, NO_SPECULATION },
	{ 0x35, ANY_STEPPING, 0, NO_SPECULATION },
	{ 0x36, ANY_STEPPING, 0, NO_SPECULATION },
	/* Silvermont and Airmont, Knights Landing and Mill */
	{ 0x37, ANY_STEPPING, 0, SILVERMONT },
	{ 0x4a, ANY_STEPPING, 0, SILVERMONT },
	{ 0x4d, ANY_STEPPING, 0, SILVERMONT },
	{ 0x4c, ANY_STEPPING, 0, SILVERMONT },
	{ 0x57, ANY_STEPPING, 0, SILVERMONT },
	{ 0x85, ANY_STEPPING, 0, SILVERMONT },
	{ 0x5a, ANY_STEPPING, 0, FAULT(L1TF) },
	{ 0x75, ANY_STEPPING, 0, FAULT(L1TF) },
	/* Goldmont, Goldmont Plus; Tremont */
	{ 0x5c, ANY_STEPPING, FAULT(RFDS), GOLDMONT },
	{ 0x5f, ANY_STEPPING, FAULT(RFDS), GOLDMONT },
	{ 0x7a, ANY_STEPPING, FAULT(RFDS), GOLDMONT },
	{ 0x86, ANY_STEPPING, TREMONT, 0 },
	{ 0x96, ANY_STEPPING, TREMONT, 0 },
	{ 0x9c, ANY_STEPPING, TREMONT, 0 },
	/* Ivy Bridge, Haswell, Broadwell */
	{ 0x3a, ANY_STEPPING, FAULT(SRBDS), 0 },
	{ 0x3c, ANY_STEPPING, FAULT(SRBDS), 0 },
	{ 0x45, ANY_STEPPING, FAULT(SRBDS), 0 },
	{ 0x46, ANY_STEPPING, FAULT(SRBDS), 0 },
	{ 0x3d, ANY_STEPPING, FAULT(SRBDS), 0 },
	{ 0x47, ANY_STEPPING, FAULT(SRBDS), 0 },
	{ 0x3f, ANY_STEPPING, FAULT(MMIO_STALE_DATA), 0 },
	{ 0x4f, ANY_STEPPING, FAULT(MMIO_STALE_DATA), 0 },
	{ 0x56, ANY_STEPPING, FAULT(MMIO_STALE_DATA), 0 },
	/*
	 * Skylake; from certain steppings on also Cascade Lake, Cooper Lake, Whiskey Lake, Coffee
	 * Lake Refresh
	 */
	{ 0x4e, ANY_STEPPING, SKYLAKE | FAULT(SRBDS), 0 },
	{ 0x5e, ANY_STEPPING, SKYLAKE | FAULT(SRBDS), 0 },
	{ 0x55, 0, 5, SKYLAKE, 0 },
	{ 0x55, ANY_STEPPING, SKYLAKE | FAULT(ITS), 0 },
	{ 0x8e, 0, 11, SKYLAKE | FAULT(SRBDS), 0 },
	{ 0x8e, ANY_STEPPING, SKYLAKE | FAULT(SRBDS) | FAULT(ITS), 0 },
	{ 0x9e, 0, 12, SKYLAKE | FAULT(SRBDS), 0 },
	{ 0x9e, ANY_STEPPING, SKYLAKE | FAULT(SRBDS) | FAULT(ITS), 0 },
	{ 0x66, ANY_STEPPING, FAULT(RETBLEED), 0 },
	{ 0xa5, ANY_STEPPING, COMET_LAKE, 0 },
	{ 0xa6, 0, 0, COMET_LAKE & ~FAULT(GDS), 0 },
	{ 0xa6, ANY_STEPPING, COMET_LAKE, 0 },
	/* Ice Lake, Lakefield, Rocket Lake, Tiger Lake */
	{ 0x6a, ANY_STEPPING, ICE_LAKE, 0 },
	{ 0x6c, ANY_STEPPING, ICE_LAKE, 0 },
	{ 0x7e, ANY_STEPPING, ICE_LAKE | FAULT(RETBLEED), 0 },
	{ 0x8a, ANY_STEPPING, FAULT(MMIO_STALE_DATA) | FAULT(RETBLEED), 0 },
	{ 0xa7, ANY_STEPPING, ICE_LAKE | FAULT(RETBLEED), 0 },
	{ 0x8c, ANY_STEPPING, FAULT(GDS) | FAULT(ITS), 0 },
	{ 0x8d, ANY_STEPPING, FAULT(GDS) | FAULT(ITS), 0 },
	/* Alder Lake and Raptor Lake: their small cores are affected */
	{ 0x97, ANY_STEPPING, FAULT(RFDS), 0 },
	{ 0x9a, ANY_STEPPING, FAULT(RFDS), 0 },
	{ 0xbe, ANY_STEPPING, FAULT(RFDS), 0 },
	{ 0xb7, ANY_STEPPING, FAULT(RFDS), 0 },
	{ 0xba, ANY_STEPPING, FAULT(RFDS), 0 },
	{ 0xbf, ANY_STEPPING, FAULT(RFDS), 0 },
};

/* Every Intel processor that speculates has these, unless it denies them. */
#define INTEL_ALL                                                                      \
	(FAULT(MELTDOWN) | FAULT(L1TF) | FAULT(MDS) | FAULT(TAA) | FAULT(SPECTRE_V2) | \
	 FAULT(NO_IBPB) | FAULT(BHI) | FAULT(SSB))

/* Faults that one bit of IA32_ARCH_CAPABILITIES denies. */
static const struct {
	u64 capability;
	u32 denied;
} intel_denials[] = {
	{ CAP_RDCL_NO, FAULT(MELTDOWN) | FAULT(L1TF) },
	{ CAP_SSB_NO, FAULT(SSB) },
	{ CAP_MDS_NO, FAULT(MDS) },
	{ CAP_TAA_NO, FAULT(TAA) },
	{ CAP_BHI_NO, FAULT(BHI) },
	{ CAP_GDS_NO, FAULT(GDS) },
	{ CAP_GDS_CTRL, FAULT(GDS) }, /* its microcode guards against GDS unless told not to */
	{ CAP_RFDS_NO, FAULT(RFDS) },
	{ CAP_ITS_NO, FAULT(ITS) },
};

/* Faults that a processor cannot have because it lacks the feature, or has a guard. */
static u32 intel_absent(const struct cpu_facts *f)
{
	u64 caps = f->arch_capabilities;
	bool tsx = f->f7b & F7B_RTM;
	u32 faults = 0;

	if (!tsx)
		faults |= FAULT(TAA);
	if ((caps & CAP_MMIO_NO) == CAP_MMIO_NO)
		faults |= FAULT(MMIO_STALE_DATA);
	if (!(f->f1c & F1C_AVX))
		faults |= FAULT(GDS);
	/*
	 * Microcode with this control keeps others' random numbers from being read. Some processors
	 * leak them only through TSX.
	 */
	if ((f->f7d & F7D_SRBDS_CTRL) || (!(f->f1c & F1C_RDRAND) && !(f->f7b & F7B_RDSEED)) ||
	    ((caps & CAP_MDS_NO) && !tsx))
		faults |= FAULT(SRBDS);
	if (f->f7d & F7D_IBPB)
		faults |= FAULT(NO_IBPB);
	/* BHI matters only with enhanced IBRS, which isolates everything but branch histories. */
	if (!(caps & CAP_IBRS_ALL))
		faults |= FAULT(BHI);
	if (f->f7_2d & F7_2D_BHI_CTRL)
		faults |= FAULT(ITS);
	return faults;
}

static const struct intel_kind *intel_find(const struct cpu_facts *f)
{
	for (unsigned int i = 0; f->family == 6 && i < ARRAY_SIZE(intel_kinds); i++) {
		const struct intel_kind *k = &intel_kinds[i];

		if (k->model == f->model && f->stepping >= k->first_stepping &&
		    f->stepping <= k->last_stepping)
			return k;
	}
	return NULL;
}

static u32 faults_of_intel(const struct cpu_facts *f)
{
	const struct intel_kind *kind = intel_find(f);
	u64 caps = f->arch_capabilities;
	u32 faults = INTEL_ALL;

	if (f->family < 6)
		return 0;
	if (caps & CAP_RFDS_CLEAR)
		faults |= FAULT(RFDS);
	if (caps & CAP_RSBA)
		faults |= FAULT(RETBLEED);
	if (kind)
		faults = (faults | kind->has) & ~kind->has_not;
	for (unsigned int i = 0; i < ARRAY_SIZE(intel_denials); i++)
		if (caps & intel_denials[i].capability)
			faults &= ~intel_denials[i].denied;
	return faults & ~intel_absent(f);
}

/* --- AMD, Hygon --- */

/*
 * Zen 2: for each range of models, the first microcode that guards against Zenbleed (bulletin
 * 7008); 0: none is known.
 */
static const struct {
	u8 first_model, last_model;
	u32 microcode;
} zen2[] = {
	{ 0x30, 0x3f, 0x0830107b }, { 0x40, 0x4f, 0 },		{ 0x60, 0x67, 0x0860010c },
	{ 0x68, 0x6f, 0x08608107 }, { 0x70, 0x7f, 0x08701033 }, { 0x90, 0x91, 0 },
	{ 0xa0, 0xaf, 0x08a00009 },
};

static bool has_zenbleed(const struct cpu_facts *f)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(zen2); i++)
		if (f->model >= zen2[i].first_model && f->model <= zen2[i].last_model)
			return !zen2[i].microcode || f->microcode < zen2[i].microcode;
	return false;
}

/* Zen 1 and Zen+. */
static bool has_leaking_divider(const struct cpu_facts *f)
{
	return f->model <= 0x2f || (f->model >= 0x50 && f->model <= 0x5f);
}

static u32 faults_of_amd(const struct cpu_facts *f)
{
	bool zen12 = f->family == 0x17 || f->vendor == VENDOR_HYGON_GENUINE;
	u32 faults = FAULT(SPECTRE_V2);

	if (f->family < 0xf)
		return 0;
	if (!(f->e8b & E8B_IBPB))
		faults |= FAULT(NO_IBPB);
	if (!(f->e8b & E8B_SSB_NO) && f->family > 0x12)
		faults |= FAULT(SSB);
	if (!(f->e8b & E8B_BTC_NO) && (zen12 || f->family == 0x15 || f->family == 0x16))
		faults |= FAULT(RETBLEED);
	if (!(f->e21a & E21A_SRSO_NO) && (zen12 || f->family == 0x19))
		faults |= FAULT(SRSO);
	if (f->family == 0x17 && has_zenbleed(f))
		faults |= FAULT(ZENBLEED);
	if (f->family == 0x17 && has_leaking_divider(f))
		faults |= FAULT(DIVIDER);
	if ((f->e21c & E21C_TSA_NO) != E21C_TSA_NO && f->family == 0x19)
		faults |= FAULT(TSA);
	return faults;
}

/* --- facts and names --- */

void cpu_facts_add_leaf(struct cpu_facts *f, u32 leaf, u32 subleaf, u32 a, u32 b, u32 c, u32 d)
{
	switch (leaf) {
	case 0:
		f->vendor = b;
		break;
	case 1:
		f->f1c = c;
		f->family = (a >> 8) & 15;
		f->model = (a >> 4) & 15;
		f->stepping = a & 15;
		if (f->family == 15 || f->family == 6)
			f->model |= (a >> 12) & 0xf0;
		if (f->family == 15)
			f->family += (a >> 20) & 0xff;
		break;
	case 7:
		if (subleaf == 0) {
			f->f7b = b;
			f->f7d = d;
		} else if (subleaf == 2) {
			f->f7_2d = d;
		}
		break;
	case 0x80000008:
		f->e8b = b;
		break;
	case 0x80000021:
		f->e21a = a;
		f->e21c = c;
		break;
	default:
		break;
	}
}

bool cpu_facts_have_arch_capabilities(const struct cpu_facts *f)
{
	return f->f7d & F7D_ARCH_CAPABILITIES;
}

u32 cpu_faults_find(const struct cpu_facts *f)
{
	if (f->vendor == VENDOR_GENUINE_INTEL)
		return faults_of_intel(f);
	if (f->vendor == VENDOR_AUTHENTIC_AMD || f->vendor == VENDOR_HYGON_GENUINE)
		return faults_of_amd(f);
	return FAULT(UNKNOWN);
}

static const struct {
	const char *name, *title, *meaning;
} texts[CPU_FAULTS] = {
	[CPU_FAULT_MELTDOWN] = { "meltdown", "Meltdown",
				 "a guest reads what the hypervisor has mapped" },
	[CPU_FAULT_L1TF] = { "l1tf", "L1TF",
			     "a guest reads what lies in the first-level cache, of any domain" },
	[CPU_FAULT_MDS] = { "mds", "MDS", "a guest reads what its core has just moved for others" },
	[CPU_FAULT_TAA] = { "taa", "TAA",
			    "a guest reads what its core has just moved for others, by TSX" },
	[CPU_FAULT_MMIO_STALE_DATA] = { "mmio_stale_data", "MMIO Stale Data",
					"who may map a device reads what its core has just moved "
					"for others" },
	[CPU_FAULT_RFDS] = { "rfds", "RFDS", "a guest reads registers of what ran before it" },
	[CPU_FAULT_GDS] = { "gds", "GDS (Downfall)",
			    "a guest reads vector registers of what ran before it" },
	[CPU_FAULT_SRBDS] = { "srbds", "SRBDS",
			      "a guest reads random numbers that others were given" },
	[CPU_FAULT_SPECTRE_V2] = { "spectre_v2", "Spectre v2",
				   "a guest steers what the hypervisor's branches guess" },
	[CPU_FAULT_NO_IBPB] = { "no_ibpb", "no IBPB",
				"a guest steers what other guests' branches guess" },
	[CPU_FAULT_BHI] = { "bhi", "BHI",
			    "a guest steers the hypervisor's branches by their history" },
	[CPU_FAULT_RETBLEED] = { "retbleed", "Retbleed",
				 "a guest steers where the hypervisor's returns guess to" },
	[CPU_FAULT_ITS] = { "its", "ITS",
			    "a guest steers some indirect branches of the hypervisor" },
	[CPU_FAULT_SSB] = { "ssb", "SSB", "a program may be led to read what was overwritten" },
	[CPU_FAULT_SRSO] = { "srso", "SRSO (Inception)",
			     "a guest steers where the hypervisor's returns guess to" },
	[CPU_FAULT_ZENBLEED] = { "zenbleed", "Zenbleed",
				 "a guest reads vector registers of what ran before it" },
	[CPU_FAULT_DIVIDER] = { "divider", "the divider leak of Zen 1",
				"a guest learns the last quotient of others" },
	[CPU_FAULT_UNKNOWN] = { "unknown",
				"faults that Xenolith does not know, which knows Intel's and AMD's",
				"a guest may read others' memory" },
	[CPU_FAULT_TSA] = { "tsa", "TSA",
			    "a guest infers others' data from the time that its loads take" },
};

const char *cpu_fault_name(enum cpu_fault fault)
{
	return texts[fault].name;
}

const char *cpu_fault_title(enum cpu_fault fault)
{
	return texts[fault].title;
}

const char *cpu_fault_meaning(enum cpu_fault fault)
{
	return texts[fault].meaning;
}
