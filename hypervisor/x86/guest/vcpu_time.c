/* SPDX-License-Identifier: MIT */
/*
 * Time as guests see it: struct vcpu_time_info and the wall clock (xen/xen.h). A reader may run on
 * another vCPU. So each update increments the version before and after; an odd version marks an
 * update under way.
 */
#include "hv/arch/time.h"

#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "hv/sched.h"
#include "x86/cpu/clock.h"
#include "x86/guest/guest_ops.h"

/* Every field but the version. */
static void time_info_fill(struct vcpu_time_info *t)
{
	struct time_calibration c;

	time_get_calibration(&c);
	t->tsc_timestamp = c.tsc_base;
	t->system_time = (u64)c.stime_base;
	t->tsc_to_system_mul = c.scale.mul;
	t->tsc_shift = c.scale.shift;
	t->flags = 0;
}

static void publish_in_vcpu_info(struct vcpu *v, const struct vcpu_time_info *new)
{
	struct vcpu_time_info *t = &v->vcpu_info->time;
	u32 version = READ_ONCE(t->version) | 1;

	WRITE_ONCE(t->version, version);
	smp_wmb();
	t->tsc_timestamp = new->tsc_timestamp;
	t->system_time = new->system_time;
	t->tsc_to_system_mul = new->tsc_to_system_mul;
	t->tsc_shift = new->tsc_shift;
	t->flags = new->flags;
	smp_wmb();
	WRITE_ONCE(t->version, version + 1);
}

/*
 * Updates the guest's own copy, at the address that the guest gave. Nothing is written if that is
 * not mapped.
 */
static void publish_in_guest_copy(struct vcpu *v, struct vcpu_time_info *new)
{
	struct vcpu_time_info __guest *copy = (struct vcpu_time_info __guest *)v->time_guest;
	u32 version = v->arch->time_last.version | 1;

	new->version = version;
	if (copy_to_guest(&copy->version, &version, sizeof(version)))
		return;
	smp_wmb();
	if (copy_to_guest(copy, new, sizeof(*new)))
		return;
	smp_wmb();
	new->version = ++version;
	if (copy_to_guest(&copy->version, &version, sizeof(version)))
		return;
	v->arch->time_last = *new;
}

/* vcpu_info, and the guest's own copy if v is current. */
static void publish_time(struct vcpu *v)
{
	struct vcpu_time_info t = { 0 };

	time_info_fill(&t);
	publish_in_vcpu_info(v, &t);
	if (v->time_guest && v == current)
		publish_in_guest_copy(v, &t);
}

void arch_vcpu_update_time(struct vcpu *v)
{
	bool entered = v->time_guest && v == current && guest_call(v->domain, enter_kernel_view, v);

	publish_time(v);
	if (entered)
		guest_call(v->domain, leave_kernel_view, v);
}

void guest_time_publish(struct vcpu *v)
{
	bool entered =
		(v->runstate.guest || v->time_guest) && guest_call(v->domain, enter_kernel_view, v);

	publish_time(v);
	vcpu_runstate_publish(v);
	if (entered)
		guest_call(v->domain, leave_kernel_view, v);
}

void arch_domain_update_wallclock(struct domain *d)
{
	shared_info_t *s = d->shared_info;
	u32 version = READ_ONCE(s->wc_version) | 1, nsec;
	u64 sec;

	time_get_wallclock(&sec, &nsec);
	sec += (u64)d->time_offset_seconds;
	WRITE_ONCE(s->wc_version, version);
	smp_wmb();
	s->wc_sec = (u32)sec;
	s->xen_wc_sec_hi = (u32)(sec >> 32);
	s->wc_nsec = nsec;
	smp_wmb();
	WRITE_ONCE(s->wc_version, version + 1);
}
