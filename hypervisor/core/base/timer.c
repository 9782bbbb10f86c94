/* SPDX-License-Identifier: MIT */
/*
 * Timers. Each CPU has a heap, ordered by expiry, and programs its hardware for the first timer.
 * Stopping the first timer, or moving it later, leaves the hardware as it is: the early interrupt
 * finds nothing due and programs the right time. That is cheaper, because guests move most timers
 * again before they fire.
 *
 * A heap's array grows in softirq context, where memory may be allocated. Until it has grown, or
 * when there is no memory, timers without a place are in an unsorted overflow list. So arming a
 * timer never fails.
 */
#include "hv/timer.h"

#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/hv_heap.h"
#include "hv/softirq.h"
#include "lib/string.h"

#define TIMER_KILLED   BIT(0)
#define TIMER_OVERFLOW BIT(1) /* in the overflow list */

#define FIRST_SLOTS 64

struct timer_queue {
	spinlock_t lock; /* LOCK_TIMER; interrupts off */
	struct heap heap;
	struct timer *overflow;
	struct timer *running; /* the timer whose fn runs on this CPU right now */
	s_time_t programmed;   /* the deadline set in the hardware; STIME_MAX: none */
	struct heap_node *first_array[FIRST_SLOTS];
};
static DEFINE_PER_CPU(struct timer_queue, timer_queue);

static struct timer *timer_of(struct heap_node *n)
{
	return n ? container_of(n, struct timer, node) : NULL;
}

/* The queue that t belongs to, locked. */
static struct timer_queue *queue_lock(struct timer *t, unsigned long *flags)
{
	struct timer_queue *q;
	u32 cpu;

	for (;;) {
		cpu = READ_ONCE(t->cpu);
		q = &per_cpu(timer_queue, cpu);
		*flags = spin_lock_irqsave(&q->lock);
		if (likely(READ_ONCE(t->cpu) == cpu))
			return q;
		spin_unlock_irqrestore(&q->lock, *flags);
	}
}

static void queue_remove(struct timer_queue *q, struct timer *t)
{
	struct timer **p;

	if (t->flags & TIMER_OVERFLOW) {
		for (p = &q->overflow; *p; p = &(*p)->next)
			if (*p == t) {
				*p = t->next;
				break;
			}
		t->flags &= ~(u32)TIMER_OVERFLOW;
	} else {
		heap_remove(&q->heap, &t->node);
	}
}

/*
 * Programs the hardware of this CPU, whose queue is q. A deadline that has passed raises the
 * softirq at once.
 */
static void queue_program(struct timer_queue *q, s_time_t deadline)
{
	if (q->programmed == deadline)
		return;
	q->programmed = deadline;
	if (deadline <= time_now())
		softirq_raise(SOFTIRQ_TIMER);
	else
		arch_timer_program(deadline);
}

static void queue_insert(struct timer_queue *q, struct timer *t, s_time_t expiry)
{
	if (expiry < 0)
		expiry = 0;
	if (heap_insert(&q->heap, &t->node, (u64)expiry)) {
		t->node.key = (u64)expiry;
		t->next = q->overflow;
		q->overflow = t;
		t->flags |= TIMER_OVERFLOW;
		softirq_raise_on(t->cpu, SOFTIRQ_TIMER);
		return;
	}
	if (expiry >= q->programmed)
		return;
	if (t->cpu == smp_processor_id())
		queue_program(q, expiry);
	else
		softirq_raise_on(t->cpu, SOFTIRQ_TIMER);
}

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
	*t = (struct timer){ .fn = fn, .data = data, .cpu = cpu };
}

bool timer_is_armed(const struct timer *t)
{
	/* In this order: see queue_grow. */
	return (READ_ONCE(t->flags) & TIMER_OVERFLOW) || READ_ONCE(t->node.index) != 0;
}

bool timer_fires_by(const struct timer *t, s_time_t time)
{
	return timer_is_armed(t) && (s_time_t)READ_ONCE(t->node.key) <= time;
}

void timer_set(struct timer *t, s_time_t expiry)
{
	unsigned long flags;
	struct timer_queue *q = queue_lock(t, &flags);

	if (timer_is_armed(t))
		queue_remove(q, t);
	if (!(t->flags & TIMER_KILLED))
		queue_insert(q, t, expiry);
	spin_unlock_irqrestore(&q->lock, flags);
}

void timer_stop(struct timer *t)
{
	unsigned long flags;
	struct timer_queue *q;

	/* No lock for this check: the timer's owner serializes arming and stopping it. */
	if (!t->fn || !timer_is_armed(t))
		return;
	q = queue_lock(t, &flags);
	if (timer_is_armed(t))
		queue_remove(q, t);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* On return fn runs nowhere, unless the caller is fn. The caller holds no lock that fn takes. */
void timer_kill(struct timer *t)
{
	unsigned long flags;
	struct timer_queue *q;
	unsigned int cpu;

	if (!t->fn)
		return;
	q = queue_lock(t, &flags);
	if (timer_is_armed(t))
		queue_remove(q, t);
	t->flags |= TIMER_KILLED;
	spin_unlock_irqrestore(&q->lock, flags);
	/* The timer may have moved to another CPU while fn ran. */
	cpumask_for_each(cpu, &cpu_online_map) {
		if (cpu == smp_processor_id())
			continue;
		while (READ_ONCE(per_cpu(timer_queue, cpu).running) == t)
			cpu_relax();
	}
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	unsigned long flags;
	struct timer_queue *q;
	bool armed;
	s_time_t expiry;

	if (READ_ONCE(t->cpu) == cpu)
		return;
	q = queue_lock(t, &flags);
	armed = timer_is_armed(t);
	expiry = (s_time_t)t->node.key;
	if (armed)
		queue_remove(q, t);
	WRITE_ONCE(t->cpu, cpu);
	spin_unlock_irqrestore(&q->lock, flags);
	if (armed)
		timer_set(t, expiry);
}

/* Gives this CPU's heap a bigger array, then moves timers of the overflow list into it. */
static void queue_grow(struct timer_queue *q)
{
	struct heap_node **bigger, **old;
	struct timer *t;
	unsigned long flags;
	u32 slots = (q->heap.capacity + 1) * 2;

	bigger = hv_alloc(slots * sizeof(*bigger));
	if (!bigger)
		return;
	flags = spin_lock_irqsave(&q->lock);
	old = q->heap.nodes;
	memcpy(bigger, old, (q->heap.nr + 1) * sizeof(*bigger));
	q->heap.nodes = bigger;
	q->heap.capacity = slots - 1;
	/*
	 * A timer enters the heap before it leaves the list, because timer_is_armed checks both
	 * without the lock. The caller programs the hardware.
	 */
	while ((t = q->overflow) != NULL && heap_insert(&q->heap, &t->node, t->node.key) == 0) {
		q->overflow = t->next;
		barrier();
		WRITE_ONCE(t->flags, t->flags & ~(u32)TIMER_OVERFLOW);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	if (old != q->first_array)
		hv_free(old);
}

/* The first timer to fire, in the heap or in the overflow list. */
static struct timer *queue_first(struct timer_queue *q)
{
	struct timer *first = timer_of(heap_min(&q->heap)), *t;

	for (t = q->overflow; t; t = t->next)
		if (!first || t->node.key < first->node.key)
			first = t;
	return first;
}

static void timer_softirq(void)
{
	struct timer_queue *q = &this_cpu(timer_queue);
	s_time_t now = time_now();
	unsigned long flags;
	struct timer *t;

	if (unlikely(q->overflow || q->heap.nr > q->heap.capacity - q->heap.capacity / 4))
		queue_grow(q);
	flags = spin_lock_irqsave(&q->lock);
	/*
	 * Run only timers that were due on entry. A timer that arms itself again for the past gets
	 * its turn in the next softirq.
	 */
	while ((t = queue_first(q)) != NULL && (s_time_t)t->node.key <= now) {
		void (*fn)(void *) = t->fn;
		void *data = t->data;

		queue_remove(q, t);
		WRITE_ONCE(q->running, t);
		spin_unlock_irqrestore(&q->lock, flags);
		fn(data); /* may free t */
		flags = spin_lock_irqsave(&q->lock);
		WRITE_ONCE(q->running, NULL);
	}
	/* Whatever deadline it was has fired, or is too early. */
	q->programmed = -1;
	queue_program(q, t ? (s_time_t)t->node.key : STIME_MAX);
	spin_unlock_irqrestore(&q->lock, flags);
}

void timer_subsystem_init(void)
{
	softirq_register(SOFTIRQ_TIMER, timer_softirq);
}

void timer_cpu_init(unsigned int cpu)
{
	struct timer_queue *q = &per_cpu(timer_queue, cpu);

	spin_lock_init(&q->lock, LOCK_TIMER);
	/* A CPU that starts anew keeps the array that it has. */
	if (!q->heap.nodes)
		heap_init(&q->heap, q->first_array, FIRST_SLOTS);
	q->heap.nr = 0;
	q->overflow = NULL;
	q->programmed = STIME_MAX;
}
