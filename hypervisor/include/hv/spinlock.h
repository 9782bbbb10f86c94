/* SPDX-License-Identifier: MIT */
/*
 * Ticket spinlocks with a rank (hv/locks.h). spin_lock may not be used on a lock that an interrupt
 * handler takes: those are taken with spin_lock_irqsave. A debug build checks ranks and that every
 * lock is used one way only.
 */
#ifndef HV_SPINLOCK_H
#define HV_SPINLOCK_H

#include "hv/locks.h"
#include "lib/types.h"

typedef struct spinlock {
	union {
		u32 both;
		struct {
			u16 head, tail; /* now served; next ticket */
		};
	};
	u16 rank;
	u16 owner_cpu; /* debug: CPU + 1 */
} spinlock_t;

#define SPINLOCK_INIT(r)    \
	{                   \
		.rank = (r) \
	}
#define DEFINE_SPINLOCK(name, r) spinlock_t name = SPINLOCK_INIT(r)

static inline void spin_lock_init(spinlock_t *l, enum lock_rank rank)
{
	*l = (spinlock_t)SPINLOCK_INIT((u16)rank);
}

/* At boot, before other CPUs run, if this machine is a virtual one: locks go to whoever comes first
 * from now on. */
void spin_set_unfair(void);
void spin_lock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
bool __must_check spin_trylock(spinlock_t *l);
unsigned long __must_check
spin_lock_irqsave(spinlock_t *l); /* returns the flags for spin_unlock_irqrestore */
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags);
bool spin_is_locked(const spinlock_t *l);
/* Both locks of a LOCK_PAIR rank, in the order of `a_first`; a == b takes it once. */
void spin_lock_pair(spinlock_t *a, spinlock_t *b, bool a_first);
void spin_unlock_pair(spinlock_t *a, spinlock_t *b);

/*
 * Debug build: an interrupt handler's locks are not ordered with those of the code that it
 * interrupted, which no handler ever takes (they were taken with interrupts on). Around a handler;
 * the first one's result goes to the second.
 */
#ifdef HV_DEBUG
unsigned int spin_context_enter(void);
void spin_context_leave(unsigned int before);
#else
static inline unsigned int spin_context_enter(void)
{
	return 0;
}
static inline void spin_context_leave(unsigned int before)
{
}
#endif

#endif
