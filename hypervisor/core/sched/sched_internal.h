/* SPDX-License-Identifier: MIT */
/*
 * Private to the scheduler's files: sched.c (running, waking, sleeping), sched_share.c (who
 * deserves how much), sched_place.c (which CPU), sched_param.c (weights, caps, affinity for the
 * tools), runstate.c.
 */
#ifndef CORE_SCHED_SCHED_INTERNAL_H
#define CORE_SCHED_SCHED_INTERNAL_H

#include "hv/atomic.h"
#include "hv/sched.h"
#include "hv/softirq.h"

#define SCHED_WEIGHT_DEFAULT 256

/*
 * A CPU's run queue. Its members are the vCPUs that wait in it and the running one, unless that is
 * the idle vCPU. [Q] under the queue's lock; [G] other CPUs may read it without the lock.
 */
struct run_queue {
	spinlock_t lock;	/* LOCK_SCHED; interrupts off */
	unsigned int cpu;	/* [I] */
	struct vcpu *curr;	/* [Q, G] */
	struct vcpu *idle;	/* [I] */
	struct list queue;	/* [Q] ascending vtime */
	unsigned int nr_queued; /* [Q, G] */
	/* [Q, G] Virtual time: that of the member that has had least. Never goes backwards. */
	u64 clock;
	u64 offset;	/* [Q, G] clock - offset can be compared between CPUs */
	u32 load;	/* [Q, G] sum of its members' load */
	u32 nr_members; /* [Q, G] */
	/*
	 * [Q, G] The comparable virtual time of the first waiting vCPU that another CPU might run.
	 */
	u64 offer;
	s_time_t run_start; /* [Q] when curr began to run */
	s_time_t slice_end; /* [Q] when curr's slice ends */
	/* Only its CPU uses this: when it last compared itself with other CPUs. */
	s_time_t looked_around;
	/* Only its CPU uses this: the CPU to look at next. */
	unsigned int look_next;
	struct timer slice_timer;
};
DECLARE_PER_CPU(struct run_queue, run_queue);

struct sched_params {
	u32 slice_ms, ratelimit_us, migrate_delay_us;
};
extern struct sched_params sched_params;

/* [A] CPUs whose idle vCPU runs and that nobody has called on yet. */
extern cpumask_t sched_idle_cpus;
/* [A] CPUs with a waiting vCPU that may run elsewhere. */
extern cpumask_t sched_offering_cpus;

/* --- sched_share.c: all under the queue's lock --- */
/* a - b for virtual times, which wrap. */
static inline s64 vtime_diff(u64 a, u64 b)
{
	return (s64)(a - b);
}
void share_start(struct vcpu *v, s_time_t now);	 /* v begins to run */
void share_charge(struct vcpu *v, s_time_t now); /* v has run until now */
void share_activate(struct vcpu *v, s_time_t now);
void share_deactivate(struct vcpu *v, s_time_t now);
/* The virtual time that `ns` of CPU time cost v. */
u64 share_cost(const struct vcpu *v, s_time_t ns);
void share_join(struct run_queue *rq, struct vcpu *v);
void share_leave(struct run_queue *rq, struct vcpu *v);
/*
 * v, not yet a member, comes to the queue, woken (true) or from another queue (false). Keeps its
 * vtime within bounds.
 */
void share_arrive(struct run_queue *rq, struct vcpu *v, bool woken, s_time_t now);
/* v changes queues: translates its vtime. */
void share_translate(struct vcpu *v, const struct run_queue *from, const struct run_queue *to);
void share_update_clock(struct run_queue *rq);
/* Called now and then: brings the queue's clock in line with the other queues. */
void share_synchronize(struct run_queue *rq, s_time_t now);
/* Does v's domain have budget left under its cap? Shortens *slice to the budget. */
bool share_budget_left(struct vcpu *v, s_time_t now, s_time_t *slice);
void share_park(struct run_queue *rq, struct vcpu *v, s_time_t now);
void share_refill(void *domain);
/* Sets the cap in percent of one CPU (0: none) and fills the bucket. */
void share_set_cap(struct domain *d, u16 cap);

/* --- sched_place.c --- */
/* Chooses the CPU for v, which wakes or must move. Caller holds the lock of v's present CPU. */
unsigned int place_vcpu(const struct vcpu *v);
bool place_allowed(const struct vcpu *v, unsigned int cpu);
/* Call after each change of the queue. */
void place_update_offer(struct run_queue *rq);
/*
 * Takes over a vCPU from another CPU if that vCPU deserves to run more than `mine`, the best of
 * this CPU (NULL: this CPU would go idle). Drops and retakes rq's lock.
 */
void place_steal(struct run_queue *rq, const struct vcpu *mine, s_time_t now);

/* --- sched.c --- */
/* Returns the queue of v->processor, locked. */
struct run_queue *sched_lock_vcpu(const struct vcpu *v, unsigned long *flags);
/* v becomes a member if it is none yet. */
void sched_enqueue(struct run_queue *rq, struct vcpu *v);
/* v stays a member. */
void sched_dequeue(struct run_queue *rq, struct vcpu *v);

/* --- runstate.c --- */
void runstate_change(struct vcpu *v, int state, s_time_t now);
/* The RUNSTATE_* of a vCPU that does not run. */
int runstate_when_off(const struct vcpu *v);

#endif
