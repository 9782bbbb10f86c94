/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's timers: the periodic and single-shot ones send VIRQ_TIMER (xen/vcpu.h; set_timer_op of
 * xen/xen.h), the poll timer ends a sched_op poll.
 */
#include "hv/vcpu_timer.h"

#include "hv/arch/time.h"
#include "hv/hypercall_handlers.h"
#include "hv/evtchn.h"
#include "hv/sched.h"
#include "lib/errno.h"

#define PERIOD_MIN MILLISECS(1)
#define PERIOD_MAX SECONDS(3600 * 24 * 365)

static void singleshot_fired(void *data)
{
	evtchn_send_vcpu_virq(data, VIRQ_TIMER);
}

/* However many periods have passed, they give one interrupt. The next one keeps the rhythm. */
static void periodic_fired(void *data)
{
	struct vcpu *v = data;
	s_time_t now = time_now(), period;

	spin_lock(&v->lock);
	period = v->timers.period;
	if (!period) {
		spin_unlock(&v->lock);
		return;
	}
	if (now > v->timers.periodic_last)
		v->timers.periodic_last += (now - v->timers.periodic_last) / period * period;
	timer_set(&v->timers.periodic, v->timers.periodic_last + period);
	spin_unlock(&v->lock);
	evtchn_send_vcpu_virq(v, VIRQ_TIMER);
}

static void poll_timed_out(void *data)
{
	struct vcpu *v = data;

	if (evtchn_poll_end(v))
		vcpu_wake(v);
}

void vcpu_timers_init(struct vcpu *v)
{
	timer_init(&v->timers.periodic, periodic_fired, v, smp_processor_id());
	timer_init(&v->timers.singleshot, singleshot_fired, v, smp_processor_id());
	timer_init(&v->timers.poll, poll_timed_out, v, smp_processor_id());
}

void vcpu_timers_kill(struct vcpu *v)
{
	timer_kill(&v->timers.periodic);
	timer_kill(&v->timers.singleshot);
	timer_kill(&v->timers.poll);
}

int vcpu_timer_set_periodic(struct vcpu *v, u64 period)
{
	if (period < (u64)PERIOD_MIN || period > (u64)PERIOD_MAX)
		return -EINVAL;
	spin_lock(&v->lock);
	v->timers.period = (s_time_t)period;
	v->timers.periodic_last = time_now();
	timer_set(&v->timers.periodic, v->timers.periodic_last + (s_time_t)period);
	spin_unlock(&v->lock);
	return 0;
}

void vcpu_timer_stop_periodic(struct vcpu *v)
{
	spin_lock(&v->lock);
	v->timers.period = 0;
	timer_stop(&v->timers.periodic);
	spin_unlock(&v->lock);
}

/*
 * Moves the timer to the vCPU's present CPU, so that it fires there. An armed timer need not follow
 * the vCPU: its event wakes the vCPU on any CPU.
 */
void vcpu_timer_set_singleshot(struct vcpu *v, u64 deadline)
{
	timer_migrate(&v->timers.singleshot, smp_processor_id());
	/* A deadline beyond the signed range is centuries ahead: cap it. */
	timer_set(&v->timers.singleshot,
		  deadline > (u64)STIME_MAX - 1 ? STIME_MAX - 1 : (s_time_t)deadline);
}

long do_set_timer_op(unsigned long timeout, unsigned long a1, unsigned long a2, unsigned long a3,
		     unsigned long a4, unsigned long a5)
{
	if (timeout)
		vcpu_timer_set_singleshot(current, timeout);
	else
		timer_stop(&current->timers.singleshot);
	return 0;
}
