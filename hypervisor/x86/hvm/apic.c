/* SPDX-License-Identifier: MIT */
/*
 * The virtual local APIC's surroundings. dev/vlapic.c decides; this does what follows: interrupts
 * for other vCPUs, and a timer of the hypervisor for the APIC's own.
 */
#include "x86/hvm/apic.h"

#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/evtchn.h"
#include "lib/errno.h"
#include "x86/cpu/policy.h"
#include "x86/cpu/regs.h"
#include "x86/guest/guest_ops.h"

/* xAPIC IDs are even (x86/guest/cpuid.c). */
#define APIC_ID(vcpu) ((vcpu)*2)

struct vlapic_time hvm_apic_now(const struct vcpu *v)
{
	return (struct vlapic_time){
		.ns = (u64)time_now(),
		.tsc = rdtsc() + hvm_of(v)->tsc_offset,
		.tsc_khz = (u32)time_tsc_khz(),
	};
}

static u32 features(const struct vcpu *v)
{
	const xen_cpuid_leaf_t *l = cpu_policy_find(guest_cpu_policy(v->domain), 1, 0);

	return l ? (l->c & BIT(21) ? VLAPIC_HAS_X2APIC : 0U) |
			       (l->c & BIT(24) ? VLAPIC_HAS_DEADLINE : 0U) :
		   0;
}

u8 hvm_phys_bits(const struct vcpu *v)
{
	const xen_cpuid_leaf_t *l = cpu_policy_find(guest_cpu_policy(v->domain), 0x80000008, 0);

	return l ? (u8)l->a : 36;
}

/* The timer's softirq may run on any CPU; v itself lets the APIC's timer catch up. */
static void timer_due(void *data)
{
	struct vcpu *v = data;

	atomic_or(&hvm_of(v)->signals, HVM_SIGNAL_TIMER);
	vcpu_notify(v);
}

void hvm_apic_create(struct vcpu *v)
{
	timer_init(&hvm_of(v)->apic_timer, timer_due, v, v->processor);
	vlapic_create(&hvm_of(v)->vlapic, APIC_ID(v->id), v->id == 0, features(v),
		      hvm_phys_bits(v));
}

void hvm_apic_free(struct vcpu *v)
{
	timer_kill(&hvm_of(v)->apic_timer);
}

void hvm_apic_reset(struct vcpu *v)
{
	timer_stop(&hvm_of(v)->apic_timer);
	hvm_of(v)->vlapic.features = features(v);
	vlapic_init(&hvm_of(v)->vlapic);
}

void hvm_apic_raise(struct vcpu *v, u8 vector)
{
	if (vlapic_accept(&hvm_of(v)->vlapic, vector, false))
		vcpu_notify(v);
}

static void set_timer(struct vcpu *v)
{
	const struct vlapic_time now = hvm_apic_now(v);
	u64 next = vlapic_timer_next(&hvm_of(v)->vlapic, &now);
	struct timer *t = &hvm_of(v)->apic_timer;

	if (next) {
		timer_migrate(t, smp_processor_id());
		timer_set(t, (s_time_t)next);
	} else {
		timer_stop(t);
	}
}

void hvm_apic_run_timer(struct vcpu *v)
{
	const struct vlapic_time now = hvm_apic_now(v);
	struct vlapic_out out = { 0 };

	vlapic_timer_run(&hvm_of(v)->vlapic, &now, &out);
	out.flags |= VLAPIC_OUT_TIMER;
	hvm_apic_follow(v, &out);
}

static void deliver(struct vcpu *v, const struct vlapic_ipi *ipi)
{
	switch (ipi->mode) {
	case VLAPIC_FIXED:
	case VLAPIC_LOWEST:
		hvm_apic_raise(v, ipi->vector);
		break;
	case VLAPIC_NMI:
		hvm_send_nmi(v);
		break;
	case VLAPIC_INIT:
		hvm_send_init(v);
		break;
	case VLAPIC_STARTUP:
		hvm_send_startup(v, ipi->vector);
		break;
	default: /* there is no SMI handler, and no 8259 */
		break;
	}
}

static void send(struct vcpu *from, const struct vlapic_ipi *ipi)
{
	const struct vlapic *l = &hvm_of(from)->vlapic;
	struct vcpu *v, *lowest = NULL;

	for_each_vcpu(from->domain, v) {
		if (!vlapic_is_dest(&hvm_of(v)->vlapic, l, ipi))
			continue;
		if (ipi->mode != VLAPIC_LOWEST)
			deliver(v, ipi);
		else if (!lowest || vlapic_is_lower(&hvm_of(v)->vlapic, &hvm_of(lowest)->vlapic))
			lowest = v;
	}
	if (lowest)
		deliver(lowest, ipi);
}

void hvm_apic_follow(struct vcpu *v, const struct vlapic_out *out)
{
	if (out->flags & VLAPIC_OUT_IPI)
		send(v, &out->ipi);
	if (out->flags & VLAPIC_OUT_TIMER)
		set_timer(v);
}

bool hvm_apic_has_msr(u32 msr)
{
	return msr - MSR_X2APIC_FIRST <= 0xff || msr == MSR_IA32_APIC_BASE ||
	       msr == MSR_IA32_TSC_DEADLINE;
}

int hvm_apic_read_msr(struct vcpu *v, u32 msr, u64 *value)
{
	struct vlapic *l = &hvm_of(v)->vlapic;
	const struct vlapic_time now = hvm_apic_now(v);

	if (msr == MSR_IA32_APIC_BASE) {
		*value = l->apic_base;
		return 0;
	}
	return msr == MSR_IA32_TSC_DEADLINE ? vlapic_read_deadline(l, &now, value) :
					      vlapic_read_msr(l, msr, &now, value);
}

int hvm_apic_write_msr(struct vcpu *v, u32 msr, u64 value)
{
	struct vlapic *l = &hvm_of(v)->vlapic;
	const struct vlapic_time now = hvm_apic_now(v);
	struct vlapic_out out = { 0 };
	int err;

	if (msr == MSR_IA32_APIC_BASE)
		err = vlapic_set_base(l, value, &out);
	else if (msr == MSR_IA32_TSC_DEADLINE)
		err = vlapic_write_deadline(l, value, &now, &out);
	else
		err = vlapic_write_msr(l, msr, value, &now, &out);
	if (!err)
		hvm_apic_follow(v, &out);
	return err;
}
