/* SPDX-License-Identifier: MIT */
/*
 * Control registers, MSRs and flags (Intel SDM volume 3 chapter 2 and volume 4; AMD APM volume 2
 * chapter 3 and appendix A), and the instructions that reach them.
 */
#ifndef X86_CPU_REGS_H
#define X86_CPU_REGS_H

#define X86_CR0_PE 0x00000001
#define X86_CR0_MP 0x00000002
#define X86_CR0_EM 0x00000004
#define X86_CR0_TS 0x00000008
#define X86_CR0_ET 0x00000010
#define X86_CR0_NE 0x00000020
#define X86_CR0_WP 0x00010000
#define X86_CR0_AM 0x00040000
#define X86_CR0_NW 0x20000000
#define X86_CR0_CD 0x40000000
#define X86_CR0_PG 0x80000000

#define X86_CR4_VME	   0x00000001
#define X86_CR4_PVI	   0x00000002
#define X86_CR4_TSD	   0x00000004
#define X86_CR4_DE	   0x00000008
#define X86_CR4_PSE	   0x00000010
#define X86_CR4_PAE	   0x00000020
#define X86_CR4_MCE	   0x00000040
#define X86_CR4_PGE	   0x00000080
#define X86_CR4_PCE	   0x00000100
#define X86_CR4_OSFXSR	   0x00000200
#define X86_CR4_OSXMMEXCPT 0x00000400
#define X86_CR4_UMIP	   0x00000800
#define X86_CR4_FSGSBASE   0x00010000
#define X86_CR4_PCIDE	   0x00020000
#define X86_CR4_OSXSAVE	   0x00040000
#define X86_CR4_SMEP	   0x00100000
#define X86_CR4_SMAP	   0x00200000
#define X86_CR4_PKE	   0x00400000

#define X86_EFLAGS_CF	0x00000001
#define X86_EFLAGS_MBS	0x00000002
#define X86_EFLAGS_PF	0x00000004
#define X86_EFLAGS_AF	0x00000010
#define X86_EFLAGS_ZF	0x00000040
#define X86_EFLAGS_SF	0x00000080
#define X86_EFLAGS_TF	0x00000100
#define X86_EFLAGS_IF	0x00000200
#define X86_EFLAGS_DF	0x00000400
#define X86_EFLAGS_OF	0x00000800
#define X86_EFLAGS_IOPL 0x00003000
#define X86_EFLAGS_NT	0x00004000
#define X86_EFLAGS_RF	0x00010000
#define X86_EFLAGS_VM	0x00020000
#define X86_EFLAGS_AC	0x00040000
#define X86_EFLAGS_VIF	0x00080000
#define X86_EFLAGS_VIP	0x00100000
#define X86_EFLAGS_ID	0x00200000

#define X86_TRAP_DE  0
#define X86_TRAP_DB  1
#define X86_TRAP_NMI 2
#define X86_TRAP_BP  3
#define X86_TRAP_OF  4
#define X86_TRAP_BR  5
#define X86_TRAP_UD  6
#define X86_TRAP_NM  7
#define X86_TRAP_DF  8
#define X86_TRAP_TS  10
#define X86_TRAP_NP  11
#define X86_TRAP_SS  12
#define X86_TRAP_GP  13
#define X86_TRAP_PF  14
#define X86_TRAP_MF  16
#define X86_TRAP_AC  17
#define X86_TRAP_MC  18
#define X86_TRAP_XM  19

/* Page-fault error code, SDM 3A 4.7. */
#define PFEC_PRESENT  0x1
#define PFEC_WRITE    0x2
#define PFEC_USER     0x4
#define PFEC_RESERVED 0x8
#define PFEC_FETCH    0x10

#define MSR_IA32_TSC	      0x10
#define MSR_IA32_APIC_BASE    0x1b
#define MSR_IA32_SPEC_CTRL    0x48
#define MSR_IA32_PRED_CMD     0x49
#define MSR_IA32_ARCH_CAPS    0x10a
#define MSR_IA32_MISC_ENABLE  0x1a0
#define MSR_IA32_SYSENTER_CS  0x174
#define MSR_IA32_SYSENTER_ESP 0x175
#define MSR_IA32_SYSENTER_EIP 0x176
#define MSR_IA32_PAT	      0x277
#define MSR_IA32_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_FIRST      0x800
#define MSR_EFER	      0xc0000080
#define MSR_STAR	      0xc0000081
#define MSR_LSTAR	      0xc0000082
#define MSR_CSTAR	      0xc0000083
#define MSR_SYSCALL_MASK      0xc0000084
#define MSR_FS_BASE	      0xc0000100
#define MSR_GS_BASE	      0xc0000101
#define MSR_SHADOW_GS_BASE    0xc0000102
#define MSR_TSC_AUX	      0xc0000103

#define EFER_SCE       0x001
#define EFER_LME       0x100
#define EFER_LMA       0x400
#define EFER_NX	       0x800
#define EFER_SVME      0x1000
#define EFER_FFXSE     0x4000
#define EFER_AUTO_IBRS 0x200000

#ifndef __ASSEMBLY__
#include "lib/types.h"

/*
 * Are bits 63 to 47 equal? An address where they are not must never get into RIP, a segment base or
 * a debug register.
 */
static inline bool is_canonical(unsigned long addr)
{
	return (unsigned long)((long)(addr << 16) >> 16) == addr;
}

#define X86_REG_ACCESSORS(reg)                                                 \
	static inline unsigned long read_##reg(void)                           \
	{                                                                      \
		unsigned long v;                                               \
		__asm__ __volatile__("mov %%" #reg ", %0" : "=r"(v));          \
		return v;                                                      \
	}                                                                      \
	static inline void write_##reg(unsigned long v)                        \
	{                                                                      \
		__asm__ __volatile__("mov %0, %%" #reg : : "r"(v) : "memory"); \
	}
X86_REG_ACCESSORS(cr0)
X86_REG_ACCESSORS(cr2)
X86_REG_ACCESSORS(cr3)
X86_REG_ACCESSORS(cr4)
X86_REG_ACCESSORS(cr8)
X86_REG_ACCESSORS(dr0)
X86_REG_ACCESSORS(dr1)
X86_REG_ACCESSORS(dr2)
X86_REG_ACCESSORS(dr3)
X86_REG_ACCESSORS(dr6)
X86_REG_ACCESSORS(dr7)

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | ((u64)hi << 32);
}
static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ __volatile__("wrmsr"
			     :
			     : "c"(msr), "a"((u32)(v & 0xffffffff)), "d"((u32)(v >> 32))
			     : "memory");
}
/*
 * RDMSR with its fault caught. 0, or -EFAULT if the CPU does not have the MSR; *v is 0 then.
 * (x86/cpu/extable.c)
 */
int __must_check rdmsr_safe(u32 msr, u64 *v);
/* The same for WRMSR: -EFAULT if the CPU has not the MSR, or refuses the value. */
int __must_check wrmsr_safe(u32 msr, u64 v);

struct cpuid_leaf {
	u32 a, b, c, d;
};
static inline struct cpuid_leaf cpuid(u32 leaf, u32 sub)
{
	struct cpuid_leaf r;

	__asm__ __volatile__("cpuid"
			     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			     : "a"(leaf), "c"(sub));
	return r;
}
static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | ((u64)hi << 32);
}
static inline u64 rdtsc_ordered(void)
{
	__asm__ __volatile__("lfence" ::: "memory");
	return rdtsc();
}
static inline void invlpg(unsigned long va)
{
	__asm__ __volatile__("invlpg (%0)" : : "r"(va) : "memory");
}
static inline void sfence(void)
{
	__asm__ __volatile__("sfence" : : : "memory");
}
static inline void outb(u16 port, u8 v)
{
	__asm__ __volatile__("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline void outw(u16 port, u16 v)
{
	__asm__ __volatile__("outw %0, %1" : : "a"(v), "Nd"(port));
}
static inline void outl(u16 port, u32 v)
{
	__asm__ __volatile__("outl %0, %1" : : "a"(v), "Nd"(port));
}
static inline u8 inb(u16 port)
{
	u8 v;
	__asm__ __volatile__("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u16 inw(u16 port)
{
	u16 v;
	__asm__ __volatile__("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u32 inl(u16 port)
{
	u32 v;
	__asm__ __volatile__("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
/*
 * Access to user-mode pages: a no-op of three bytes, which boot replaces by STAC or CLAC if the CPU
 * has SMAP. The list of these places (address, kind) is freed after boot.
 */
#define X86_SMAP_SITE(kind)                                     \
	"771: .byte 0x0f, 0x1f, 0x00\n"                         \
	"\t.pushsection .init.alternatives, \"a\", @progbits\n" \
	"\t.quad 771b, " #kind "\n"                             \
	"\t.popsection\n"
static __always_inline void stac(void)
{
	__asm__ __volatile__(X86_SMAP_SITE(0)::: "memory");
}
static __always_inline void clac(void)
{
	__asm__ __volatile__(X86_SMAP_SITE(1)::: "memory");
}
#else
/* clang-format off */
.macro SMAP_SITE kind
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .init.alternatives, "a", @progbits
	.quad 771b, \kind
	.popsection
.endm
#define STAC SMAP_SITE 0
#define CLAC SMAP_SITE 1
/* clang-format on */
#endif

#endif
