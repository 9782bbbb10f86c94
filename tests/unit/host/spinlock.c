/* SPDX-License-Identifier: MIT */
/* Locks of the simulated CPUs. One thread runs all CPUs, so waiting for a lock that is held can
 * only be an error. */
#include "host/host.h"
#include "hv/arch/cpu.h"
#include "hv/spinlock.h"
#include "unit.h"

#define __weak	 __attribute__((weak))
#define MAX_HELD 8

void (*host_unlocked)(const spinlock_t *l);

static spinlock_t *held[HV_MAX_CPUS][MAX_HELD];
static unsigned int nr_held[HV_MAX_CPUS];

unsigned int host_locks_held(void)
{
	return nr_held[host_cpu];
}

static void take(spinlock_t *l, bool pair)
{
	unsigned int n = nr_held[host_cpu];

	if (l->owner_cpu)
		fail_msg("lock of rank %u taken while CPU %u holds it", l->rank, l->owner_cpu - 1);
	for (unsigned int i = 0; i < n && l->rank; i++)
		if (held[host_cpu][i]->rank > l->rank ||
		    (held[host_cpu][i]->rank == l->rank && !pair))
			fail_msg("lock of rank %u taken inside rank %u", l->rank,
				 held[host_cpu][i]->rank);
	if (n == MAX_HELD)
		fail_msg("too many locks held");
	l->owner_cpu = (u16)(host_cpu + 1);
	held[host_cpu][n] = l;
	nr_held[host_cpu] = n + 1;
}

__weak void spin_lock(spinlock_t *l)
{
	take(l, false);
}

__weak bool spin_trylock(spinlock_t *l)
{
	if (l->owner_cpu)
		return false;
	take(l, false);
	return true;
}

__weak void spin_unlock(spinlock_t *l)
{
	unsigned int n = nr_held[host_cpu], i;

	if (l->owner_cpu != host_cpu + 1)
		fail_msg("lock of rank %u released by CPU %u, which does not hold it", l->rank,
			 host_cpu);
	l->owner_cpu = 0;
	for (i = 0; i < n && held[host_cpu][i] != l; i++)
		;
	for (; i + 1 < n; i++)
		held[host_cpu][i] = held[host_cpu][i + 1];
	nr_held[host_cpu] = n - 1;
	if (host_unlocked)
		host_unlocked(l);
}

__weak unsigned long spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags = arch_irq_save();

	take(l, false);
	return flags;
}

__weak void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	spin_unlock(l);
	arch_irq_restore(flags);
}

__weak bool spin_is_locked(const spinlock_t *l)
{
	return l->owner_cpu != 0;
}

__weak void spin_lock_pair(spinlock_t *a, spinlock_t *b, bool a_first)
{
	take(a_first ? a : b, false);
	if (a != b)
		take(a_first ? b : a, true);
}

__weak void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
}
