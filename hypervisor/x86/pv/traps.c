/* SPDX-License-Identifier: MIT */
/*
 * A guest's exceptions: a handler for each that is not simply passed on to the guest's own handler.
 */
#include "x86/pv/entry.h"

#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include <xen/nmi.h>
#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/paging.h"
#include "x86/pv/bounce.h"

/*
 * A handler. `fact`: CR2 or DR6, read while interrupts were off, because the next exception
 * overwrites it.
 */
typedef void trap_handler_t(struct cpu_user_regs *regs, unsigned long fact);

static void debug(struct cpu_user_regs *regs, unsigned long fact)
{
	pv_note_dr6(fact);
	pv_inject_trap(X86_TRAP_DB, 0);
}

/* The IDT lets user mode execute INT3 and INTO, too; the guest's own table says whether it may. */
static void breakpoint(struct cpu_user_regs *regs, unsigned long fact)
{
	if (pv_software_interrupt_allowed(regs->entry_vector))
		pv_inject_software_interrupt(regs->entry_vector);
	else
		pv_inject_trap(X86_TRAP_GP, regs->entry_vector * 8 + 2);
}

/*
 * CR0.TS belongs to the guest (fpu_taskswitch). The hypervisor clears it before the guest's handler
 * runs (xen/xen.h).
 */
static void device_not_available(struct cpu_user_regs *regs, unsigned long fact)
{
	__asm__ __volatile__("clts");
	current->arch->stts = false;
	pv_inject_trap(X86_TRAP_NM, 0);
}

static __flatten void invalid_opcode(struct cpu_user_regs *regs, unsigned long fact)
{
	if (!pv_emulate_invalid_opcode(regs))
		pv_inject_trap(X86_TRAP_UD, 0);
}

/*
 * INT n that the IDT does not open to ring 3: a #GP whose error code has the IDT bit and the vector
 * (SDM 3A 6.13). The vector is read from the instruction, since QEMU's emulation gets the error
 * code wrong.
 */
static bool software_interrupt(struct cpu_user_regs *regs)
{
	u8 insn[15];

	if ((regs->error_code & 3) != 2 || pv_fetch_insn(regs, insn) < 2 || insn[0] != 0xcd)
		return false;
	if (pv_software_interrupt_allowed(insn[1])) {
		regs->rip += 2;
		pv_inject_software_interrupt(insn[1]);
	} else {
		pv_inject_trap(X86_TRAP_GP, insn[1] * 8U + 2);
	}
	return true;
}

static void general_protection(struct cpu_user_regs *regs, unsigned long fact)
{
	if (software_interrupt(regs))
		return;
	if (regs->error_code == 0 && pv_emulate_privileged(regs))
		return;
	pv_inject_trap(X86_TRAP_GP, regs->error_code);
}

/* INT 0x80 and 0x82, whose gates are open to ring 3: RIP is already past the instruction. */
static noinline void open_software_interrupt(struct cpu_user_regs *regs)
{
	unsigned int vector = regs->entry_vector;

	if (pv_software_interrupt_allowed(vector)) {
		pv_inject_software_interrupt(vector);
	} else {
		regs->rip -= 2;
		pv_inject_trap(X86_TRAP_GP, vector * 8 + 2);
	}
}

static bool in_ldt_mapping(const struct vcpu *v, unsigned long addr)
{
	return addr - perdomain_virt(v, PERDOMAIN_LDT_PAGE) < 16 * PAGE_SIZE;
}

static bool fixup_hypervisor_fault(const struct cpu_user_regs *regs, unsigned long addr)
{
	struct vcpu *v = current;
	bool fixed;

	/* Nothing of another kind of guest is mapped. */
	if (!v || v->is_idle || guest_ops(v->domain) != &pv_guest_ops)
		return false;
	if (is_hypervisor_address(addr))
		return in_ldt_mapping(v, addr) && pv_fault_fixup_ldt(addr);
	/* The hypervisor writes to the guest's memory, whose first writes are logged. */
	if (regs->rflags & X86_EFLAGS_IF)
		arch_irq_enable();
	fixed = log_dirty_fault(addr, regs->error_code);
	arch_irq_disable();
	return fixed;
}

static __flatten void page_fault(struct cpu_user_regs *regs, unsigned long cr2)
{
	struct vcpu *v = current;

	if (unlikely(is_hypervisor_address(cr2))) {
		/* The processor reads the descriptor of a selector in the guest's LDT. */
		if (in_ldt_mapping(v, cr2) && pv_fault_fixup_ldt(cr2))
			return;
	} else if (log_dirty_fault(cr2, regs->error_code)) {
		return;
	} else if ((regs->error_code & (PFEC_WRITE | PFEC_PRESENT)) ==
			   (PFEC_WRITE | PFEC_PRESENT) &&
		   !(regs->error_code & PFEC_RESERVED) && pv_of(v)->in_kernel) {
		if (pv_fault_emulate_pt_write(regs, cr2, regs->error_code))
			return;
	}
	pv_inject_page_fault(cr2, regs->error_code);
}

static void non_maskable(struct cpu_user_regs *regs, unsigned long fact)
{
	nmi_handle();
	nmi_unblock();
}

static void fatal(struct cpu_user_regs *regs, unsigned long fact)
{
	trap_fatal(regs, fact);
}

/* An exception without a row is passed on to the guest unchanged. */
static trap_handler_t *const trap_handlers[32] = {
	[X86_TRAP_DB] = debug,		[X86_TRAP_NMI] = non_maskable,
	[X86_TRAP_BP] = breakpoint,	[X86_TRAP_OF] = breakpoint,
	[X86_TRAP_UD] = invalid_opcode, [X86_TRAP_NM] = device_not_available,
	[X86_TRAP_DF] = fatal,		[X86_TRAP_GP] = general_protection,
	[X86_TRAP_PF] = page_fault,	[X86_TRAP_MC] = fatal,
};

__flatten void trap_from_guest(struct cpu_user_regs *regs)
{
	unsigned int vector = regs->entry_vector;
	unsigned long fact = 0;

	if (vector >= 32) {
		if (vector == GUEST_INT80 || vector == GUEST_INT82)
			open_software_interrupt(regs);
		else
			interrupt_dispatch(regs, vector);
		return;
	}
	if (vector == X86_TRAP_PF) {
		fact = read_cr2();
	} else if (vector == X86_TRAP_DB) {
		fact = read_dr6();
		write_dr6(0xffff0ff0);
	}
	/* An NMI blocks other NMIs until its IRET, and its handler does not expect interrupts. */
	if (vector != X86_TRAP_NMI && vector != X86_TRAP_MC)
		arch_irq_enable();
	if (trap_handlers[vector])
		trap_handlers[vector](regs, fact);
	else
		pv_inject_trap(vector, regs->error_code);
	/* Deliver the exception here: the exit path does much more. */
	if (pv_of(current)->bounce.flags & TBF_EXCEPTION)
		pv_deliver_exception(current, regs);
}

void pv_send_nmi(struct vcpu *v)
{
	/* Without a callback a pending NMI would only slow each exit down. */
	if (!READ_ONCE(pv_of(v)->nmi_callback_eip))
		return;
	pv_of(v)->bounce.nmi_pending = true;
	vcpu_notify(v);
}

/*
 * Does only what an NMI handler may: no lock, no printing, no IPI. Domain-0's vCPU 0 finds the NMI
 * at its next exit.
 */
static void dom0_nmi(u8 reason)
{
	struct domain *d = dom0;
	struct vcpu *v = d && d->max_vcpus && d->vcpus ? d->vcpus[0] : NULL;

	if (!v || !pv_of(v)->nmi_callback_eip)
		return;
	atomic_or(&d->shared_info->arch.nmi_reason, reason & 0x80 ? XEN_NMIREASON_pci_serr :
						    reason & 0x40 ? XEN_NMIREASON_io_error :
								    XEN_NMIREASON_unknown);
	pv_of(v)->bounce.nmi_pending = true;
}

const struct ring3_ops ring3 = {
	.trap = entry_ring3_trap,
	.fixup_fault = fixup_hypervisor_fault,
	.nmi = dom0_nmi,
};
