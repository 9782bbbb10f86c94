/* SPDX-License-Identifier: MIT */
/* The hypercall sched_op (xen/sched.h): a guest's calls to the scheduler. */
#include "hv/hypercall_handlers.h"

#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/sched.h"
#include "hv/softirq.h"
#include "hv/watchdog.h"
#include "lib/errno.h"
#include "lib/types.h"

#define POLL_PORTS_MAX 128
#define POLL_BATCH     16

/* Watchdogs are numbered from 1. Returns the number of a new one, else 0 or -errno. */
static long op_watchdog(void *arg)
{
	const struct sched_watchdog *op = arg;

	return domain_watchdog_set(current->domain, op->id, op->timeout);
}

/* --- block, poll --- */

/* Unmasks the guest's upcalls and looks for pending ones. To the guest this is one step. */
static long op_block(void *arg)
{
	WRITE_ONCE(current->vcpu_info->evtchn_upcall_mask, 0);
	vcpu_block();
	return 0;
}

/* 1: one of the ports is pending; 0: none; -EINVAL, -EFAULT. */
static int poll_look(struct domain *d, const struct sched_poll *op)
{
	evtchn_port_t ports[POLL_BATCH];

	for (unsigned int done = 0; done < op->nr_ports; done += POLL_BATCH) {
		unsigned int nr = min(op->nr_ports - done, (unsigned int)POLL_BATCH);

		if (copy_from_guest_offset(ports, op->ports, done, nr))
			return -EFAULT;
		for (unsigned int i = 0; i < nr; i++) {
			int pending = evtchn_port_poll(d, ports[i]);

			if (pending)
				return pending < 0 ? pending : 1;
		}
	}
	return 0;
}

/* v polls, until `until` at the latest. */
static void poll_sleep(struct vcpu *v, s_time_t until)
{
	timer_migrate(&v->timers.poll, smp_processor_id());
	timer_set(&v->timers.poll, until);
}

void vcpu_poll_until(s_time_t until)
{
	struct vcpu *v = current;

	timer_stop(&v->timers.poll);
	evtchn_poll_begin(v, 0);
	if (vcpu_must_look(v)) {
		evtchn_poll_end(v);
		return;
	}
	poll_sleep(v, until);
	softirq_raise(SOFTIRQ_SCHEDULE);
}

static long op_poll(void *arg)
{
	const struct sched_poll *op = arg;
	struct vcpu *v = current;
	evtchn_port_t single = 0;
	int ret;

	if (op->nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (op->nr_ports &&
	    !guest_range_ok(guest_array_at(op->ports, 0), op->nr_ports * sizeof(single)))
		return -EFAULT;
	if (op->nr_ports == 1 && copy_from_guest_offset(&single, op->ports, 0, 1))
		return -EFAULT;
	/* An earlier wait may have left its timer armed, which would end this one. */
	timer_stop(&v->timers.poll);
	evtchn_poll_begin(v, op->nr_ports == 1 ? (int)single : op->nr_ports ? -1 : 0);
	ret = poll_look(v->domain, op);
	if (ret || vcpu_must_look(v)) {
		evtchn_poll_end(v);
		return min(ret, 0);
	}
	if (op->timeout)
		poll_sleep(v, op->timeout > (u64)STIME_MAX - 1 ? STIME_MAX - 1 :
								 (s_time_t)op->timeout);
	softirq_raise(SOFTIRQ_SCHEDULE);
	return 0;
}

/* --- shutdown --- */

static long op_shutdown(void *arg)
{
	const struct sched_shutdown *op = arg;

	if (op->reason > SHUTDOWN_MAX)
		return -EINVAL;
	return domain_shutdown(current->domain, op->reason);
}

/* Stores the reason for a later shutdown that names none. */
static long op_shutdown_code(void *arg)
{
	const struct sched_shutdown *op = arg;
	struct domain *d = current->domain;

	if (op->reason > SHUTDOWN_MAX)
		return -EINVAL;
	spin_lock(&d->lock);
	if (!d->shutdown.begun)
		d->shutdown.code = op->reason;
	spin_unlock(&d->lock);
	return 0;
}

static long op_remote_shutdown(void *arg)
{
	const struct sched_remote_shutdown *op = arg;
	struct domain *d;
	long ret;

	if (op->reason > SHUTDOWN_MAX)
		return -EINVAL;
	if (op->domain_id == DOMID_SELF || op->domain_id == current->domain->id)
		return -EPERM;
	/* The hypervisor's own domains cannot be shut down. */
	d = op->domain_id < DOMID_FIRST_RESERVED ? domain_get_by_id(op->domain_id) : NULL;
	if (!d)
		return -ESRCH;
	ret = domain_shutdown(d, op->reason);
	domain_put(d);
	return ret;
}

/* Temporary pinning is for firmware calls on old hosts: not offered. */
static long op_pin_override(void *arg)
{
	return -EPERM;
}

static long op_yield(void *arg)
{
	vcpu_yield();
	return 0;
}

static const struct subop sched_ops[] = {
	[SCHEDOP_yield] = { op_yield, 0, CALL_ANY, 0 },
	[SCHEDOP_block] = { op_block, 0, CALL_ANY, 0 },
	[SCHEDOP_shutdown] = { op_shutdown, sizeof(struct sched_shutdown), CALL_ANY, 0 },
	[SCHEDOP_poll] = { op_poll, sizeof(struct sched_poll), CALL_ANY, 0 },
	[SCHEDOP_remote_shutdown] = { op_remote_shutdown, sizeof(struct sched_remote_shutdown),
				      CALL_DOM0, 0 },
	[SCHEDOP_shutdown_code] = { op_shutdown_code, sizeof(struct sched_shutdown), CALL_ANY, 0 },
	[SCHEDOP_watchdog] = { op_watchdog, sizeof(struct sched_watchdog), CALL_ANY, 0 },
	[SCHEDOP_pin_override] = { op_pin_override, sizeof(struct sched_pin_override), CALL_DOM0,
				   0 },
};

long do_sched_op(unsigned long cmd, unsigned long arg, unsigned long a2, unsigned long a3,
		 unsigned long a4, unsigned long a5)
{
	return subop_dispatch(sched_ops, ARRAY_SIZE(sched_ops), (unsigned int)cmd,
			      (void __guest *)arg);
}
