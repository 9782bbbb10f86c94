/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange: a domain gives frames back and gets the same number of others, contiguous or
 * below an address, for its devices.
 *
 * The exchange runs in chunks, and each chunk happens as a whole or not at all. First the new
 * frames are allocated, then the old ones are taken from the domain, then the new ones become the
 * domain's. The last step fails only if the domain is dying, or cannot be told its frame numbers.
 */
#include "core/memory/memory_op.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/frame.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"
#include "lib/errno.h"

#define EXTENTS_MAX BIT(MEMORY_ORDER_MAX) /* extents of one chunk; also the limit of its frames */

struct exchange {
	struct domain *d;
	const struct xen_memory_exchange *x;
	unsigned int memf;
	unsigned int in_per_chunk, out_per_chunk; /* extents */
	struct page_list in, out;      /* the domain's old frames; heads of the new extents */
	xen_pfn_t *in_mfns, *out_pfns; /* EXTENTS_MAX each */
	unsigned long *in_names;       /* machine-to-phys entries of the frames in `in` */
};

/*
 * n frames were taken from d without counting and do not come back, because d is dying: counts them
 * out.
 */
static void uncount_frames(struct domain *d, unsigned long n)
{
	bool last;

	if (!n)
		return;
	spin_lock(&d->memory.lock);
	d->memory.tot_pages -= (u32)n;
	last = d->memory.tot_pages == 0;
	spin_unlock(&d->memory.lock);
	if (last)
		domain_put(d);
}

static void free_new(struct exchange *e)
{
	struct page_info *pg;

	while ((pg = page_list_first(&e->out)) != NULL) {
		page_list_del(pg, &e->out);
		page_free(pg, e->x->out.extent_order);
	}
}

static void give_back_old(struct exchange *e)
{
	struct page_info *pg;
	unsigned long lost = 0;

	for (unsigned int i = 0; (pg = page_list_first(&e->in)) != NULL; i++) {
		page_list_del(pg, &e->in);
		m2p_set(page_to_mfn(pg), e->in_names[i]);
		if (page_assign(e->d, pg, 0, MEMF_NO_REFCOUNT)) {
			page_free(pg, 0);
			lost++;
		}
	}
	uncount_frames(e->d, lost);
}

static void free_old(struct exchange *e)
{
	struct page_info *pg;

	while ((pg = page_list_first(&e->in)) != NULL) {
		page_list_del(pg, &e->in);
		m2p_set(page_to_mfn(pg), M2P_INVALID);
		page_free(pg, 0);
	}
}

static int allocate_new(struct exchange *e)
{
	for (unsigned int i = 0; i < e->out_per_chunk; i++) {
		struct page_info *pg =
			page_alloc(NULL, e->x->out.extent_order, e->memf | MEMF_NO_ASSIGN);

		if (!pg)
			return -ENOMEM;
		page_list_add_tail(pg, &e->out);
	}
	return 0;
}

static int take_old(struct exchange *e)
{
	for (unsigned int i = 0; i < e->in_per_chunk; i++) {
		for (unsigned long j = 0; j < 1UL << e->x->in.extent_order; j++) {
			mfn_t mfn = MFN(e->in_mfns[i] + j);
			int err;

			if (!mfn_valid(mfn))
				return -EINVAL;
			e->in_names[e->in.nr] = m2p_get(mfn);
			err = page_steal(e->d, mfn_to_page(mfn), MEMF_NO_REFCOUNT);
			if (err)
				return err;
			page_list_add_tail(mfn_to_page(mfn), &e->in);
		}
	}
	return 0;
}

/*
 * Gives the new extents to the domain and tells it their frame numbers, from output extent `first`
 * on.
 */
static int hand_over(struct exchange *e, unsigned long first)
{
	unsigned int order = e->x->out.extent_order;
	struct page_info *pg;
	int err = 0;

	for (unsigned int i = 0; (pg = page_list_first(&e->out)) != NULL; i++) {
		xen_pfn_t mfn = mfn_x(page_to_mfn(pg));

		page_list_del(pg, &e->out);
		/*
		 * First: as soon as the frames are the domain's, another vCPU may give them back.
		 */
		for (unsigned long j = 0; j < 1UL << order; j++)
			m2p_set(MFN(mfn + j), e->out_pfns[i] + j);
		if (page_assign(e->d, pg, order, MEMF_NO_REFCOUNT)) {
			page_free(pg, order);
			uncount_frames(e->d, 1UL << order);
			err = -EINVAL;
			continue;
		}
		for (unsigned long j = 0; j < 1UL << order; j++)
			arch_pfn_written(e->d, e->out_pfns[i] + j);
		if (copy_to_guest_offset(e->x->out.extent_start, first + i, &mfn, 1))
			err = -EFAULT;
	}
	return err;
}

static int exchange_chunk(struct exchange *e, unsigned long chunk)
{
	unsigned long in_first = chunk * e->in_per_chunk, out_first = chunk * e->out_per_chunk;
	int err;

	if (copy_from_guest_offset(e->in_mfns, e->x->in.extent_start, in_first, e->in_per_chunk) ||
	    copy_from_guest_offset(e->out_pfns, e->x->out.extent_start, out_first,
				   e->out_per_chunk))
		return -EFAULT;
	for (unsigned int i = 0; i < e->out_per_chunk; i++)
		if (e->out_pfns[i] >= MEMORY_PFN_MAX)
			return -EINVAL;
	err = allocate_new(e);
	if (!err)
		err = take_old(e);
	if (err) {
		give_back_old(e);
		free_new(e);
		return err;
	}
	free_old(e);
	return hand_over(e, out_first);
}

static int exchange_check(const struct xen_memory_exchange *x)
{
	unsigned int in = x->in.extent_order, out = x->out.extent_order;

	if (x->in.domid != x->out.domid || in > MEMORY_ORDER_MAX || out > MEMORY_ORDER_MAX)
		return -EINVAL;
	if (x->in.nr_extents > MEMOP_EXTENTS_MAX >> in ||
	    x->out.nr_extents > MEMOP_EXTENTS_MAX >> out ||
	    x->in.nr_extents << in != x->out.nr_extents << out ||
	    x->nr_exchanged > x->in.nr_extents)
		return -EINVAL;
	return 0;
}

static long exchange_all(struct exchange *e, struct xen_memory_exchange *x)
{
	unsigned long first = x->nr_exchanged / e->in_per_chunk,
		      chunks = x->in.nr_extents / e->in_per_chunk;
	int err;

	for (unsigned long chunk = first; chunk < chunks; chunk++) {
		if (chunk != first && hypercall_preempt_check())
			return -ERESTART;
		err = exchange_chunk(e, chunk);
		if (err)
			return err;
		x->nr_exchanged += e->in_per_chunk;
	}
	return 0;
}

long memory_exchange(void *arg, unsigned long *done)
{
	struct xen_memory_exchange *x = arg;
	unsigned int in = x->in.extent_order, out = x->out.extent_order;
	struct exchange e = { .x = x, .in = PAGE_LIST_INIT, .out = PAGE_LIST_INIT };
	long ret = exchange_check(x);
	int err;

	if (ret)
		return ret;
	e.in_per_chunk = out > in ? 1U << (out - in) : 1;
	e.out_per_chunk = in > out ? 1U << (in - out) : 1;
	if (x->nr_exchanged % e.in_per_chunk ||
	    !memory_flags_decode(x->out.mem_flags, out, &e.memf))
		return -EINVAL;
	e.d = hypercall_target(x->in.domid, &err);
	if (!e.d)
		return err;
	if (!guest_frames_are_machine(e.d)) {
		domain_put(e.d);
		return -EOPNOTSUPP;
	}
	e.in_mfns = hv_alloc(3 * EXTENTS_MAX * sizeof(xen_pfn_t));
	if (e.in_mfns) {
		e.out_pfns = e.in_mfns + EXTENTS_MAX;
		e.in_names = e.out_pfns + EXTENTS_MAX;
		ret = exchange_all(&e, x);
		hv_free(e.in_mfns);
	} else {
		ret = -ENOMEM;
	}
	domain_put(e.d);
	return ret;
}
