/* SPDX-License-Identifier: MIT */
/*
 * Several CPUs run the hypervisor's own code at once, in every order.
 *
 * Each CPU is a coroutine. It may lose its turn before each lock, each release, each atomic
 * operation and each READ_ONCE. It gives its turn away where it waits: for a lock, in cpu_relax,
 * for an interrupt.
 *
 * interleave_explore() runs a scene many times. In the first run, turns change only where a CPU
 * waits. Then there is one further change, at each point of the run; then a second one at each
 * later point; and so on up to the scene's bound. The scene's check must hold after each run.
 *
 * A test includes this file before all others, and then the .c files under test, so that their
 * lock-free accesses are points too. A file that is only linked has no points but its locks. Memory
 * is sequentially consistent here: the test does not notice when a store and a later load lack an
 * atomic operation between them.
 *
 * For one test file: everything is static.
 */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include "lib/types.h"

static void interleave_step(void);
static void interleave_relax(void);

#undef READ_ONCE
#define READ_ONCE(x) (interleave_step(), *(const volatile __typeof__(x) *)&(x))

#include "hv/atomic.h"
#include "lib/bitmap.h"

#undef cpu_relax
#define cpu_relax() interleave_relax()
/* The builtins behind the atomic_*() functions. */
#define __atomic_fetch_add(p, v, o)  (interleave_step(), __atomic_fetch_add(p, v, o))
#define __atomic_fetch_sub(p, v, o)  (interleave_step(), __atomic_fetch_sub(p, v, o))
#define __atomic_add_fetch(p, v, o)  (interleave_step(), __atomic_add_fetch(p, v, o))
#define __atomic_sub_fetch(p, v, o)  (interleave_step(), __atomic_sub_fetch(p, v, o))
#define __atomic_fetch_or(p, v, o)   (interleave_step(), __atomic_fetch_or(p, v, o))
#define __atomic_fetch_and(p, v, o)  (interleave_step(), __atomic_fetch_and(p, v, o))
#define __atomic_exchange_n(p, v, o) (interleave_step(), __atomic_exchange_n(p, v, o))
#define __atomic_compare_exchange_n(p, old, v, weak, o, f) \
	(interleave_step(), __atomic_compare_exchange_n(p, old, v, weak, o, f))
#define bit_set_atomic(m, n)		(interleave_step(), bit_set_atomic(m, n))
#define bit_clear_atomic(m, n)		(interleave_step(), bit_clear_atomic(m, n))
#define bit_test_and_set_atomic(m, n)	(interleave_step(), bit_test_and_set_atomic(m, n))
#define bit_test_and_clear_atomic(m, n) (interleave_step(), bit_test_and_clear_atomic(m, n))
#define bitmap_is_empty(m, n)		(interleave_step(), bitmap_is_empty(m, n))
#define bitmap_and(d, a, b, n)		(interleave_step(), bitmap_and(d, a, b, n))

#include "host/host.h"
#include "hv/arch/cpu.h"
#include "hv/domain.h"
#include "hv/softirq.h"
#include "unit.h"

#define INTERLEAVE_CPUS	      3
#define INTERLEAVE_STEPS      6000 /* a longer run counts as endless */
#define INTERLEAVE_BOUND      3
#define INTERLEAVE_STACK_SIZE KiB(64)

struct interleave_scene {
	const char *name;
	unsigned int cpus;
	unsigned int changes;		/* most planned changes of turns in one run */
	void (*setup)(void);		/* makes a new machine; on the test's own stack */
	void (*body)(unsigned int cpu); /* a CPU's part, before it waits for interrupts */
	void (*check)(void);		/* runs when all CPUs wait */
	void (*teardown)(void);
};

static struct {
	ucontext_t context;
	void *fake_stack;
	const spinlock_t *wants; /* the lock that it waits for, or NULL */
	bool waits;		 /* for an interrupt */
	bool interrupted;	 /* by arch_cpu_kick: the next wait ends at once */
	unsigned int locks;
} interleave_cpus[INTERLEAVE_CPUS];
static char interleave_stacks[INTERLEAVE_CPUS][INTERLEAVE_STACK_SIZE] __aligned(16);

static ucontext_t interleave_main;
static const void *interleave_main_stack;
static size_t interleave_main_size;
static const struct interleave_scene *interleave_scene;
static bool interleave_running;
static const char *interleave_failure;
static unsigned int interleave_steps; /* of this run so far */
static unsigned long interleave_runs; /* of this scene */
static struct {
	unsigned int step, cpu;
} interleave_plan[INTERLEAVE_BOUND]; /* at this step, that CPU gets the turn */
static unsigned int interleave_planned;
/*
 * For each number of planned changes and each step: which CPUs could have gone on, and which one
 * did.
 */
static struct {
	u8 able, chosen;
} interleave_seen[INTERLEAVE_BOUND + 1][INTERLEAVE_STEPS];

/* --- turns --- */

static void interleave_switch(unsigned int next);

/*
 * Fails the test. The jump out of it happens on the test's own stack, where the sanitizer
 * understands it.
 */
static void interleave_fail(const char *what)
{
	char plan[200] = "";

	if (interleave_running) {
		interleave_failure = what;
		interleave_switch(INTERLEAVE_CPUS);
	}
	for (unsigned int i = 0; i < interleave_planned; i++)
		snprintf(plan + strlen(plan), sizeof(plan) - strlen(plan), " step %u to CPU %u;",
			 interleave_plan[i].step, interleave_plan[i].cpu);
	fail_msg("%s: %s (run %lu, changes of turns:%s after %u steps)", interleave_scene->name,
		 what, interleave_runs, plan, interleave_steps);
}

/* The same for assertions on a CPU's stack. */
#undef assert_true
#undef assert_false
#undef assert_int_equal
#undef assert_ptr_equal
#define assert_true(c)	       ((c) ? (void)0 : interleave_fail("not " #c))
#define assert_false(c)	       ((c) ? interleave_fail(#c) : (void)0)
#define assert_int_equal(a, b) ((a) == (b) ? (void)0 : interleave_fail(#a " is not " #b))
#define assert_ptr_equal(a, b) assert_int_equal(a, b)

void panic(const char *fmt, ...)
{
	static char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	interleave_fail(text);
	abort();
}

static bool interleave_able(unsigned int cpu)
{
	const spinlock_t *l = interleave_cpus[cpu].wants;

	if (l)
		return !l->owner_cpu;
	return !interleave_cpus[cpu].waits || interleave_cpus[cpu].interrupted;
}

/*
 * The CPU that gets the next turn: the planned one, else `preferred` if it can go on, else the next
 * one that can. INTERLEAVE_CPUS: none can.
 */
static unsigned int interleave_next(unsigned int preferred)
{
	unsigned int able = 0, chosen = INTERLEAVE_CPUS;

	for (unsigned int i = 0; i < interleave_scene->cpus; i++) {
		unsigned int cpu = (preferred + i) % interleave_scene->cpus;

		if (!interleave_able(cpu))
			continue;
		able |= 1U << cpu;
		if (chosen == INTERLEAVE_CPUS)
			chosen = cpu;
	}
	if (!able)
		return INTERLEAVE_CPUS;
	if (interleave_steps == INTERLEAVE_STEPS)
		interleave_fail("it goes on for ever");
	for (unsigned int i = 0; i < interleave_planned; i++)
		if (interleave_plan[i].step == interleave_steps)
			chosen = interleave_plan[i].cpu;
	interleave_seen[interleave_planned][interleave_steps].able = (u8)able;
	interleave_seen[interleave_planned][interleave_steps].chosen = (u8)chosen;
	interleave_steps++;
	return chosen;
}

/*
 * Gives this CPU's turn to `next` and returns when it comes back. INTERLEAVE_CPUS: to the end of
 * the run.
 */
static void interleave_switch(unsigned int next)
{
	unsigned int self = host_cpu;
	ucontext_t *to = next < INTERLEAVE_CPUS ? &interleave_cpus[next].context : &interleave_main;

	if (next == self)
		return;
	__sanitizer_start_switch_fiber(&interleave_cpus[self].fake_stack,
				       next < INTERLEAVE_CPUS ? interleave_stacks[next] :
								interleave_main_stack,
				       next < INTERLEAVE_CPUS ? INTERLEAVE_STACK_SIZE :
								interleave_main_size);
	if (next < INTERLEAVE_CPUS)
		host_set_cpu(next);
	swapcontext(&interleave_cpus[self].context, to);
	__sanitizer_finish_switch_fiber(interleave_cpus[self].fake_stack, NULL, NULL);
	assert_int_equal(host_cpu, self);
}

static void interleave_step(void)
{
	if (interleave_running)
		interleave_switch(interleave_next(host_cpu));
}

/* Gives the turn to any CPU that can go on; this CPU asks again at its next turn. */
static void interleave_relax(void)
{
	if (!interleave_running)
		interleave_fail("a CPU that is alone waits for another");
	interleave_switch(interleave_next(host_cpu + 1));
}

static void interleave_wait_for_interrupt(void)
{
	unsigned int self = host_cpu;

	if (!interleave_cpus[self].locks && !host_irqs_on[self])
		interleave_fail("a CPU waits with interrupts off");
	interleave_cpus[self].waits = true;
	interleave_switch(interleave_next(self));
	interleave_cpus[self].waits = interleave_cpus[self].interrupted = false;
}

void arch_cpu_kick(unsigned int cpu)
{
	interleave_step();
	if (cpu < INTERLEAVE_CPUS)
		interleave_cpus[cpu].interrupted = true;
}

/* --- locks --- */

unsigned int host_locks_held(void)
{
	return interleave_cpus[host_cpu].locks;
}

static void interleave_take(spinlock_t *l)
{
	interleave_step();
	if (l->owner_cpu == host_cpu + 1 || (l->owner_cpu && !interleave_running))
		interleave_fail("a lock is taken twice");
	while (l->owner_cpu) {
		unsigned int next;

		interleave_cpus[host_cpu].wants = l;
		next = interleave_next(host_cpu + 1);
		if (next == INTERLEAVE_CPUS)
			interleave_fail("CPUs wait for each other's locks");
		interleave_switch(next);
		interleave_cpus[host_cpu].wants = NULL;
	}
	l->owner_cpu = (u16)(host_cpu + 1);
	interleave_cpus[host_cpu].locks++;
}

void spin_lock(spinlock_t *l)
{
	interleave_take(l);
}

bool spin_trylock(spinlock_t *l)
{
	interleave_step();
	if (l->owner_cpu)
		return false;
	l->owner_cpu = (u16)(host_cpu + 1);
	interleave_cpus[host_cpu].locks++;
	return true;
}

void spin_unlock(spinlock_t *l)
{
	if (l->owner_cpu != host_cpu + 1)
		interleave_fail("a lock is released by a CPU that does not hold it");
	l->owner_cpu = 0;
	interleave_cpus[host_cpu].locks--;
	interleave_step();
}

unsigned long spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags = arch_irq_save();

	interleave_take(l);
	return flags;
}

void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	spin_unlock(l);
	arch_irq_restore(flags);
}

bool spin_is_locked(const spinlock_t *l)
{
	return l->owner_cpu != 0;
}

void spin_lock_pair(spinlock_t *a, spinlock_t *b, bool a_first)
{
	interleave_take(a_first ? a : b);
	if (a != b)
		interleave_take(a_first ? b : a);
}

void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
}

/* --- runs --- */

/* The life of a CPU: its part, and then what interrupts and softirqs ask for. */
static void interleave_cpu_main(void)
{
	/* The first CPU of all is entered from the test's own stack. */
	if (!interleave_main_stack)
		__sanitizer_finish_switch_fiber(NULL, &interleave_main_stack,
						&interleave_main_size);
	else
		__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	interleave_scene->body(host_cpu);
	for (;;) {
		softirq_run();
		/*
		 * Interrupts are off between this check and the wait: no other CPU's step comes
		 * between them.
		 */
		if (!per_cpu(softirq_pending, host_cpu))
			interleave_wait_for_interrupt();
	}
}

static void interleave_run(void)
{
	void *fake_stack;

	host_cpu = 0;
	interleave_scene->setup();
	interleave_steps = 0;
	for (unsigned int cpu = 0; cpu < interleave_scene->cpus; cpu++) {
		ucontext_t *context = &interleave_cpus[cpu].context;

		memset(&interleave_cpus[cpu], 0, sizeof(interleave_cpus[cpu]));
		/* The stack has nothing from the run before. */
		__asan_unpoison_memory_region(interleave_stacks[cpu], INTERLEAVE_STACK_SIZE);
		getcontext(context);
		context->uc_stack.ss_sp = interleave_stacks[cpu];
		context->uc_stack.ss_size = INTERLEAVE_STACK_SIZE;
		context->uc_link = NULL;
		makecontext(context, interleave_cpu_main, 0);
	}
	interleave_failure = NULL;
	interleave_running = true;
	host_set_cpu(interleave_next(0));
	__sanitizer_start_switch_fiber(&fake_stack, interleave_stacks[host_cpu],
				       INTERLEAVE_STACK_SIZE);
	swapcontext(&interleave_main, &interleave_cpus[host_cpu].context);
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
	interleave_running = false;
	interleave_runs++;
	if (interleave_failure)
		interleave_fail(interleave_failure);
	for (unsigned int cpu = 0; cpu < interleave_scene->cpus; cpu++)
		if (interleave_cpus[cpu].locks)
			interleave_fail("a lock is held for ever");
	interleave_scene->check();
	interleave_scene->teardown();
}

/*
 * Makes all runs that differ from the planned one by further changes of turns, of which the first
 * is at step `from` or later.
 */
static void interleave_explore_from(unsigned int from)
{
	unsigned int steps, depth = interleave_planned;

	interleave_run();
	steps = interleave_steps;
	if (depth == interleave_scene->changes)
		return;
	for (unsigned int step = from; step < steps; step++)
		for (unsigned int cpu = 0; cpu < interleave_scene->cpus; cpu++) {
			if (cpu == interleave_seen[depth][step].chosen ||
			    !(interleave_seen[depth][step].able & (1U << cpu)))
				continue;
			interleave_plan[depth].step = step;
			interleave_plan[depth].cpu = cpu;
			interleave_planned = depth + 1;
			interleave_explore_from(step + 1);
			interleave_planned = depth;
		}
}

static void interleave_explore(const struct interleave_scene *scene)
{
	assert_true(scene->cpus <= INTERLEAVE_CPUS && scene->changes <= INTERLEAVE_BOUND);
	interleave_scene = scene;
	interleave_runs = 0;
	interleave_planned = 0;
	interleave_explore_from(0);
	if (getenv("UNIT_LOG"))
		fprintf(stderr, "%s: %lu runs\n", scene->name, interleave_runs);
}

#endif
