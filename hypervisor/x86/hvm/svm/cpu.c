/* SPDX-License-Identifier: MIT */
/* SVM on a processor: whether it is there, on and off (AMD APM 2 15.2 to 15.4, 15.30). */
#include "x86/hvm/svm/svm.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"

#define MSR_VM_CR	  0xc0010114
#define VM_CR_SVMDIS	  BIT(4)
#define MSR_VM_HSAVE_PA	  0xc0010117
#define LEAF_SVM	  0x8000000a
#define SVM_NESTED_PAGING BIT(0)
#define SVM_NEXT_RIP	  BIT(3)

#define MSRPM_ORDER 1 /* 8 KiB */
#define IOPM_ORDER  2 /* 12 KiB */

struct svm_features svm_features;
DEFINE_PER_CPU(u64, svm_host_vmcb);
static DEFINE_PER_CPU(void *, host_save_area);
static DEFINE_PER_CPU(bool, enabled);
static u8 *msrpm, *iopm; /* [I] */

const char *svm_unusable(void)
{
	u64 vm_cr;
	struct cpuid_leaf l;

	if (!cpu_features.svm || cpu_features.max_ext_leaf < LEAF_SVM)
		return "the processor has no SVM";
	if (!rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS))
		return "the firmware has turned SVM off (look for SVM or virtualization in its "
		       "settings)";
	l = cpuid(LEAF_SVM, 0);
	if (!(l.d & SVM_NESTED_PAGING))
		return "the processor's SVM has no nested paging";
	if (l.b < 2)
		return "the processor has no ASIDs";
	svm_features.asids = l.b;
	svm_features.next_rip = l.d & SVM_NEXT_RIP;
	return NULL;
}

/* Two bits for each MSR: reads, writes (APM 2 15.11). */
static void let_through(u32 msr)
{
	unsigned int at = msr < 0x2000 ? msr * 2 : 0x800 * 8 + (msr - 0xc0000000) * 2;

	msrpm[at / 8] &= (u8) ~(3U << at % 8);
}

static int make_maps(void)
{
	/* Those that VMLOAD and VMSAVE switch. */
	static const u32 switched[] = {
		MSR_FS_BASE,
		MSR_GS_BASE,
		MSR_SHADOW_GS_BASE,
		MSR_STAR,
		MSR_LSTAR,
		MSR_CSTAR,
		MSR_SYSCALL_MASK,
		MSR_IA32_SYSENTER_CS,
		MSR_IA32_SYSENTER_ESP,
		MSR_IA32_SYSENTER_EIP,
	};

	msrpm = hv_alloc_pages(MSRPM_ORDER);
	iopm = hv_alloc_pages(IOPM_ORDER);
	if (!msrpm || !iopm)
		return -ENOMEM;
	memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
	memset(iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++)
		let_through(switched[i]);
	return 0;
}

u64 svm_msrpm(void)
{
	return virt_to_maddr(msrpm);
}

u64 svm_iopm(void)
{
	return virt_to_maddr(iopm);
}

int svm_cpu_prepare(unsigned int cpu)
{
	void *save = hv_alloc_pages(0), *host = hv_alloc_pages(0);

	if (!save || !host || (!msrpm && make_maps()))
		return -ENOMEM;
	per_cpu(host_save_area, cpu) = save;
	per_cpu(svm_host_vmcb, cpu) = virt_to_maddr(host);
	return 0;
}

/* The CPU has its own segments and MSRs: the entry code loads them after each exit. */
int svm_cpu_enable(void)
{
	u64 vm_cr;

	if (!rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS))
		return -EIO;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, virt_to_maddr(this_cpu(host_save_area)));
	__asm__ __volatile__("vmsave %0" : : "a"(this_cpu(svm_host_vmcb)) : "memory");
	this_cpu(enabled) = true;
	return 0;
}

/* What starts next on this machine must find SVM as after a reset. */
void svm_cpu_disable(void)
{
	if (!this_cpu(enabled))
		return;
	wrmsr(MSR_VM_HSAVE_PA, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SVME);
	this_cpu(enabled) = false;
}
