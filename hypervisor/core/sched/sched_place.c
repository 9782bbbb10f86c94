/* SPDX-License-Identifier: MIT */
/*
 * Which CPU runs a vCPU. A waking vCPU stays where it ran last, unless that CPU is busy and another
 * is idle. A CPU that goes idle takes over whatever waits elsewhere. A busy CPU looks at some
 * others every LOOK_PERIOD. It takes over a vCPU that has had less than its share, by comparable
 * clocks, and waits in a more loaded queue.
 */
#include "core/sched/sched_internal.h"

#include "hv/arch/cpu.h"

cpumask_t sched_idle_cpus;
cpumask_t sched_offering_cpus;

#define LOOK_AT	    8  /* CPUs that a busy CPU compares itself with at a time */
#define LOOK_DEPTH  16 /* vCPUs of a queue that are considered */
#define LOOK_PERIOD MILLISECS(1)

bool place_allowed(const struct vcpu *v, unsigned int cpu)
{
	return cpumask_test(cpu, &v->sched.hard_affinity) && cpumask_test(cpu, &cpu_online_map);
}

static bool preferred(const struct vcpu *v, unsigned int cpu)
{
	return place_allowed(v, cpu) && cpumask_test(cpu, &v->sched.soft_affinity);
}

void sched_wake_idle_cpu(void)
{
	unsigned int cpu = smp_processor_id();

	if (cpumask_test(cpu, &sched_idle_cpus))
		return;
	cpu = cpumask_first(&sched_idle_cpus);
	if (cpu < nr_cpus)
		arch_cpu_kick(cpu);
}

/* The first CPU of the set after `cpu`, wrapping around; nr_cpus if the set is empty. */
static unsigned int next_round(unsigned int cpu, const cpumask_t *set)
{
	unsigned int next = cpumask_next(cpu, set);

	return next < nr_cpus ? next : cpumask_first(set);
}

static unsigned int least_loaded(const cpumask_t *set, unsigned int start)
{
	unsigned int cpu, best = nr_cpus, best_load = ~0U, nr = cpumask_weight(set);

	for (cpu = next_round(start, set); nr--; cpu = next_round(cpu, set)) {
		unsigned int load = READ_ONCE(per_cpu(run_queue, cpu).load);

		if (load < best_load) {
			best = cpu;
			best_load = load;
		}
	}
	return best;
}

/* Places v when it cannot stay where it ran last, or not without a look at other CPUs. */
static noinline unsigned int place_anew(const struct vcpu *v, bool last_allowed)
{
	unsigned int last = v->processor, cpu;
	cpumask_t set, idle;

	cpumask_and(&set, &v->sched.hard_affinity, &cpu_online_map);
	cpumask_and(&idle, &set, &sched_idle_cpus);
	if (!cpumask_empty(&idle)) {
		cpumask_t soft;

		cpumask_and(&soft, &idle, &v->sched.soft_affinity);
		if (!cpumask_empty(&soft))
			return next_round(last, &soft);
		if (!last_allowed || !cpumask_test(last, &v->sched.soft_affinity))
			return cpumask_test(last, &idle) ? last : next_round(last, &idle);
		/*
		 * Its preferred CPUs are busy, another is idle: running at once there is better
		 * than waiting.
		 */
		return next_round(last, &idle);
	}
	if (last_allowed && cpumask_test(last, &v->sched.soft_affinity))
		return last;
	cpumask_and(&idle, &set, &v->sched.soft_affinity);
	if (!cpumask_empty(&idle))
		return least_loaded(&idle, last);
	if (last_allowed)
		return last;
	cpu = least_loaded(&set, last);
	/*
	 * A safeguard: affinities are checked when they are set, so a CPU of v's affinity is
	 * online.
	 */
	return cpu < nr_cpus ? cpu : cpumask_first(&cpu_online_map);
}

unsigned int place_vcpu(const struct vcpu *v)
{
	unsigned int last = v->processor;
	bool last_allowed = place_allowed(v, last);

	if (likely(last_allowed && cpumask_test(last, &v->sched.soft_affinity)) &&
	    (cpumask_test(last, &sched_idle_cpus) || cpumask_empty(&sched_idle_cpus)))
		return last;
	return place_anew(v, last_allowed);
}

void place_update_offer(struct run_queue *rq)
{
	const struct vcpu *v, *offered = NULL;
	unsigned int depth = LOOK_DEPTH;

	list_for_each(v, &rq->queue, sched.link) {
		if (!depth--)
			break;
		if (!v->sched.pinned) {
			offered = v;
			break;
		}
	}
	if (offered) {
		WRITE_ONCE(rq->offer, offered->sched.vtime - rq->offset);
		if (!cpumask_test(rq->cpu, &sched_offering_cpus))
			cpumask_set(rq->cpu, &sched_offering_cpus);
	} else if (cpumask_test(rq->cpu, &sched_offering_cpus)) {
		cpumask_clear_cpu(rq->cpu, &sched_offering_cpus);
	}
}

/*
 * Chooses a vCPU of `from` for `rq`. at_most: the most comparable virtual time that it may have
 * had; ignored if `any`.
 */
static struct vcpu *choose(struct run_queue *from, const struct run_queue *rq, bool any,
			   u64 at_most, s_time_t now)
{
	struct vcpu *v, *second = NULL;
	unsigned int depth = LOOK_DEPTH;
	s_time_t warm = MICROSECS(READ_ONCE(sched_params.migrate_delay_us));

	list_for_each(v, &from->queue, sched.link) {
		if (!depth--)
			break;
		if (!any && vtime_diff(v->sched.vtime - from->offset, at_most) > 0)
			break;
		/* It may have left its CPU after `now`, which gives a negative time. */
		if (!place_allowed(v, rq->cpu) || max(now - v->sched.last_ran, (s_time_t)0) < warm)
			continue;
		if (preferred(v, rq->cpu))
			return v;
		if (!second)
			second = v;
	}
	/* Move it against its preference only to an idle CPU. */
	return any ? second : NULL;
}

/* Takes both locks in the order of CPU numbers. rq's lock is still held on return. */
static bool take_from(struct run_queue *rq, struct run_queue *from, bool any, u64 at_most,
		      s_time_t now)
{
	struct vcpu *v;

	spin_unlock(&rq->lock);
	spin_lock_pair(&rq->lock, &from->lock, rq->cpu < from->cpu);
	v = choose(from, rq, any, at_most, now);
	if (v) {
		sched_dequeue(from, v);
		share_leave(from, v);
		share_translate(v, from, rq);
		v->processor = rq->cpu;
	}
	spin_unlock(&from->lock);
	if (!v)
		return false;
	share_arrive(rq, v, false, now);
	sched_enqueue(rq, v);
	return true;
}

static void steal_for_idle(struct run_queue *rq, s_time_t now)
{
	unsigned int cpu;

	for (cpu = cpumask_next(rq->cpu, &sched_offering_cpus); cpu < nr_cpus;
	     cpu = cpumask_next(cpu, &sched_offering_cpus))
		if (take_from(rq, &per_cpu(run_queue, cpu), true, 0, now))
			return;
	for (cpu = cpumask_first(&sched_offering_cpus); cpu < rq->cpu;
	     cpu = cpumask_next(cpu, &sched_offering_cpus))
		if (take_from(rq, &per_cpu(run_queue, cpu), true, 0, now))
			return;
}

static void steal_for_balance(struct run_queue *rq, const struct vcpu *mine, s_time_t now)
{
	/*
	 * The difference must be half a slice: smaller ones would only make vCPUs move to and fro.
	 */
	u64 at_most = mine->sched.vtime - rq->offset -
		      share_cost(mine, MILLISECS(sched_params.slice_ms) / 2);
	struct run_queue *best = NULL;
	unsigned int cpu, nr;

	cpu = next_round(rq->look_next, &sched_offering_cpus);
	for (nr = 0; nr < LOOK_AT && cpu < nr_cpus;
	     nr++, cpu = next_round(cpu, &sched_offering_cpus)) {
		struct run_queue *other = &per_cpu(run_queue, cpu);
		u64 offer = READ_ONCE(other->offer);

		rq->look_next = cpu;
		if (cpu == rq->cpu || READ_ONCE(other->load) <= rq->load ||
		    vtime_diff(offer, at_most) > 0)
			continue;
		if (!best || vtime_diff(offer, READ_ONCE(best->offer)) < 0)
			best = other;
	}
	if (best)
		take_from(rq, best, false, at_most, now);
}

void place_steal(struct run_queue *rq, const struct vcpu *mine, s_time_t now)
{
	if (!mine) {
		steal_for_idle(rq, now);
	} else if (now - rq->looked_around >= LOOK_PERIOD) {
		rq->looked_around = now;
		steal_for_balance(rq, mine, now);
	}
}
