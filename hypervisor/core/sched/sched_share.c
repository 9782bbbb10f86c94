/* SPDX-License-Identifier: MIT */
/*
 * Shares: who deserves how much CPU time. Each vCPU has a virtual time. While the vCPU runs, it
 * advances the faster, the less the vCPU is entitled to:
 *
 *   d(vtime) = d(time) * runnable vCPUs of its domain * 256 / weight of the domain
 *
 * A CPU runs the vCPU with the least virtual time. So over time all vCPUs of a queue advance alike,
 * and each gets CPU time in proportion to its share of its domain's weight.
 *
 * Crowd. The number of runnable vCPUs of a domain changes while one of them runs. To be exact,
 * charging uses the integral of that number over the charged time, the domain's "crowd". With n
 * runnable vCPUs and their wake-up times t_i, the integral at any time t is n * t - sum(t_i), up to
 * a constant. n and sum(t_i) live in one word (n in the low bits), so a vCPU that wakes or sleeps
 * needs a single atomic addition.
 *
 * Clocks. A queue's clock follows its least virtual time. A vCPU that wakes may not claim the time
 * that it slept: it gets at most one slice's advance over the clock. That is the boost of wake-up,
 * and running consumes it.
 *
 * Between CPUs, `clock - offset` is comparable. A CPU that is ahead of another takes over vCPUs
 * from it (sched_place.c), so clocks stay together where affinities allow that. Where they do not
 * (vCPUs are pinned to one CPU, or a single vCPU weighs more than a whole CPU), a clock would drift
 * off without end, and a vCPU that comes from another queue would starve or starve others. So each
 * queue shifts its offset when it is too far from the mean. That moves the whole queue: proportions
 * within it stay.
 *
 * Cap. A bucket of CPU time fills at the rate of the cap. A vCPU that finds it empty is parked
 * until it is half full. The end of a slice may overdraw the bucket; the next fillings pay for
 * that, so on average the cap is exact.
 */
#include "core/sched/sched_internal.h"

#include "hv/arch/time.h"

#define CROWD_BITS 10
#define CROWD_MASK ((1U << CROWD_BITS) - 1)
_Static_assert(HV_MAX_VCPUS <= CROWD_MASK, "vCPUs of a domain are counted in CROWD_BITS");

#define LOAD_UNIT     16 /* load of one vCPU of a domain with weight 256 is 256 * LOAD_UNIT */
#define SYNC_PERIOD   MILLISECS(20)
#define SYNC_SLICES   8 /* clocks may differ by this many slices of an average vCPU */
#define SYNC_PATIENCE 8
#define CARRY_SLICES  4		    /* bound of what a vCPU carries along when it moves */
#define CAP_PERIOD    MILLISECS(30) /* the bucket holds a period's worth */
#define CAP_MIN_SLICE MICROSECS(500)

/*
 * The mean of all busy queues' comparable clocks. Every SYNC_PERIOD, whichever CPU comes first
 * computes it anew. Racy reads are fine.
 */
static struct {
	u64 clock, bound;
	s_time_t next;
} mean;

static s_time_t slice_ns(void)
{
	return MILLISECS(READ_ONCE(sched_params.slice_ms));
}

/* --- crowd --- */

static unsigned int crowd_count(const struct domain *d)
{
	return READ_ONCE(d->sched.crowd) & CROWD_MASK;
}

static u64 crowd_integral(const struct domain *d, s_time_t now)
{
	u64 crowd = READ_ONCE(d->sched.crowd);

	return ((crowd & CROWD_MASK) * (u64)now - (crowd >> CROWD_BITS)) & (~0ULL >> CROWD_BITS);
}

void share_activate(struct vcpu *v, s_time_t now)
{
	if (v->sched.active)
		return;
	v->sched.active = true;
	(void)atomic_add_return(&v->domain->sched.crowd, ((u64)now << CROWD_BITS) + 1);
}

void share_deactivate(struct vcpu *v, s_time_t now)
{
	if (!v->sched.active)
		return;
	v->sched.active = false;
	(void)atomic_sub_return(&v->domain->sched.crowd, ((u64)now << CROWD_BITS) + 1);
}

/* --- charging --- */

u64 share_cost(const struct vcpu *v, s_time_t ns)
{
	const struct domain *d = v->domain;

	return (u64)ns * max(crowd_count(d), 1U) * SCHED_WEIGHT_DEFAULT / d->sched.weight;
}

void share_start(struct vcpu *v, s_time_t now)
{
	v->sched.charged_at = now;
	v->sched.crowd_at = crowd_integral(v->domain, now);
}

static void budget_refill(struct domain *d, s_time_t now)
{
	struct sched_domain *sd = &d->sched;
	s64 full = CAP_PERIOD * sd->cap / 100;

	if (now > sd->budget_at) {
		/* 60 s fill any bucket, and with them the product cannot overflow. */
		sd->budget += min(now - sd->budget_at, SECONDS(60)) * sd->cap / 100;
		sd->budget = min(sd->budget, full);
		sd->budget_at = now;
	}
}

void share_charge(struct vcpu *v, s_time_t now)
{
	struct domain *d = v->domain;
	s_time_t ran = now - v->sched.charged_at;
	u64 crowd, at;
	unsigned long flags;

	if (v->is_idle || ran <= 0)
		return;
	at = crowd_integral(d, now);
	crowd = (at - v->sched.crowd_at) & (~0ULL >> CROWD_BITS);
	/*
	 * v itself was runnable all the time, so crowd >= ran. Readings of other CPUs' clocks may
	 * differ a little.
	 */
	crowd = max(crowd, (u64)ran);
	crowd = min(crowd, (u64)ran * CROWD_MASK);
	v->sched.vtime += crowd * SCHED_WEIGHT_DEFAULT / d->sched.weight;
	v->sched.charged_at = now;
	v->sched.crowd_at = at;
	if (READ_ONCE(d->sched.cap)) {
		flags = spin_lock_irqsave(&d->sched.cap_lock);
		budget_refill(d, now);
		d->sched.budget -= ran;
		spin_unlock_irqrestore(&d->sched.cap_lock, flags);
	}
}

/* --- membership, clocks --- */

void share_join(struct run_queue *rq, struct vcpu *v)
{
	unsigned int crowd;

	if (v->sched.load)
		return;
	crowd = max(crowd_count(v->domain), 1U);
	v->sched.load = max(v->domain->sched.weight * LOAD_UNIT / crowd, 1U);
	rq->load += v->sched.load;
	rq->nr_members++;
}

void share_leave(struct run_queue *rq, struct vcpu *v)
{
	if (!v->sched.load)
		return;
	rq->load -= v->sched.load;
	rq->nr_members--;
	v->sched.load = 0;
}

void share_update_clock(struct run_queue *rq)
{
	const struct vcpu *head =
		list_is_empty(&rq->queue) ? NULL : list_first(&rq->queue, struct vcpu, sched.link);
	u64 least;

	if (!rq->curr->is_idle && rq->curr->sched.load) {
		least = rq->curr->sched.vtime;
		if (head && vtime_diff(head->sched.vtime, least) < 0)
			least = head->sched.vtime;
	} else if (head) {
		least = head->sched.vtime;
	} else {
		return;
	}
	if (vtime_diff(least, rq->clock) > 0)
		rq->clock = least;
}

void share_translate(struct vcpu *v, const struct run_queue *from, const struct run_queue *to)
{
	v->sched.vtime += READ_ONCE(to->offset) - READ_ONCE(from->offset);
}

void share_arrive(struct run_queue *rq, struct vcpu *v, bool woken, s_time_t now)
{
	u64 slice = share_cost(v, slice_ns());
	u64 least, most;

	share_charge(rq->curr, now);
	share_update_clock(rq);
	/* A queue without members has no clock of its own: start it at the mean. */
	if (!rq->nr_members && vtime_diff(READ_ONCE(mean.clock) + rq->offset, rq->clock) > 0)
		rq->clock = READ_ONCE(mean.clock) + rq->offset;
	least = rq->clock - (woken ? slice : slice * CARRY_SLICES);
	most = rq->clock + slice * CARRY_SLICES;
	if (vtime_diff(v->sched.vtime, least) < 0)
		v->sched.vtime = least;
	else if (vtime_diff(v->sched.vtime, most) > 0)
		v->sched.vtime = most;
}

/* Computes the mean of all busy queues' clocks. */
static void mean_update(void)
{
	u64 base = READ_ONCE(mean.clock), cost = 0;
	unsigned int cpu, busy = 0;
	s64 sum = 0;

	cpumask_for_each(cpu, &cpu_online_map) {
		const struct run_queue *rq = &per_cpu(run_queue, cpu);
		u64 members = READ_ONCE(rq->nr_members), load = READ_ONCE(rq->load);

		if (!members || !load)
			continue;
		/*
		 * Add a 16th of each difference and drop the remainder, so that the sum of
		 * HV_MAX_CPUS differences cannot overflow.
		 */
		sum += vtime_diff(READ_ONCE(rq->clock) - READ_ONCE(rq->offset), base) / 16;
		cost += (u64)slice_ns() * SCHED_WEIGHT_DEFAULT * LOAD_UNIT * members / load;
		busy++;
	}
	if (!busy)
		return;
	sum = sum / (s64)busy * 16;
	if (sum > 0)
		WRITE_ONCE(mean.clock, base + (u64)sum);
	WRITE_ONCE(mean.bound, cost / busy * SYNC_SLICES);
}

void share_synchronize(struct run_queue *rq, s_time_t now)
{
	s_time_t next = READ_ONCE(mean.next);
	s64 ahead, bound;

	if (now >= next && atomic_cmpxchg(&mean.next, &next, now + SYNC_PERIOD))
		mean_update();
	ahead = vtime_diff(rq->clock - rq->offset, READ_ONCE(mean.clock));
	bound = (s64)READ_ONCE(mean.bound);
	if (ahead > bound)
		rq->offset += (u64)(ahead - bound);
	/*
	 * A queue that is behind and offers vCPUs is shifted later: being behind makes other CPUs
	 * take those vCPUs over.
	 */
	else if (ahead <
		 (cpumask_test(rq->cpu, &sched_offering_cpus) ? -bound * SYNC_PATIENCE : -bound))
		rq->offset -= (u64)(-bound - ahead);
}

/* --- cap --- */

bool share_budget_left(struct vcpu *v, s_time_t now, s_time_t *slice)
{
	struct domain *d = v->domain;
	unsigned long flags;
	unsigned int crowd;
	s64 left;

	if (likely(!READ_ONCE(d->sched.cap)))
		return true;
	flags = spin_lock_irqsave(&d->sched.cap_lock);
	budget_refill(d, now);
	left = d->sched.budget;
	spin_unlock_irqrestore(&d->sched.cap_lock, flags);
	/*
	 * Charge often: the bucket is half full at the refill and must not overflow before the used
	 * time is taken out.
	 */
	*slice = min(*slice, CAP_PERIOD / 3);
	crowd = max(crowd_count(d), 1U);
	*slice = min(*slice, max((s_time_t)(left / crowd), CAP_MIN_SLICE));
	return left > 0;
}

/*
 * v is runnable, not queued, and its domain's budget is used up. Marks v as parked before setting
 * the timer, under the lock that share_refill takes, so no refill misses v.
 */
void share_park(struct run_queue *rq, struct vcpu *v, s_time_t now)
{
	struct domain *d = v->domain;
	struct sched_domain *sd = &d->sched;
	unsigned long flags;
	s64 missing;

	share_leave(rq, v);
	v->sched.parked = true;
	flags = spin_lock_irqsave(&sd->cap_lock);
	missing = CAP_PERIOD * sd->cap / 200 - sd->budget;
	if (!timer_is_armed(&sd->refill))
		timer_set(&sd->refill,
			  sd->cap ? now + max(missing, (s64)0) * 100 / sd->cap + 1 : now);
	spin_unlock_irqrestore(&sd->cap_lock, flags);
}

/* A timer's function: there is budget again. */
void share_refill(void *domain)
{
	struct domain *d = domain;
	struct vcpu *v;

	for_each_vcpu(d, v) {
		unsigned long flags;
		struct run_queue *rq = sched_lock_vcpu(v, &flags);
		bool was_parked = v->sched.parked;

		v->sched.parked = false;
		spin_unlock_irqrestore(&rq->lock, flags);
		if (was_parked)
			vcpu_wake(v);
	}
}

/* Takes the lock because share_park divides by the cap that it has just checked. */
void share_set_cap(struct domain *d, u16 cap)
{
	unsigned long flags = spin_lock_irqsave(&d->sched.cap_lock);

	WRITE_ONCE(d->sched.cap, cap);
	d->sched.budget = CAP_PERIOD * d->sched.cap / 100;
	d->sched.budget_at = time_now();
	timer_set(&d->sched.refill, d->sched.budget_at);
	spin_unlock_irqrestore(&d->sched.cap_lock, flags);
}
