/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the scheduler: sched.c (running, waking, sleeping), sched_share.c (who
 * deserves how much), sched_place.c (which CPU), sched_param.c (weights, caps, affinity for the
 * tools), runstate.c.
 */
#ifndef CORE_SCHED_SCHED_INTERNAL_H
#define CORE_SCHED_SCHED_INTERNAL_H

#include "hv/arch.h"
#include "hv/atomic.h"
#include "hv/sched.h"
#include "hv/softirq.h"

#define SCHED_WEIGHT_DEFAULT 256

/*
 * A CPU's run queue. Members are the vCPUs that wait in it and the one that runs, unless that is
 * the idle vCPU. All but the lock: [Q] its lock; other CPUs may glance at fields marked [G].
 */
struct run_queue {
	spinlock_t lock;	/* LOCK_SCHED; interrupts off */
	unsigned int cpu;	/* [I] */
	struct vcpu *curr;	/* [Q, G] */
	struct vcpu *idle;	/* [I] */
	struct list queue;	/* [Q] ascending vtime */
	unsigned int nr_queued; /* [Q, G] */
	u64 clock;  /* [Q, G] virtual time: that of the member which has had least, never backwards
		     */
	u64 offset; /* [Q, G] clock - offset is comparable between CPUs */
	u32 load;   /* [Q, G] sum of its members' load */
	u32 nr_members; /* [Q, G] */
	u64 offer;	/* [Q, G] comparable virtual time of the first that another CPU might run */
	s_time_t run_start;	/* [Q] since when curr runs without a break */
	s_time_t slice_end;	/* [Q] when slice_timer fires */
	s_time_t looked_around; /* by its CPU: when it last compared itself with others */
	unsigned int look_next; /* by its CPU: whom to look at next time */
	struct timer slice_timer;
};
DECLARE_PER_CPU(struct run_queue, run_queue);

struct sched_params {
	u32 slice_ms, ratelimit_us, migrate_delay_us;
};
extern struct sched_params sched_params;

extern cpumask_t
	sched_idle_cpus; /* [A] those whose idle vCPU runs and that nobody has called on yet */
extern cpumask_t
	sched_offering_cpus; /* [A] those that have a vCPU waiting which may run elsewhere */

/* --- sched_share.c: all with the queue's lock --- */
/* a - b of virtual times, which wrap. */
static inline s64 vtime_diff(u64 a, u64 b)
{
	return (s64)(a - b);
}
void share_start(struct vcpu *v, s_time_t now);	 /* v begins to run */
void share_charge(struct vcpu *v, s_time_t now); /* v has run until now */
void share_activate(struct vcpu *v, s_time_t now);
void share_deactivate(struct vcpu *v, s_time_t now);
u64 share_cost(const struct vcpu *v, s_time_t ns); /* virtual time of that much CPU time */
void share_join(struct run_queue *rq, struct vcpu *v);
void share_leave(struct run_queue *rq, struct vcpu *v);
/* v, not yet a member, comes to the queue awake (true) or from another queue: keeps its claim
 * within bounds. */
void share_arrive(struct run_queue *rq, struct vcpu *v, bool woken, s_time_t now);
/* v changes its queue: its vtime is translated. */
void share_translate(struct vcpu *v, const struct run_queue *from, const struct run_queue *to);
void share_update_clock(struct run_queue *rq);
/* Now and then: brings the queue's clock in line with those of the others. */
void share_synchronize(struct run_queue *rq, s_time_t now);
/* Cap: is there budget left? *slice is shortened to what there is. */
bool share_budget_left(struct vcpu *v, s_time_t now, s_time_t *slice);
void share_park(struct run_queue *rq, struct vcpu *v, s_time_t now);
void share_refill(void *domain);
void share_set_cap(struct domain *d, u16 cap); /* the bucket is full then; 0: no cap */

/* --- sched_place.c --- */
/* The CPU for v, which wakes or must move. Lock of its present CPU held. */
unsigned int place_vcpu(const struct vcpu *v);
bool place_allowed(const struct vcpu *v, unsigned int cpu);
void place_update_offer(struct run_queue *rq); /* after each change of the queue */
/*
 * Takes a vCPU over from another CPU if one deserves it more than `mine` (the best of this CPU;
 * NULL: it would go idle). Drops and retakes rq's lock.
 */
void place_steal(struct run_queue *rq, const struct vcpu *mine, s_time_t now);

/* --- sched.c --- */
struct run_queue *sched_lock_vcpu(const struct vcpu *v,
				  unsigned long *flags);  /* the queue of v->processor, locked */
void sched_enqueue(struct run_queue *rq, struct vcpu *v); /* joins if it is no member yet */
void sched_dequeue(struct run_queue *rq, struct vcpu *v); /* stays a member */

/* --- runstate.c --- */
void runstate_change(struct vcpu *v, int state, s_time_t now);
int runstate_when_off(const struct vcpu *v); /* RUNSTATE_* of one that does not run */

#endif
