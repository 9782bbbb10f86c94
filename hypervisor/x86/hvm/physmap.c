/* SPDX-License-Identifier: MIT */
#include "x86/hvm/physmap.h"

#include <xen/grant_table.h>
#include "hv/domain.h"
#include "hv/percpu.h"
#include "lib/errno.h"
#include "x86/hvm/p2m.h"

#define LARGE_ORDER 9

/* --- memory_op --- */

/* Enters frames that one entry can map; on an error no reference is left. */
static int map_piece(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	unsigned long n = 1UL << order, got = 0;
	int err = 0;

	while (!err && got < n) {
		err = p2m_refs_get(d, mfn_add(mfn, got), type);
		got += !err;
	}
	if (!err)
		err = p2m_set(d, gfn, mfn, order, type);
	if (err)
		while (got--)
			p2m_refs_put(d, mfn_add(mfn, got), type);
	return err;
}

/* Takes n entries away again, if they are still these. */
static void unmap_pieces(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned long n)
{
	struct p2m_batch b = { .nr = 0 };

	for (unsigned long i = 0; i < n; i++) {
		/* Another vCPU may have taken it away already. */
		if (p2m_take(d, GFN(gfn_x(gfn) + i), mfn_add(mfn, i), 0, P2M_KEEP, &b))
			continue;
		if (b.nr == P2M_BATCH)
			p2m_batch_finish(d, &b);
	}
	p2m_batch_finish(d, &b);
}

int hvm_gfn_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum gfn_use use)
{
	enum p2m_type type = use == GFN_OWN ? P2M_RAM_RW : P2M_FOREIGN;
	unsigned long old;

	if (order == LARGE_ORDER && !((gfn_x(gfn) | mfn_x(mfn)) & ((1UL << order) - 1)))
		return map_piece(d, gfn, mfn, order, type);
	if (use == GFN_OWN && !order) {
		/* Only a shared page, or one that is about to move, has a number already. */
		old = m2p_get(mfn);
		if (old != M2P_INVALID && old != gfn_x(gfn)) {
			int err = p2m_remove(d, GFN(old), mfn);

			if (err && err != -ENOENT)
				return err;
		}
	}
	for (unsigned long i = 0; i < 1UL << order; i++) {
		int err = map_piece(d, GFN(gfn_x(gfn) + i), mfn_add(mfn, i), 0, type);

		if (err) {
			unmap_pieces(d, gfn, mfn, i);
			return err;
		}
	}
	return 0;
}

int hvm_gfn_unmap(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	return p2m_remove(d, gfn, mfn);
}

/* Takes an extent away, in one piece if it is one. False: not all of it was d's RAM. */
static bool give_up_extent(struct domain *d, gfn_t gfn, unsigned int order, struct p2m_batch *b)
{
	if (order == LARGE_ORDER && !p2m_take(d, gfn, INVALID_MFN, order, P2M_GIVE_UP, b)) {
		if (b->nr == P2M_BATCH)
			p2m_batch_finish(d, b);
		return true;
	}
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (p2m_take(d, GFN(gfn_x(gfn) + i), INVALID_MFN, 0, P2M_GIVE_UP, b))
			return false;
		if (b->nr == P2M_BATCH)
			p2m_batch_finish(d, b);
	}
	return true;
}

unsigned int hvm_gfn_give_up(struct domain *d, const gfn_t *gfns, unsigned int nr,
			     unsigned int order)
{
	struct p2m_batch b = { .nr = 0 };
	unsigned int done = 0;

	while (done < nr && give_up_extent(d, gfns[done], order, &b))
		done++;
	p2m_batch_finish(d, &b);
	return done;
}

unsigned long hvm_gfn_max(const struct domain *d)
{
	return READ_ONCE(p2m_of(d)->max_gfn);
}

/* --- grants --- */

/*
 * The entry holds references of its own besides those of the grant, as in x86/pv/grant_map.c. RAM
 * that had the number is given up.
 */
int hvm_grant_map(u64 addr, mfn_t frame, unsigned int flags)
{
	enum p2m_type type = flags & GNTMAP_readonly ? P2M_GRANT_RO : P2M_GRANT_RW;

	if ((flags & GNTMAP_contains_pte) || (addr & ~PAGE_MASK))
		return GNTST_bad_virt_addr;
	return map_piece(current->domain, GFN(addr >> PAGE_SHIFT), frame, 0, type) ?
		       GNTST_general_error :
		       GNTST_okay;
}

/* p2m_remove flushes, so the caller may drop the grant's references at once. */
int hvm_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags)
{
	struct domain *d = current->domain;
	gfn_t gfn = GFN(addr >> PAGE_SHIFT);
	enum p2m_type type;

	if (new_addr || (addr & ~PAGE_MASK))
		return GNTST_bad_virt_addr;
	(void)p2m_lookup(d, gfn, &type);
	if ((type != P2M_GRANT_RW && type != P2M_GRANT_RO) || p2m_remove(d, gfn, frame))
		return GNTST_general_error;
	return GNTST_okay;
}
