/* SPDX-License-Identifier: MIT */
/*
 * A guest's data segment registers, and the bases of FS and GS. They keep the guest's values while
 * the hypervisor runs; only loading another vCPU changes them.
 *
 * MSR_SHADOW_GS_BASE holds the GS base of the mode that the guest is not in, so that SWAPGS
 * switches modes.
 */
#include "x86/pv/bounce.h"

#include "x86/cpu/extable.h"
#include "x86/cpu/feature.h"

#define SEGMENT_ACCESSORS(seg)                                                         \
	static inline u16 read_##seg(void)                                             \
	{                                                                              \
		u16 sel;                                                               \
		__asm__ __volatile__("movw %%" #seg ", %0" : "=rm"(sel));              \
		return sel;                                                            \
	}                                                                              \
	/* A selector that the processor refuses becomes the null selector: false. */  \
	static bool load_##seg(unsigned int sel)                                       \
	{                                                                              \
		unsigned int bad = 0;                                                  \
		__asm__ __volatile__("1: movl %1, %%" #seg "\n"                        \
				     "2:\n"                                            \
				     "\t.pushsection .text.fixup, \"ax\", @progbits\n" \
				     "3: xorl %0, %0\n"                                \
				     "\tmovl %0, %%" #seg "\n"                         \
				     "\tmovl $1, %0\n"                                 \
				     "\tjmp 2b\n"                                      \
				     "\t.popsection\n" EXTABLE_C(1b, 3b)               \
				     : "+&r"(bad)                                      \
				     : "r"(sel)                                        \
				     : "memory");                                      \
		return !bad;                                                           \
	}
SEGMENT_ACCESSORS(ds)
SEGMENT_ACCESSORS(es)
SEGMENT_ACCESSORS(fs)
SEGMENT_ACCESSORS(gs)

static inline void swapgs(void)
{
	__asm__ __volatile__("swapgs" ::: "memory");
}

unsigned long pv_read_fs_base(void)
{
	unsigned long base;

	if (!cpu_features.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ __volatile__("rdfsbase %0" : "=r"(base));
	return base;
}

unsigned long pv_read_gs_base(void)
{
	unsigned long base;

	if (!cpu_features.fsgsbase)
		return rdmsr(MSR_GS_BASE);
	__asm__ __volatile__("rdgsbase %0" : "=r"(base));
	return base;
}

unsigned long pv_read_shadow_gs_base(void)
{
	return rdmsr(MSR_SHADOW_GS_BASE);
}

void pv_write_fs_base(unsigned long base)
{
	if (cpu_features.fsgsbase)
		__asm__ __volatile__("wrfsbase %0" : : "r"(base));
	else
		wrmsr(MSR_FS_BASE, base);
}

void pv_write_gs_base(unsigned long base)
{
	if (cpu_features.fsgsbase)
		__asm__ __volatile__("wrgsbase %0" : : "r"(base));
	else
		wrmsr(MSR_GS_BASE, base);
}

void pv_write_shadow_gs_base(unsigned long base)
{
	wrmsr(MSR_SHADOW_GS_BASE, base);
}

void pv_read_selectors(struct cpu_user_regs *regs)
{
	regs->ds = read_ds();
	regs->es = read_es();
	regs->fs = read_fs();
	regs->gs = read_gs();
}

/*
 * The hypervisor does not use GS, so an interrupt between the two SWAPGS is harmless. No context
 * switch happens here.
 */
void pv_load_user_gs_selector(u16 sel)
{
	swapgs();
	(void)load_gs(sel);
	swapgs();
}

void pv_save_segments(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	unsigned long gs = pv_read_gs_base(), shadow = pv_read_shadow_gs_base();

	pv_read_selectors(&v->arch->user_regs);
	pv->fs_base = pv_read_fs_base();
	pv->gs_base_kernel = pv->in_kernel ? gs : shadow;
	pv->gs_base_user = pv->in_kernel ? shadow : gs;
}

/*
 * v is current, its registers are in guest_regs, and its address space, GDT and LDT are loaded. A
 * selector that its tables no longer have becomes null, and the failsafe callback tells the guest.
 */
void pv_load_segments(struct vcpu *v)
{
	const struct pv_vcpu *pv = pv_of(v);
	const struct cpu_user_regs *regs = &v->arch->user_regs;
	bool ok;

	ok = load_ds(regs->ds);
	ok &= load_es(regs->es);
	ok &= load_fs(regs->fs);
	ok &= load_gs(regs->gs);
	/* Loading a selector also changes the base. */
	pv_write_fs_base(pv->fs_base);
	pv_write_gs_base(pv->in_kernel ? pv->gs_base_kernel : pv->gs_base_user);
	pv_write_shadow_gs_base(pv->in_kernel ? pv->gs_base_user : pv->gs_base_kernel);
	if (!ok)
		pv_queue_failsafe();
}
