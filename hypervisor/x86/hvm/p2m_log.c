/* SPDX-License-Identifier: MIT */
/*
 * The dirty log of a p2m: which entries lose and get the right to write. The top of
 * x86/mm/log_dirty.c explains the log.
 *
 * RAM_LOGDIRTY is RAM_RW without that right, with the same references. When a vCPU first writes to
 * such a page, p2m_fault gives the right back, and marks the page then. An entry of 2 MiB is split
 * for that, so that the log has pages of 4 KiB; if there is no table for a split, all of it gets
 * the right and is marked. When the log is off, the entries that are left get the right in pieces
 * as large as they are.
 */
#include "hv/arch/frame.h"
#include "hv/hypercall.h"
#include "x86/hvm/p2m_internal.h"

/* Under the lock: the entry maps the same with another type of RAM. */
static void set_type(const struct p2m *p2m, u64 *slot, unsigned int level, enum p2m_type type)
{
	WRITE_ONCE(*slot, p2m_entry_leaf(p2m->format, p2m_entry_mfn(*slot), level, type));
}

bool p2m_log_first_write(struct domain *d, unsigned long gfn)
{
	struct p2m *p2m = p2m_of(d);
	unsigned long first = gfn, n = 1;
	struct log_dirty *log;
	unsigned int level;
	u64 *slot, e;

	spin_lock(&p2m->lock);
	slot = p2m_entry_find(p2m, gfn, &level, &e);
	if (p2m_entry_type(p2m->format, e) != P2M_RAM_LOGDIRTY) {
		spin_unlock(&p2m->lock);
		return e & p2m->format->writable; /* another vCPU was faster */
	}
	log = log_dirty_of(d);
	if (level == 2 && log && !p2m_entry_split(d, slot))
		slot = p2m_entry_find(p2m, gfn, &level, &e);
	if (level == 2) {
		n = P2M_LARGE_FRAMES;
		first = gfn & ~(n - 1);
	}
	set_type(p2m, slot, level, P2M_RAM_RW);
	if (log)
		atomic_inc(&log->faults);
	for (unsigned long i = 0; i < n; i++)
		arch_pfn_written(d, first + i);
	spin_unlock(&p2m->lock);
	return true;
}

static unsigned long log_pages(const struct domain *d)
{
	return READ_ONCE(p2m_of(d)->max_gfn) + 1;
}

/* Under the lock. Returns the first gfn that the entry of gfn does not map. */
static unsigned long protect_entry(const struct p2m *p2m, unsigned long gfn)
{
	unsigned int level;
	u64 e, *slot = p2m_entry_find(p2m, gfn, &level, &e);

	if (e && p2m_entry_type(p2m->format, e) == P2M_RAM_RW)
		set_type(p2m, slot, level, P2M_RAM_LOGDIRTY);
	return (gfn | ((1UL << (9 * (level - 1))) - 1)) + 1;
}

#define START_BATCH 512 /* entries that are visited under the lock, between two checks */

static int log_start(struct domain *d)
{
	struct p2m *p2m = p2m_of(d);
	unsigned long *next = &p2m->log_next, end = READ_ONCE(p2m->max_gfn);

	/* An entry that is made from now on has its mark. */
	while (*next <= end) {
		spin_lock(&p2m->lock);
		for (unsigned int i = 0; i < START_BATCH && *next <= end; i++)
			*next = protect_entry(p2m, *next);
		spin_unlock(&p2m->lock);
		if (*next <= end && hypercall_preempt_check())
			return -ERESTART;
	}
	*next = 0;
	p2m_flush(d);
	return 0;
}

static void log_protect(struct domain *d, unsigned long first, const u64 *words, unsigned int n)
{
	struct p2m *p2m = p2m_of(d);

	spin_lock(&p2m->lock);
	for (unsigned int i = 0; i < n; i++) {
		for (u64 bits = words[i]; bits; bits &= bits - 1) {
			unsigned long gfn = first + i * 64UL + (unsigned int)__builtin_ctzl(bits);

			if (gfn < P2M_GFN_END)
				(void)protect_entry(p2m, gfn);
		}
	}
	spin_unlock(&p2m->lock);
}

const struct log_dirty_ops p2m_log_ops = {
	.pages = log_pages,
	.start = log_start,
	.protect = log_protect,
	.flush = p2m_flush,
};
