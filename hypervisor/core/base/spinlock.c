/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks. They are fair, so no CPU starves. But in a virtual machine the CPU whose ticket is
 * next may not be running, and all others would wait until its host runs it. There, whichever CPU
 * comes first takes a free lock (measured in an emulator on a busy host: with tickets, half the
 * processor time of booting Debian went into such waits).
 *
 * The debug build keeps a stack of held locks for each CPU. It panics at the first acquisition out
 * of order, and when a lock of interrupt handlers is taken with interrupts on.
 */
#include "hv/spinlock.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/percpu.h"

#ifdef HV_DEBUG

#define HELD_MAX 16

struct held_locks {
	unsigned int nr, base; /* entries below base belong to the interrupted code */
	const spinlock_t *lock[HELD_MAX];
};
static DEFINE_PER_CPU(struct held_locks, held_locks);

/*
 * Ranks of locks that interrupt handlers take, or that are taken under such a lock: interrupts must
 * be off.
 */
static bool rank_needs_irqs_off(unsigned int rank)
{
	return rank == LOCK_IRQ || rank == LOCK_IOAPIC || rank == LOCK_PCI || rank == LOCK_SCHED ||
	       rank == LOCK_SCHED_CAP || rank == LOCK_TIMER || rank == LOCK_CONSOLE;
}

/* same: this is the second lock of a pair, so its rank may equal the first one's. */
static void check_acquire(const spinlock_t *l, bool same)
{
	const struct held_locks *h = &this_cpu(held_locks);

	if (l->rank == LOCK_NONE)
		return;
	if (rank_needs_irqs_off(l->rank) && arch_irqs_enabled())
		panic("lock %p of rank %u taken with interrupts on", (const void *)l, l->rank);
	for (unsigned int i = h->base; i < h->nr; i++) {
		unsigned int held = h->lock[i]->rank;

		if (h->lock[i] == l)
			panic("lock %p of rank %u taken twice", (const void *)l, l->rank);
		if (held > l->rank || (held == l->rank && !same && held != LOCK_NONE))
			panic("lock %p of rank %u taken under one of rank %u", (const void *)l,
			      l->rank, held);
	}
}

static void note_acquired(spinlock_t *l)
{
	struct held_locks *h = &this_cpu(held_locks);
	unsigned long flags = arch_irq_save();

	l->owner_cpu = (u16)(smp_processor_id() + 1);
	if (h->nr == HELD_MAX)
		panic("more than %u locks held", HELD_MAX);
	h->lock[h->nr++] = l;
	arch_irq_restore(flags);
}

static void note_release(spinlock_t *l)
{
	struct held_locks *h = &this_cpu(held_locks);
	unsigned long flags = arch_irq_save();
	unsigned int i = h->nr;

	while (i > 0 && h->lock[i - 1] != l)
		i--;
	if (i == 0)
		panic("lock %p of rank %u released by a CPU that does not hold it", (const void *)l,
		      l->rank);
	for (h->nr--; i <= h->nr; i++)
		h->lock[i - 1] = h->lock[i];
	l->owner_cpu = 0;
	arch_irq_restore(flags);
}

unsigned int spin_context_enter(void)
{
	struct held_locks *h = &this_cpu(held_locks);
	unsigned int before = h->base;

	h->base = h->nr;
	return before;
}

void spin_context_leave(unsigned int before)
{
	this_cpu(held_locks).base = before;
}

#else

static inline void check_acquire(const spinlock_t *l, bool same)
{
}
static inline void note_acquired(spinlock_t *l)
{
}
static inline void note_release(spinlock_t *l)
{
}

#endif

static bool unfair;

void spin_set_unfair(void)
{
	unfair = true;
}

/* Takes the next ticket if that one is served at once, that is, if the lock is free. */
static bool try_ticket(spinlock_t *l)
{
	u32 now = READ_ONCE(l->both);

	/* Arithmetic, because GCC keeps a local union on the stack. */
	return (u16)now == now >> 16 && atomic_cmpxchg(&l->both, &now, now + (1U << 16));
}

static noinline void wait_for(spinlock_t *l)
{
	if (unfair) {
		while (!try_ticket(l))
			cpu_relax();
	} else {
		u16 ticket = __atomic_fetch_add(&l->tail, 1, __ATOMIC_ACQ_REL);

		while (__atomic_load_n(&l->head, __ATOMIC_ACQUIRE) != ticket)
			cpu_relax();
	}
}

static void acquire(spinlock_t *l, bool same)
{
	check_acquire(l, same);
	if (unlikely(!try_ticket(l)))
		wait_for(l);
	note_acquired(l);
}

void spin_lock(spinlock_t *l)
{
	acquire(l, false);
}

void spin_unlock(spinlock_t *l)
{
	note_release(l);
	__atomic_store_n(&l->head, (u16)(l->head + 1), __ATOMIC_RELEASE);
}

bool spin_trylock(spinlock_t *l)
{
	if (!try_ticket(l))
		return false;
	note_acquired(l);
	return true;
}

unsigned long spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags = arch_irq_save();

	acquire(l, false);
	return flags;
}

void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	spin_unlock(l);
	arch_irq_restore(flags);
}

bool spin_is_locked(const spinlock_t *l)
{
	const spinlock_t now = { .both = READ_ONCE(l->both) };

	return now.head != now.tail;
}

void spin_lock_pair(spinlock_t *a, spinlock_t *b, bool a_first)
{
	if (a == b) {
		acquire(a, false);
		return;
	}
	acquire(a_first ? a : b, false);
	acquire(a_first ? b : a, true);
}

void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
}
