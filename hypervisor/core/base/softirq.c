/* SPDX-License-Identifier: MIT */
/* Softirqs and tasklets: work that an interrupt, or another CPU, defers. */
#include "hv/softirq.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/domain.h"

DEFINE_PER_CPU(u32, softirq_pending);

/* A CPU's scheduled tasklets: a stack. Anyone may push; the CPU itself takes the whole stack. */
static DEFINE_PER_CPU(struct tasklet *, tasklets);

static void tasklet_run_all(void);

static void (*handlers[SOFTIRQ_COUNT])(void) = {
	[SOFTIRQ_TASKLET] = tasklet_run_all,
};

void softirq_register(enum softirq nr, void (*handler)(void))
{
	handlers[nr] = handler;
}

void softirq_raise(enum softirq nr)
{
	atomic_or(&this_cpu(softirq_pending), 1U << nr);
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	u32 old = __atomic_fetch_or(&per_cpu(softirq_pending, cpu), 1U << nr, __ATOMIC_SEQ_CST);

	/*
	 * If the bit was set already, its setter has sent the IPI, or it is the CPU itself and will
	 * look.
	 */
	if (!(old & (1U << nr)) && cpu != smp_processor_id())
		arch_cpu_kick(cpu);
}

/*
 * SOFTIRQ_SCHEDULE comes last: it takes into account what the other handlers wake, and it may
 * switch to another vCPU and not return. The loop also runs softirqs that become pending meanwhile.
 * It ends, because a handler runs only on a new cause, and no guest can raise a softirq while its
 * CPU is in here.
 */
noinline void softirq_run(void)
{
	u32 pending;

	while ((pending = READ_ONCE(this_cpu(softirq_pending))) != 0) {
		u32 others = pending & ~(1U << SOFTIRQ_SCHEDULE);
		unsigned int nr = others ? (unsigned int)__builtin_ctz(others) : SOFTIRQ_SCHEDULE;

		atomic_and(&this_cpu(softirq_pending), ~(1U << nr));
		if (likely(handlers[nr]))
			handlers[nr]();
	}
}

void tasklet_schedule(struct tasklet *t)
{
	struct tasklet **head = &this_cpu(tasklets), *old;

	if (atomic_xchg(&t->scheduled, 1))
		return;
	old = READ_ONCE(*head);
	do {
		t->next = old;
	} while (!atomic_cmpxchg(head, &old, t));
	softirq_raise(SOFTIRQ_TASKLET);
}

static void tasklet_run_all(void)
{
	struct tasklet *t = atomic_xchg(&this_cpu(tasklets), NULL), *next, *ordered = NULL;

	/* Run in order of scheduling; the stack has the reverse order. */
	for (; t; t = next) {
		next = t->next;
		t->next = ordered;
		ordered = t;
	}
	for (t = ordered; t; t = next) {
		next = t->next;
		/*
		 * From here on the tasklet may be scheduled again, also by fn itself: do not use
		 * its link any more.
		 */
		atomic_xchg(&t->scheduled, 0);
		t->fn(t->data);
	}
}
