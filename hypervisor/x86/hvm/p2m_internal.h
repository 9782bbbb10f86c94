/* SPDX-License-Identifier: MIT */
/* Shared by p2m.c and p2m_log.c. The p2m's lock is held. */
#ifndef X86_HVM_P2M_INTERNAL_H
#define X86_HVM_P2M_INTERNAL_H

#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "lib/errno.h"
#include "x86/hvm/p2m.h"
#include "x86/hvm/p2m_format.h"
#include "x86/mm/log_dirty.h"

#define P2M_LARGE_ORDER	 9
#define P2M_LARGE_FRAMES BIT(P2M_LARGE_ORDER)

/*
 * Follows tables to the entry that says what gfn maps; its level, 1 to 4, and its value. Lookups
 * call it without the lock.
 */
static inline u64 *p2m_entry_find(const struct p2m *p2m, unsigned long gfn, unsigned int *level,
				  u64 *value)
{
	u64 *table = p2m->root;

	for (*level = P2M_LEVELS;; (*level)--) {
		u64 *slot = table + ((gfn >> (9 * (*level - 1))) & (P2M_ENTRIES - 1));

		*value = READ_ONCE(*slot);
		if (*level == 1 || !p2m_entry_is_table(p2m->format, *value))
			return slot;
		table = mfn_to_hv_virt(p2m_entry_mfn(*value));
	}
}

/* An entry of 2 MiB becomes a table of 4 KiB entries that map the same. 0, -ENOMEM. */
int p2m_entry_split(struct domain *d, u64 *slot);

/* p2m_log.c */
extern const struct log_dirty_ops p2m_log_ops;
/* A write to RAM_LOGDIRTY: may it be tried again? Takes the lock itself. */
bool p2m_log_first_write(struct domain *d, unsigned long gfn);

#endif
