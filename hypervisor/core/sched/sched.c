/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's mechanics: run queues, waking, sleeping, switching.
 *
 * A vCPU is in one of these states. They change only under the lock of its processor's queue:
 *
 *   off      not runnable (or about to be woken), in no queue
 *   queued   runnable, waits
 *   running  is_running: curr of its queue, or just replaced there while its registers are saved
 *   parked   runnable, but its domain's cap is used up
 *
 * A vCPU that was just replaced is in no queue until the arch side calls sched_context_saved().
 * Until then no other CPU may run it, and sched_context_saved() deals with what happens to it
 * meanwhile (a wake-up, a new affinity). tests/model/sched_wake.pml shows that no wake-up is lost.
 */
#include "core/sched/sched_internal.h"

#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"
#include "hv/arch/time.h"
#include "hv/cmdline.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "lib/errno.h"
#include "lib/string.h"

DEFINE_PER_CPU(struct run_queue, run_queue);
static DEFINE_PER_CPU(struct tasklet, moved_tasklet);

struct sched_params sched_params = { .slice_ms = 10, .ratelimit_us = 1000, .migrate_delay_us = 0 };

#define LONE_SLICES 3

/* --- queues --- */

struct run_queue *sched_lock_vcpu(const struct vcpu *v, unsigned long *flags)
{
	struct run_queue *rq;
	unsigned int cpu;

	for (;;) {
		cpu = READ_ONCE(v->processor);
		rq = &per_cpu(run_queue, cpu);
		*flags = spin_lock_irqsave(&rq->lock);
		if (likely(READ_ONCE(v->processor) == cpu))
			return rq;
		spin_unlock_irqrestore(&rq->lock, *flags);
	}
}

void sched_enqueue(struct run_queue *rq, struct vcpu *v)
{
	struct list *after;

	share_join(rq, v);
	/* Search from the end: a vCPU that has just run belongs there. Insert behind equals. */
	for (after = rq->queue.prev; after != &rq->queue; after = after->prev)
		if (vtime_diff(list_entry(after, struct vcpu, sched.link)->sched.vtime,
			       v->sched.vtime) <= 0)
			break;
	list_add(&v->sched.link, after);
	v->sched.queued = true;
	WRITE_ONCE(rq->nr_queued, rq->nr_queued + 1);
	place_update_offer(rq);
}

void sched_dequeue(struct run_queue *rq, struct vcpu *v)
{
	list_del(&v->sched.link);
	v->sched.queued = false;
	WRITE_ONCE(rq->nr_queued, rq->nr_queued - 1);
	place_update_offer(rq);
}

static struct vcpu *queue_head(const struct run_queue *rq)
{
	return list_is_empty(&rq->queue) ? NULL : list_first(&rq->queue, struct vcpu, sched.link);
}

static void ask_to_schedule(struct run_queue *rq)
{
	if (rq->curr->is_idle)
		cpumask_clear_cpu(rq->cpu, &sched_idle_cpus);
	softirq_raise_on(rq->cpu, SOFTIRQ_SCHEDULE);
}

/* v waits in a queue: makes an idle CPU that may run v come and take it. */
static void call_idle_cpu(const struct vcpu *v)
{
	unsigned int cpu;

	if (likely(cpumask_empty(&sched_idle_cpus)) || v->sched.pinned)
		return;
	cpumask_for_each(cpu, &sched_idle_cpus)
		if (place_allowed(v, cpu))
			break;
	if (cpu < nr_cpus) {
		cpumask_clear_cpu(cpu, &sched_idle_cpus);
		softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
	}
}

/*
 * A timer that is set for an earlier time stays as it is: it then fires for nothing about once a
 * slice (slice_timer_fired), while moving it would make each switch dearer. Under rq's lock, like
 * everything about this timer.
 */
static void set_slice_end(struct run_queue *rq, s_time_t end)
{
	rq->slice_end = end;
	if (!timer_fires_by(&rq->slice_timer, end))
		timer_set(&rq->slice_timer, end);
}

/* Has v had so much less than the running vCPU that it need not wait for the end of the slice? */
static bool deserves_more(const struct run_queue *rq, const struct vcpu *v)
{
	s64 ahead = vtime_diff(rq->curr->sched.vtime, v->sched.vtime);

	/* A vCPU that yields has just let the running one go first. */
	return ahead > 0 && !v->sched.yielding && ahead >= (s64)share_cost(v, MILLISECS(1));
}

/*
 * v has just joined the queue: bounds how long it waits. The running vCPU is charged up to now, or
 * has just begun.
 */
static void preempt_for(struct run_queue *rq, const struct vcpu *v, s_time_t now)
{
	s_time_t end;

	if (rq->curr->is_idle) {
		ask_to_schedule(rq);
		return;
	}
	/* A CPU may have gone idle after v was placed here. */
	call_idle_cpu(v);
	/* Not slice_end: the running vCPU may have begun a lone slice, which is longer. */
	if (deserves_more(rq, v))
		end = rq->run_start + MICROSECS(READ_ONCE(sched_params.ratelimit_us));
	else
		end = now + MILLISECS(READ_ONCE(sched_params.slice_ms));
	if (end <= now)
		ask_to_schedule(rq);
	else if (rq->slice_end > end)
		set_slice_end(rq, end);
}

/* --- waking and sleeping --- */

void vcpu_wake(struct vcpu *v)
{
	s_time_t now = time_now();
	unsigned long flags;
	struct run_queue *rq;
	unsigned int cpu;

	if (v->is_idle)
		return;
	for (;;) {
		rq = sched_lock_vcpu(v, &flags);
		if (!vcpu_is_runnable(v) || v->is_running || v->sched.queued || v->sched.parked)
			break;
		share_activate(v, now);
		runstate_change(v, RUNSTATE_runnable, now);
		cpu = place_vcpu(v);
		if (cpu != rq->cpu) {
			/* Take the other queue's lock and check all again. */
			share_translate(v, rq, &per_cpu(run_queue, cpu));
			v->processor = cpu;
			spin_unlock_irqrestore(&rq->lock, flags);
			continue;
		}
		share_arrive(rq, v, true, now);
		sched_enqueue(rq, v);
		preempt_for(rq, v, now);
		break;
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

void vcpu_sleep_nosync(struct vcpu *v)
{
	unsigned long flags;
	struct run_queue *rq;
	s_time_t now = time_now();

	if (v->is_idle)
		return;
	rq = sched_lock_vcpu(v, &flags);
	if (!vcpu_is_runnable(v)) {
		if (v->is_running) {
			if (rq->curr == v)
				softirq_raise_on(rq->cpu, SOFTIRQ_SCHEDULE);
		} else {
			if (v->sched.queued) {
				sched_dequeue(rq, v);
				share_leave(rq, v);
			}
			v->sched.parked = false;
			share_deactivate(v, now);
			runstate_change(v, runstate_when_off(v), now);
		}
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

/* Interrupts are on; v is not `current`. */
void vcpu_sleep_sync(struct vcpu *v)
{
	vcpu_sleep_nosync(v);
	while (READ_ONCE(v->is_running) && !vcpu_is_runnable(v))
		cpu_relax();
	smp_mb();
	if (!v->is_idle && !READ_ONCE(v->is_running))
		arch_vcpu_sync_state(v);
}

void vcpu_block(void)
{
	struct vcpu *v = current;

	atomic_or(&v->pause_flags, VPF_BLOCKED);
	/*
	 * The sender sets its event first and reads our flag then. We set our flag first and look
	 * for events then; the locked instruction keeps that order.
	 */
	if (vcpu_must_look(v))
		atomic_and(&v->pause_flags, ~(u32)VPF_BLOCKED);
	else
		softirq_raise(SOFTIRQ_SCHEDULE);
}

void vcpu_unblock(struct vcpu *v)
{
	if (!(READ_ONCE(v->pause_flags) & VPF_BLOCKED))
		return;
	atomic_and(&v->pause_flags, ~(u32)VPF_BLOCKED);
	vcpu_wake(v);
}

void vcpu_yield(void)
{
	struct run_queue *rq = &this_cpu(run_queue);
	struct vcpu *v = current;

	/* Nobody waits here, so go on. A vCPU that comes later is compared with v as always. */
	if (!READ_ONCE(rq->nr_queued))
		return;
	v->sched.yielding = true;
	softirq_raise(SOFTIRQ_SCHEDULE);
}

/* --- switching --- */

/*
 * The first vCPU of the queue that has budget, and in *slice for how long. Parks those whose
 * domain's cap is used up.
 */
static struct vcpu *first_runnable(struct run_queue *rq, s_time_t now, s_time_t *slice)
{
	struct vcpu *v;

	while ((v = queue_head(rq)) != NULL && !share_budget_left(v, now, slice)) {
		sched_dequeue(rq, v);
		share_park(rq, v, now);
	}
	return v;
}

/* May prev go on running, if nobody else waits? */
static bool may_continue(const struct run_queue *rq, struct vcpu *prev, s_time_t now,
			 s_time_t *slice)
{
	return !prev->is_idle && vcpu_is_runnable(prev) && place_allowed(prev, rq->cpu) &&
	       share_budget_left(prev, now, slice);
}

/*
 * Nobody waits while v runs, so its slice is longer, unless its domain has a cap, whose budget must
 * be charged in time.
 */
static s_time_t lone_slice(const struct vcpu *v, s_time_t slice)
{
	return READ_ONCE(v->domain->sched.cap) ? slice : slice * LONE_SLICES;
}

/*
 * Chooses the vCPU that runs from now on, and until when (*end). The chosen one is out of the
 * queue. prev goes on if it has had least, or has only just begun.
 */
static struct vcpu *choose_next(struct run_queue *rq, struct vcpu *prev, s_time_t now,
				s_time_t *end)
{
	s_time_t full = MILLISECS(READ_ONCE(sched_params.slice_ms)), prev_slice = full,
		 slice = full;
	s_time_t may_preempt = rq->run_start + MICROSECS(READ_ONCE(sched_params.ratelimit_us));
	bool yielding = prev->sched.yielding, stays;
	struct vcpu *head;

	stays = may_continue(rq, prev, now, &prev_slice);
	if (!stays && !prev->is_idle)
		share_leave(rq, prev);
	head = first_runnable(rq, now, &slice);
	/*
	 * Join the set before going idle, so that whoever queues a vCPU meanwhile calls this CPU.
	 */
	if (!stays && !head)
		cpumask_set(rq->cpu, &sched_idle_cpus);
	if (!cpumask_empty(&sched_offering_cpus)) {
		place_steal(rq,
			    stays && (!head ||
				      vtime_diff(prev->sched.vtime, head->sched.vtime) < 0) ?
				    prev :
				    head,
			    now);
		/* place_steal dropped the lock: choose again. */
		slice = full;
		stays = stays && may_continue(rq, prev, now, &prev_slice);
		head = first_runnable(rq, now, &slice);
	}
	if (stays && head && !yielding && vtime_diff(prev->sched.vtime, head->sched.vtime) > 0 &&
	    now < may_preempt) {
		*end = min(may_preempt, now + prev_slice);
		return prev;
	}
	if (stays &&
	    (!head || (!yielding && vtime_diff(prev->sched.vtime, head->sched.vtime) <= 0))) {
		*end = now + (head ? prev_slice : lone_slice(prev, prev_slice));
		return prev;
	}
	if (head) {
		sched_dequeue(rq, head);
		*end = now + (rq->nr_queued || stays ? slice : lone_slice(head, slice));
		return head;
	}
	/*
	 * If this CPU is not in the set yet, prev slept or another CPU called on this one while the
	 * lock was dropped: look once more.
	 */
	if (!cpumask_test_and_set(rq->cpu, &sched_idle_cpus))
		softirq_raise(SOFTIRQ_SCHEDULE);
	return rq->idle;
}

/* prev leaves its CPU; next takes it. */
static void switch_states(struct run_queue *rq, struct vcpu *prev, struct vcpu *next, s_time_t now)
{
	/* Read once, so that all counts of prev agree; sched_context_saved relies on them. */
	bool runnable = prev->is_idle || vcpu_is_runnable(prev);

	prev->sched.last_ran = now;
	if (!prev->is_idle)
		share_leave(rq, prev);
	if (!runnable)
		share_deactivate(prev, now);
	runstate_change(prev, runnable ? RUNSTATE_runnable : runstate_when_off(prev), now);
	runstate_change(next, RUNSTATE_running, now);
	next->is_running = true;
	next->sched.yielding = false;
	rq->curr = next;
	rq->run_start = now;
	if (next->is_idle)
		return;
	cpumask_clear_cpu(rq->cpu, &sched_idle_cpus);
	share_start(next, now);
	if (unlikely(next->domain->pirqs && next->sched.irq_cpu != rq->cpu))
		tasklet_schedule(&this_cpu(moved_tasklet));
}

static void schedule(void)
{
	struct run_queue *rq = &this_cpu(run_queue);
	s_time_t now, end = 0;
	struct vcpu *prev, *next;
	unsigned long flags;

	arch_irq_disable();
	flags = spin_lock_irqsave(&rq->lock);
	now = time_now();
	prev = rq->curr;
	share_charge(prev, now);
	share_update_clock(rq);
	share_synchronize(rq, now);
	next = choose_next(rq, prev, now, &end);
	if (next->is_idle)
		timer_stop(&rq->slice_timer);
	else
		set_slice_end(rq, end);
	if (next != prev)
		switch_states(rq, prev, next, now);
	else
		prev->sched.yielding = false;
	spin_unlock_irqrestore(&rq->lock, flags);
	if (next != prev)
		arch_context_switch(prev, next);
	arch_irq_enable();
}

void sched_context_saved(struct vcpu *prev)
{
	unsigned long flags;
	struct run_queue *rq = sched_lock_vcpu(prev, &flags);
	s_time_t now, slice = 0;
	bool alive;

	smp_mb();
	WRITE_ONCE(prev->is_running, false);
	/* The usual case: prev sleeps, and switch_states has seen that. */
	if (prev->is_idle || (!vcpu_is_runnable(prev) && !prev->sched.active &&
			      prev->runstate.info.state == runstate_when_off(prev))) {
		spin_unlock_irqrestore(&rq->lock, flags);
		return;
	}
	now = time_now();
	if (!vcpu_is_runnable(prev)) {
		/* prev became not runnable after switch_states looked. */
		share_deactivate(prev, now);
		runstate_change(prev, runstate_when_off(prev), now);
	} else if (!prev->sched.active || !place_allowed(prev, rq->cpu)) {
		/*
		 * Whoever frees prev waits for is_running and for this lock. After the unlock only
		 * a reference keeps prev.
		 */
		alive = domain_get(prev->domain);
		spin_unlock_irqrestore(&rq->lock, flags);
		if (!alive)
			return;
		vcpu_wake(prev);
		domain_put(prev->domain);
		return;
	} else if (!share_budget_left(prev, now, &slice)) {
		share_park(rq, prev, now);
	} else {
		sched_enqueue(rq, prev);
		/*
		 * When this CPU chose who runs, prev may have been unable to go on. Since then prev
		 * was woken, its affinity was changed back, or its domain got budget again. Whoever
		 * did that saw prev running and left the rest to us.
		 */
		preempt_for(rq, prev, now);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

static void slice_timer_fired(void *data)
{
	struct run_queue *rq = data;
	unsigned long flags = spin_lock_irqsave(&rq->lock);

	/* On an idle CPU the timer was stopped meanwhile. */
	if (!rq->curr->is_idle) {
		if (time_now() < rq->slice_end)
			timer_set(&rq->slice_timer, rq->slice_end);
		else
			softirq_raise(SOFTIRQ_SCHEDULE);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

/*
 * The current vCPU has come from another CPU: the interrupts of its devices follow it. A tasklet
 * does this, because it must not hold a lock of the scheduler.
 */
static void interrupts_follow(void *data)
{
	struct vcpu *v = current;

	(void)data;
	if (v->is_idle || v->sched.irq_cpu == smp_processor_id())
		return;
	v->sched.irq_cpu = smp_processor_id();
	evtchn_vcpu_moved(v);
}

/* --- life --- */

void sched_init(void)
{
	if (boot_options.sched_timeslice_ms >= 1 && boot_options.sched_timeslice_ms <= 1000)
		sched_params.slice_ms = (u32)boot_options.sched_timeslice_ms;
	softirq_register(SOFTIRQ_SCHEDULE, schedule);
	debug_key_register('r', "run queues", sched_dump);
}

void sched_cpu_init(unsigned int cpu)
{
	struct run_queue *rq = &per_cpu(run_queue, cpu);
	struct vcpu *idle = idle_domain->vcpus[cpu];
	s_time_t now = time_now();

	if (!idle)
		idle = vcpu_create(idle_domain, cpu);
	if (!idle)
		panic("not enough memory for the idle vCPU of CPU %u", cpu);
	spin_lock_init(&rq->lock, LOCK_SCHED);
	rq->cpu = cpu;
	rq->look_next = cpu;
	list_init(&rq->queue);
	rq->idle = rq->curr = idle;
	timer_init(&rq->slice_timer, slice_timer_fired, rq, cpu);
	per_cpu(moved_tasklet, cpu) = (struct tasklet){ .fn = interrupts_follow };
	idle->is_running = true;
	idle->runstate.info.state = RUNSTATE_running;
	idle->runstate.info.state_entry_time = (u64)now;
	cpumask_set(cpu, &sched_idle_cpus);
	if (cpu == smp_processor_id())
		current = idle;
}

int sched_domain_init(struct domain *d)
{
	d->sched = (struct sched_domain){ .weight = SCHED_WEIGHT_DEFAULT };
	spin_lock_init(&d->sched.cap_lock, LOCK_SCHED_CAP);
	timer_init(&d->sched.refill, share_refill, d, smp_processor_id());
	return 0;
}

void sched_domain_free(struct domain *d)
{
	timer_kill(&d->sched.refill);
}

void sched_vcpu_init(struct vcpu *v)
{
	struct vcpu *other;
	unsigned int cpu;

	list_init(&v->sched.link);
	cpumask_zero(&v->sched.hard_affinity);
	if (v->is_idle) {
		v->processor = v->id;
		cpumask_set(v->id, &v->sched.hard_affinity);
	} else {
		/* vCPUs of a domain start on neighbouring CPUs; waking places them anew. */
		other = v->id ? v->domain->vcpus[v->id - 1] : NULL;
		cpu = other ? cpumask_next(other->processor, &cpu_online_map) :
			      bitmap_next_set(cpu_online_map.bits, nr_cpus,
					      v->domain->id % nr_cpus);
		v->processor = cpu < nr_cpus ? cpu : cpumask_first(&cpu_online_map);
		if (v->domain->is_privileged && boot_options.dom0_vcpus_pin)
			cpumask_set(v->processor, &v->sched.hard_affinity);
		else
			cpumask_fill(&v->sched.hard_affinity);
	}
	cpumask_fill(&v->sched.soft_affinity);
	v->sched.pinned = cpumask_weight(&v->sched.hard_affinity) == 1;
	v->sched.irq_cpu = ~0U;
	v->runstate.info.state = v->is_idle ? RUNSTATE_runnable : RUNSTATE_offline;
	v->runstate.info.state_entry_time = (u64)time_now();
}

void sched_vcpu_free(struct vcpu *v)
{
	unsigned long flags;
	struct run_queue *rq = sched_lock_vcpu(v, &flags);

	if (v->sched.queued)
		sched_dequeue(rq, v);
	share_leave(rq, v);
	spin_unlock_irqrestore(&rq->lock, flags);
}

void sched_dump(char key)
{
	unsigned int cpu;

	(void)key;
	cpumask_for_each(cpu, &cpu_online_map) {
		struct run_queue *rq = &per_cpu(run_queue, cpu);
		unsigned long flags = spin_lock_irqsave(&rq->lock);
		const struct vcpu *v;

		log_err("CPU %u: runs d%uv%u, %u wait, load %u, clock %ld\n", cpu,
			rq->curr->domain->id, rq->curr->id, rq->nr_queued, rq->load,
			(long)(rq->clock - rq->offset));
		list_for_each(v, &rq->queue, sched.link)
			log_err("  d%uv%u at %+ld\n", v->domain->id, v->id,
				(long)vtime_diff(v->sched.vtime, rq->clock));
		spin_unlock_irqrestore(&rq->lock, flags);
	}
}
