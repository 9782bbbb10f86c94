/* SPDX-License-Identifier: MIT */
/* A vCPU under hardware virtualization: its life, its switch, and what other vCPUs ask of it. */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/dev/mtrr.h"
#include "x86/hvm/kind.h"

#include "hv/arch/cpu.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/evtchn.h"
#include "hv/hv_heap.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/mm/paging.h"

int hvm_vcpu_create(struct vcpu *v)
{
	struct hvm_vcpu *hv = v->arch->hvm = hv_alloc(sizeof(*hv));
	int err;

	if (!hv)
		return -ENOMEM;
	hvm_apic_create(v);
	v->arch->cr3 = virt_to_maddr(v->domain->arch->hvm->monitor_l4);
	/* Such a guest masks events with its interrupt flag; this byte means nothing to it. */
	v->vcpu_info->evtchn_upcall_mask = 0;
	err = hvm_backend->vcpu_create(v);
	return err;
}

void hvm_vcpu_free(struct vcpu *v)
{
	if (!v->arch->hvm)
		return;
	hvm_apic_free(v);
	hvm_backend->vcpu_free(v);
	hv_free(v->arch->hvm);
	v->arch->hvm = NULL;
}

/* What a vCPU has before its first context, and after the guest's VCPUOP_... has reset it. */
void hvm_vcpu_reset(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_of(v);

	hv->upcall_vector = 0;
	hv->tsc_offset = 0;
	hvm_apic_reset(v);
	mtrr_reset(&hv->mtrr);
	hvm_reset_registers(v);
	hv->waits_for_startup = true;
}

void hvm_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *c)
{
	const struct hvm_vcpu *hv = hvm_of(v);
	struct hvm_segment seg;

	memset(c, 0, sizeof(*c));
	c->user_regs = v->arch->user_regs;
	hvm_backend->get_segment(v, SEG_CS, &seg);
	c->user_regs.cs = seg.selector;
	hvm_backend->get_segment(v, SEG_SS, &seg);
	c->user_regs.ss = seg.selector;
	c->ctrlreg[0] = hv->cr0;
	c->ctrlreg[2] = hv->cr2;
	c->ctrlreg[3] = hv->cr3;
	c->ctrlreg[4] = hv->cr4;
	memcpy(c->debugreg, v->arch->debugreg, sizeof(c->debugreg));
	c->debugreg[6] = hvm_backend->get_dr(v, 6);
	c->debugreg[7] = hvm_backend->get_dr(v, 7);
	c->flags = READ_ONCE(v->pause_flags) & VPF_DOWN ? 0 : VGCF_online;
}

/* --- the switch --- */

void hvm_save(struct vcpu *v)
{
	hvm_backend->save(v);
}

/*
 * An exit loads the hypervisor's selectors again from its own descriptor table, where those that a
 * paravirtualized guest left need not exist.
 */
void hvm_load(struct vcpu *v)
{
	__asm__ __volatile__("movl %0, %%ds\n\tmovl %0, %%es\n\tmovl %0, %%fs\n\tmovl %0, %%gs\n\t"
			     "lldt %w0"
			     :
			     : "r"(0)
			     : "memory");
	address_space_load(v);
	hvm_backend->load(v);
}

/* --- what others ask --- */

void hvm_send_nmi(struct vcpu *v)
{
	WRITE_ONCE(hvm_of(v)->nmi_pending, true);
	vcpu_notify(v);
}

/* v itself goes down at its next entry. If it waits for STARTUP there is nothing to do. */
void hvm_send_init(struct vcpu *v)
{
	if (READ_ONCE(hvm_of(v)->waits_for_startup))
		return;
	atomic_or(&hvm_of(v)->signals, HVM_SIGNAL_INIT);
	vcpu_notify(v);
}

/* Only the first STARTUP counts. The vector is read after the signal is seen. */
void hvm_send_startup(struct vcpu *v, u8 vector)
{
	struct hvm_vcpu *hv = hvm_of(v);
	struct domain *d = v->domain;

	if ((!READ_ONCE(hv->waits_for_startup) && !(READ_ONCE(hv->signals) & HVM_SIGNAL_INIT)) ||
	    (READ_ONCE(hv->signals) & HVM_SIGNAL_STARTUP))
		return;
	WRITE_ONCE(hv->startup_vector, vector);
	smp_wmb();
	atomic_or(&hv->signals, HVM_SIGNAL_STARTUP);
	spin_lock(&d->lock);
	v->is_initialised = true;
	atomic_and(&v->pause_flags, ~(u32)VPF_DOWN);
	spin_unlock(&d->lock);
	vcpu_wake(v);
}

void hvm_take_signals(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_of(v);
	u32 signals = atomic_xchg(&hv->signals, 0);

	if (signals & HVM_SIGNAL_INIT) {
		hvm_apic_reset(v);
		hvm_reset_registers(v);
		WRITE_ONCE(hv->waits_for_startup, true);
		atomic_or(&v->pause_flags, VPF_DOWN);
		/* A STARTUP after this sees that v waits. One from before has set its signal. */
		signals |= atomic_xchg(&hv->signals, 0) & ~(u32)HVM_SIGNAL_TIMER;
		if (signals & HVM_SIGNAL_STARTUP)
			atomic_and(&v->pause_flags, ~(u32)VPF_DOWN);
		else
			vcpu_sleep_nosync(v);
	}
	if (signals & HVM_SIGNAL_STARTUP) {
		hvm_startup_registers(v, READ_ONCE(hv->startup_vector));
		WRITE_ONCE(hv->waits_for_startup, false);
	}
	if (signals & HVM_SIGNAL_TIMER)
		hvm_apic_run_timer(v);
}
