/* SPDX-License-Identifier: MIT */
/* Real processors, from Opteron to Zen 5 and from Bonnell to Sierra Forest: what their CPUID and
 * MSRs say with old and new microcode, and which faults each has. */
#ifndef TESTS_UNIT_CPU_PROCESSORS_H
#define TESTS_UNIT_CPU_PROCESSORS_H

#include "lib/cpu_faults.h"

#define INTEL 0x756e6547
#define AMD   0x68747541
#define HYGON 0x6f677948
#define VIA   0x746e6543

/* CPUID bits. Leaf 1 ECX: AVX, RDRAND. Leaf 7 EBX: RTM, RDSEED. Leaf 7 EDX: what the microcode of
 * each year added. */
#define AVX	   BIT(28)
#define RDRAND	   BIT(30)
#define RTM	   BIT(11)
#define RDSEED	   BIT(18)
#define SRBDS_CTRL BIT(9)
#define MD_CLEAR   BIT(10)
#define SPEC_CTRL  (BIT(26) | BIT(27) | BIT(31)) /* IBRS and IBPB, STIBP, SSBD */
#define ARCH_CAPS  BIT(29)
#define BHI_CTRL   BIT(4)

/* IA32_ARCH_CAPABILITIES (SDM 4). */
#define RDCL_NO	    BIT(0)
#define IBRS_ALL    BIT(1)
#define RSBA	    BIT(2)
#define SKIP_L1D    BIT(3)
#define SSB_NO	    BIT(4)
#define MDS_NO	    BIT(5)
#define PSCHANGE_NO BIT(6)
#define TSX_CTRL    BIT(7)
#define TAA_NO	    BIT(8)
#define SBDR_NO	    BIT(13)
#define FBSDP_NO    BIT(14)
#define PSDP_NO	    BIT(15)
#define FB_CLEAR    BIT(17)
#define RRSBA	    BIT(19)
#define BHI_NO	    BIT(20)
#define GDS_CTRL    BIT(25)
#define GDS_NO	    BIT(26)
#define RFDS_NO	    BIT(27)
#define RFDS_CLEAR  BIT(28)
#define ITS_NO	    BIT(62)
#define CASCADE	    (RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO)
#define MMIO_NO	    (SBDR_NO | FBSDP_NO | PSDP_NO)
#define NEWEST	    (CASCADE | PSCHANGE_NO | TAA_NO | MMIO_NO | GDS_NO | RRSBA)

/* 0x80000008 EBX: IBPB alone, and with STIBP, SSBD; 0x80000021 EAX, ECX. */
#define IBPB	   BIT(12)
#define AMD_SPEC   (BIT(12) | BIT(14) | BIT(15) | BIT(24))
#define AMD_SSB_NO BIT(26)
#define BTC_NO	   BIT(29)
#define VERW_CLEAR BIT(5)
#define AUTO_IBRS  BIT(8)
#define SRSO_NO	   BIT(29)
#define TSA_NO	   (BIT(1) | BIT(2))

static const struct {
	const char *name;
	u32 vendor, signature, f1c, f7b, f7d, f7_2d, e8b, e21a, e21c;
	u64 caps;
	u32 microcode;
	const char *faults;
} processors[] = {
	/* clang-format off */
	{ "Bonnell", INTEL, 0x106ca, .faults = "" },
	{ "Penryn", INTEL, 0x1067a, .faults = "meltdown l1tf mds spectre_v2 no_ibpb ssb" },
	{ "Westmere-EP", INTEL, 0x206c2, .faults = "meltdown l1tf mds spectre_v2 no_ibpb ssb" },
	{ "Westmere-EP, 2019", INTEL, 0x206c2, 0, 0, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds spectre_v2 ssb" },
	{ "Sandy Bridge", INTEL, 0x206a7, AVX, 0, SPEC_CTRL | MD_CLEAR, .faults = "meltdown l1tf mds spectre_v2 ssb" },
	{ "Ivy Bridge", INTEL, 0x306a9, AVX | RDRAND, 0, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds srbds spectre_v2 ssb" },
	{ "Ivy Bridge, 2020", INTEL, 0x306a9, AVX | RDRAND, 0, SPEC_CTRL | MD_CLEAR | SRBDS_CTRL,
	  .faults = "meltdown l1tf mds spectre_v2 ssb" },
	{ "Ivy Bridge-EP", INTEL, 0x306e4, AVX | RDRAND, 0, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds spectre_v2 ssb" },
	{ "Haswell", INTEL, 0x306c3, AVX | RDRAND, RTM, 0,
	  .faults = "meltdown l1tf mds taa srbds spectre_v2 no_ibpb ssb" },
	{ "Haswell-EP, TSX off", INTEL, 0x306f2, AVX | RDRAND, 0, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds mmio_stale_data spectre_v2 ssb" },
	{ "Broadwell-EP", INTEL, 0x406f1, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds taa mmio_stale_data spectre_v2 ssb" },
	{ "Skylake-S, 2018", INTEL, 0x506e3, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL,
	  .faults = "meltdown l1tf mds taa mmio_stale_data gds srbds spectre_v2 retbleed ssb" },
	{ "Skylake-S, 2023, TSX off", INTEL, 0x506e3, AVX | RDRAND, RDSEED,
	  SPEC_CTRL | MD_CLEAR | SRBDS_CTRL | ARCH_CAPS, .caps = RSBA | TSX_CTRL | FB_CLEAR | GDS_CTRL,
	  .faults = "meltdown l1tf mds mmio_stale_data spectre_v2 retbleed ssb" },
	{ "Skylake-SP", INTEL, 0x50654, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds taa mmio_stale_data gds spectre_v2 retbleed ssb" },
	{ "Cascade Lake", INTEL, 0x50657, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | TSX_CTRL, .faults = "taa mmio_stale_data gds spectre_v2 bhi retbleed its ssb" },
	{ "Cooper Lake, 2023", INTEL, 0x5065b, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | PSCHANGE_NO | TSX_CTRL | TAA_NO | FB_CLEAR | GDS_CTRL,
	  .faults = "mmio_stale_data spectre_v2 bhi retbleed its ssb" },
	{ "Coffee Lake", INTEL, 0x906ea, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL | MD_CLEAR,
	  .faults = "meltdown l1tf mds taa mmio_stale_data gds srbds spectre_v2 retbleed ssb" },
	{ "Coffee Lake Refresh", INTEL, 0x906ed, AVX | RDRAND, RTM | RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | TSX_CTRL, .faults = "taa mmio_stale_data gds srbds spectre_v2 bhi retbleed its ssb" },
	{ "Coffee Lake Refresh, TSX off", INTEL, 0x906ed, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | TSX_CTRL, .faults = "mmio_stale_data gds spectre_v2 bhi retbleed its ssb" },
	{ "Comet Lake", INTEL, 0xa0655, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | PSCHANGE_NO | TSX_CTRL | FB_CLEAR | GDS_CTRL,
	  .faults = "mmio_stale_data spectre_v2 bhi retbleed its ssb" },
	{ "Ice Lake-SP, 2023", INTEL, 0x606a6, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | PSCHANGE_NO | TAA_NO | FB_CLEAR | RRSBA | GDS_CTRL,
	  .faults = "mmio_stale_data spectre_v2 bhi its ssb" },
	{ "Tiger Lake", INTEL, 0x806c1, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | PSCHANGE_NO | TAA_NO | MMIO_NO | RRSBA, .faults = "gds spectre_v2 bhi its ssb" },
	{ "Rocket Lake", INTEL, 0xa0671, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS,
	  .caps = CASCADE | PSCHANGE_NO | TAA_NO | FB_CLEAR | RRSBA | GDS_CTRL,
	  .faults = "mmio_stale_data spectre_v2 bhi retbleed its ssb" },
	{ "Alder Lake", INTEL, 0x90672, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS, BHI_CTRL,
	  .caps = NEWEST | RFDS_CLEAR, .faults = "rfds spectre_v2 bhi ssb" },
	{ "Sapphire Rapids", INTEL, 0x806f8, AVX | RDRAND, RDSEED | RTM, SPEC_CTRL | MD_CLEAR | ARCH_CAPS, BHI_CTRL,
	  .caps = NEWEST | RFDS_NO, .faults = "spectre_v2 bhi ssb" },
	{ "Sierra Forest", INTEL, 0xa06f3, AVX | RDRAND, RDSEED, SPEC_CTRL | MD_CLEAR | ARCH_CAPS, BHI_CTRL,
	  .caps = NEWEST | RFDS_NO | BHI_NO, .faults = "spectre_v2 ssb" },
	{ "Silvermont", INTEL, 0x30678, RDRAND, 0, SPEC_CTRL | MD_CLEAR, .faults = "meltdown mds spectre_v2" },
	{ "Goldmont", INTEL, 0x506c9, RDRAND, RDSEED, SPEC_CTRL | ARCH_CAPS, .caps = RDCL_NO | SKIP_L1D,
	  .faults = "rfds spectre_v2 ssb" },
	{ "Snow Ridge", INTEL, 0x80665, RDRAND, RDSEED, SPEC_CTRL | ARCH_CAPS,
	  .caps = CASCADE | PSCHANGE_NO | TAA_NO | FB_CLEAR | GDS_NO | RFDS_CLEAR,
	  .faults = "mmio_stale_data rfds spectre_v2 bhi ssb" },
	{ "Knights Landing", INTEL, 0x50671, AVX | RDRAND, RDSEED, SPEC_CTRL, .faults = "meltdown mds spectre_v2" },
	{ "Opteron (K8)", AMD, 0x20f51, .faults = "spectre_v2 no_ibpb" },
	{ "K10", AMD, 0x100f42, .faults = "spectre_v2 no_ibpb" },
	{ "Bulldozer", AMD, 0x600f12, AVX, .faults = "spectre_v2 no_ibpb retbleed ssb" },
	{ "Piledriver, 2018", AMD, 0x600f20, AVX, 0, 0, 0, IBPB, .faults = "spectre_v2 retbleed ssb" },
	{ "Jaguar", AMD, 0x700f01, AVX, 0, 0, 0, IBPB, .faults = "spectre_v2 retbleed ssb" },
	{ "Zen 1 (Naples)", AMD, 0x800f12, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC,
	  .faults = "spectre_v2 retbleed ssb srso divider" },
	{ "Zen+ (Raven Ridge)", AMD, 0x810f10, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC,
	  .faults = "spectre_v2 retbleed ssb srso divider" },
	{ "Zen 2 (Rome), 2021", AMD, 0x830f10, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC, .microcode = 0x08301055,
	  .faults = "spectre_v2 retbleed ssb srso zenbleed" },
	{ "Zen 2 (Rome), 2023", AMD, 0x830f10, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC, .microcode = 0x0830107b,
	  .faults = "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Matisse)", AMD, 0x870f10, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC, .microcode = 0x08701021,
	  .faults = "spectre_v2 retbleed ssb srso zenbleed" },
	{ "Zen 2 (Renoir), 2023", AMD, 0x860f01, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC, .microcode = 0x0860010d,
	  .faults = "spectre_v2 retbleed ssb srso" },
	{ "Zen 2 (Van Gogh)", AMD, 0x890f02, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC, .microcode = 0x0890020b,
	  .faults = "spectre_v2 retbleed ssb srso zenbleed" },
	{ "Zen 3 (Milan)", AMD, 0xa00f11, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC | BTC_NO,
	  .faults = "spectre_v2 ssb srso tsa" },
	{ "Zen 3 (Milan), 2025", AMD, 0xa00f11, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC | BTC_NO, VERW_CLEAR,
	  .faults = "spectre_v2 ssb srso tsa" },
	{ "Zen 4 (Genoa)", AMD, 0xa10f11, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC | BTC_NO, AUTO_IBRS,
	  .faults = "spectre_v2 ssb srso tsa" },
	{ "Zen 4 (Genoa), 2025", AMD, 0xa10f11, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC | BTC_NO, AUTO_IBRS | VERW_CLEAR,
	  .faults = "spectre_v2 ssb srso tsa" },
	{ "Zen 5 (Turin)", AMD, 0xb00f21, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC | BTC_NO, SRSO_NO | AUTO_IBRS,
	  .faults = "spectre_v2 ssb" },
	{ "Hygon Dhyana", HYGON, 0x900f02, AVX | RDRAND, RDSEED, 0, 0, AMD_SPEC,
	  .faults = "spectre_v2 retbleed ssb srso" },
	{ "VIA Nano", VIA, 0x6f8, .faults = "unknown" },
	/* clang-format on */
};

static struct cpu_facts facts_of(unsigned int i)
{
	struct cpu_facts f = { .arch_capabilities = processors[i].caps,
			       .microcode = processors[i].microcode };

	/* As in a real list of leaves: in any order, with others in between. */
	cpu_facts_add_leaf(&f, 0x80000021, 0, processors[i].e21a, 0, processors[i].e21c, 0);
	cpu_facts_add_leaf(&f, 7, 1, ~0U, ~0U, ~0U, ~0U);
	cpu_facts_add_leaf(&f, 0x80000008, 0, ~0U, processors[i].e8b, ~0U, ~0U);
	cpu_facts_add_leaf(&f, 0, 0, ~0U, processors[i].vendor, ~0U, ~0U);
	cpu_facts_add_leaf(&f, 4, 2, ~0U, ~0U, ~0U, ~0U);
	cpu_facts_add_leaf(&f, 7, 0, ~0U, processors[i].f7b, ~0U, processors[i].f7d);
	cpu_facts_add_leaf(&f, 7, 2, ~0U, ~0U, ~0U, processors[i].f7_2d);
	cpu_facts_add_leaf(&f, 1, 0, processors[i].signature, ~0U, processors[i].f1c, ~0U);
	return f;
}

#endif
