/* SPDX-License-Identifier: MIT */
/* The interface of x86/pv's files, for each other, entry.S and boot. */
#ifndef X86_PV_PV_H
#define X86_PV_PV_H

#include "hv/frame.h"
#include "x86/arch_domain.h"
#include "x86/cpu/policy.h"
#include "x86/cpu/regs.h"

/* --- traps towards the guest (bounce.c) --- */
/*
 * Queues an exception for the current guest, delivered on the way out. error_code is ignored if the
 * vector has none.
 */
void pv_inject_trap(unsigned int vector, u32 error_code);
void pv_inject_page_fault(unsigned long addr, u32 error_code);

/* --- page tables (mmu*.c) --- */
/* Handlers of #PF, tried by the trap code. True: handled, run the guest again. */
bool pv_fault_fixup_ldt(unsigned long addr);
/* Emulates a guest's write to its own page table, which it has mapped read-only. */
bool pv_fault_emulate_pt_write(struct cpu_user_regs *regs, unsigned long addr, u32 error_code);
/* Switches the current vCPU between kernel and user mode: the other L4, the other GS base. */
void pv_toggle_mode(struct vcpu *v);
/* Computes v->arch->cr3 from guest_table, guest_table_user and in_kernel. */
void pv_update_cr3(struct vcpu *v);
/*
 * Sets a new kernel L4 (set_context, NEW_BASEPTR). 0, -EINVAL, -EBUSY, -ERESTART. mmu_lock not
 * held.
 */
int __must_check pv_new_guest_l4(struct vcpu *v, mfn_t mfn);
int __must_check pv_vcpu_drop_page_tables(struct vcpu *v); /* 0 or -ERESTART */
/* Unpins and frees every page of d. 0 or -ERESTART. */
int __must_check pv_domain_relinquish(struct domain *d);
/*
 * Pins d's frame as a table of `type` (PGT_L1 to PGT_L4), as MMUEXT_PIN_Ln_TABLE does. For boot
 * only, so never preempted.
 */
int __must_check pv_pin_table(struct domain *d, mfn_t mfn, u64 type);
/* Reads the guest L1 entry that maps addr in the current address space; 0: none. */
u64 pv_read_guest_l1e(unsigned long addr);
/* Copies the instruction bytes at the guest's RIP. Returns the number copied, 0 to 15. */
unsigned int pv_fetch_insn(const struct cpu_user_regs *regs, u8 buf[15]);

/* --- descriptors (descriptors.c) --- */
int __must_check pv_set_gdt(struct vcpu *v, const unsigned long *frames, unsigned int entries);
void pv_destroy_gdt(struct vcpu *v);
void pv_destroy_ldt(struct vcpu *v);

/* --- privileged instructions (emulate.c) --- */
/* #GP and #UD of the guest. True: the instruction was emulated, or another trap was injected. */
bool pv_emulate_privileged(struct cpu_user_regs *regs);
bool pv_emulate_invalid_opcode(struct cpu_user_regs *regs); /* CPUID with Xen's prefix */
bool pv_io_port_allowed(const struct vcpu *v, unsigned int port, unsigned int bytes);
/* --- what guest_ops of this kind does (x86/guest/guest_ops.h) --- */
void pv_hypercall_page_init(void *page);
void pv_vcpu_init(struct vcpu *v);
int __must_check pv_vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx);
void pv_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *ctx);
void pv_vcpu_get_ext_context(const struct vcpu *v, struct xen_domctl_ext_vcpucontext *e);
int __must_check pv_vcpu_set_ext_context(struct vcpu *v,
					 const struct xen_domctl_ext_vcpucontext *e);
void pv_send_nmi(struct vcpu *v);
bool pv_nmi_deliverable(const struct vcpu *v);

/* --- segment selectors and bases of a vCPU (segments.c) --- */
void pv_load_segments(struct vcpu *v);
void pv_save_segments(struct vcpu *v);

/* --- Domain-0 (dom0_build.c) --- */
struct boot_module {
	paddr_t start;
	size_t size;
	const char *cmdline;
};
struct dom0_vga_console_info;
/*
 * Builds Domain-0, paused, from the boot modules (ramdisk may be NULL). screen: what its kernel is
 * told of the screen, NULL: nothing. Panics with one clear line
 * on failure. The caller gives the permissions for hardware.
 */
struct domain *dom0_build(const struct boot_module *kernel, const struct boot_module *ramdisk,
			  const struct dom0_vga_console_info *screen);

#endif
