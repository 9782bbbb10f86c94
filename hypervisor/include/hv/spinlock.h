/* SPDX-License-Identifier: MIT */
/*
 * Ticket spinlocks with a rank (hv/locks.h). A lock that an interrupt handler takes must always be
 * taken with spin_lock_irqsave, never with spin_lock. A debug build checks the ranks, and that
 * locks of such ranks are taken with interrupts off.
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

/*
 * For a hypervisor that runs in a virtual machine: from now on a free lock goes to whichever CPU
 * comes first. Called at boot, before other CPUs run.
 */
void spin_set_unfair(void);
void spin_lock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
bool __must_check spin_trylock(spinlock_t *l);
/* Returns the flags for spin_unlock_irqrestore. */
unsigned long __must_check spin_lock_irqsave(spinlock_t *l);
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags);
bool spin_is_locked(const spinlock_t *l);
/*
 * Takes two locks of a LOCK_PAIR rank, `a` first if a_first is true. With a == b takes the one lock
 * once.
 */
void spin_lock_pair(spinlock_t *a, spinlock_t *b, bool a_first);
void spin_unlock_pair(spinlock_t *a, spinlock_t *b);

/*
 * Put around an interrupt handler: pass the result of enter to leave. In a debug build, between the
 * two calls, the locks of the interrupted code do not count in the check of ranks. That is right:
 * they were taken with interrupts on, so no handler ever takes them.
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
