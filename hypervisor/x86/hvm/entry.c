/* SPDX-License-Identifier: MIT */
/*
 * The way into the guest: what is due in the hypervisor, then the one event that the guest's next
 * instruction takes. One at most: with more waiting, the guest exits again as soon as it can take
 * the next (the interrupt window).
 */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/softirq.h"
#include "x86/cpu/entry.h"

/* --- exceptions --- */

/* Those whose handler's own exception makes a double fault (SDM 3A 6.15, table 6-5). */
#define CONTRIBUTORY                                                                 \
	(BIT(X86_TRAP_DE) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) | \
	 BIT(X86_TRAP_GP))

static bool is_contributory(unsigned int vector)
{
	return vector < 32 && (CONTRIBUTORY & BIT(vector));
}

void hvm_inject_exception(struct vcpu *v, unsigned int vector, u32 error_code)
{
	struct hvm_event *e = &hvm_of(v)->event;
	bool second = e->valid && e->type == HVM_EVENT_EXCEPTION;

	if (second && e->vector == X86_TRAP_DF) {
		domain_crash(v->domain, "vCPU %u: triple fault at %#lx", v->id,
			     guest_cpu_user_regs()->rip);
		return;
	}
	if (second &&
	    ((is_contributory(e->vector) && is_contributory(vector)) ||
	     (e->vector == X86_TRAP_PF && (vector == X86_TRAP_PF || is_contributory(vector))))) {
		vector = X86_TRAP_DF;
		error_code = 0;
	}
	*e = (struct hvm_event){
		.vector = (u8)vector,
		.type = HVM_EVENT_EXCEPTION,
		.valid = true,
		.has_error_code = trap_has_error_code(vector),
		.error_code = error_code,
	};
}

void hvm_inject_page_fault(struct vcpu *v, u64 address, u32 error_code)
{
	hvm_of(v)->cr2 = address;
	hvm_backend->update_cr(v);
	hvm_inject_exception(v, X86_TRAP_PF, error_code);
}

/* --- interrupts --- */

static bool vector_in(const struct vlapic *l, unsigned int offset, u8 vector)
{
	return READ_ONCE(l->reg[offset / 16 + vector / 32]) >> (vector % 32) & 1;
}

/*
 * Events raise the vCPU's own vector in its APIC, if it has set one. While that is pending or in
 * service, nothing more is raised: events that came meanwhile are seen at its EOI.
 */
static void raise_upcall(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_of(v);

	if (hv->upcall_vector && READ_ONCE(v->vcpu_info->evtchn_upcall_pending) &&
	    !vector_in(&hv->vlapic, VLAPIC_IRR, hv->upcall_vector) &&
	    !vector_in(&hv->vlapic, VLAPIC_ISR, hv->upcall_vector))
		(void)vlapic_accept(&hv->vlapic, hv->upcall_vector, false);
}

/* The domain's vector for events needs no EOI, so it does not go through the APIC. */
static unsigned int callback_due(const struct vcpu *v)
{
	return !hvm_of(v)->upcall_vector && READ_ONCE(v->vcpu_info->evtchn_upcall_pending) ?
		       READ_ONCE(v->domain->arch->hvm->callback_vector) :
		       0;
}

bool hvm_has_interrupt(const struct vcpu *v)
{
	const struct hvm_vcpu *hv = hvm_of(v);

	return (READ_ONCE(hv->nmi_pending) && !hv->nmi_blocked) || READ_ONCE(hv->signals) ||
	       vlapic_pending(&hv->vlapic) >= 0;
}

static void inject(struct vcpu *v, unsigned int vector, u8 type)
{
	hvm_of(v)->event = (struct hvm_event){
		.vector = (u8)vector,
		.type = type,
		.valid = true,
	};
}

static void choose_event(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_of(v);
	unsigned int callback;
	int vector;

	if (unlikely(READ_ONCE(hv->nmi_pending)) && !hv->nmi_blocked && !hv->event.valid &&
	    !hvm_backend->in_shadow(v)) {
		WRITE_ONCE(hv->nmi_pending, false);
		hv->nmi_blocked = true;
		hvm_backend->want_nmi_end(v, true);
		inject(v, X86_TRAP_NMI, HVM_EVENT_NMI);
	}
	raise_upcall(v);
	callback = callback_due(v);
	vector = vlapic_pending(&hv->vlapic);
	if (!callback && vector < 0)
		return;
	if (hv->event.valid || !hvm_backend->can_take_interrupt(v)) {
		hvm_backend->want_interrupt_window(v, true);
		return;
	}
	if (callback) {
		inject(v, callback, HVM_EVENT_INTERRUPT);
	} else {
		vlapic_ack(&hv->vlapic, (u8)vector);
		inject(v, (unsigned int)vector, HVM_EVENT_INTERRUPT);
		vector = vlapic_pending(&hv->vlapic);
	}
	if (vector >= 0)
		hvm_backend->want_interrupt_window(v, true);
}

void hvm_prepare_entry(struct vcpu *v)
{
	arch_irq_disable();
	do {
		while (softirq_is_pending()) {
			arch_irq_enable();
			softirq_run();
			arch_irq_disable();
		}
		if (unlikely(READ_ONCE(hvm_of(v)->signals)))
			hvm_take_signals(v);
		else
			choose_event(v);
	} while (unlikely(softirq_is_pending() || READ_ONCE(hvm_of(v)->signals)));
}
