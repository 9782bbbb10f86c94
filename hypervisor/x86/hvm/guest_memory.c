/* SPDX-License-Identifier: MIT */
/*
 * Reads take no reference: the bytes are read through map_frame first, and then the p2m's entry
 * again. If it is the same, the frame was the guest's when it was read, or it came back, and then
 * the bytes may be a mixture as they may with any racing writer. If not, the bytes may be somebody
 * else's: they are thrown away, and the read starts again.
 */
#include "x86/hvm/guest_memory.h"

#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/domain.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/feature.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/p2m.h"
#include "x86/hvm/physmap.h"

/* --- by guest-physical address, within a page --- */

/* After so many changes of one entry during one read, the read fails. */
#define READ_TRIES 16

static int page_read(struct domain *d, void *dst, u64 gpa, size_t size)
{
	for (unsigned int tries = 0; tries < READ_TRIES; tries++) {
		struct p2m_peek peek;
		const char *page;

		if (!p2m_peek(d, GFN(gpa >> PAGE_SHIFT), &peek))
			return -EFAULT;
		page = map_frame(peek.mfn);
		if (size == sizeof(u64) && gpa % sizeof(u64) == 0)
			*(u64 *)dst = READ_ONCE(*(const u64 *)(page + (gpa & ~PAGE_MASK)));
		else
			memcpy(dst, page + (gpa & ~PAGE_MASK), size);
		unmap_frame(page);
		smp_rmb();
		if (likely(p2m_peek_holds(&peek)))
			return 0;
	}
	return -EFAULT;
}

/* src NULL: zeros. */
static int page_write(struct domain *d, u64 gpa, const void *src, size_t size)
{
	mfn_t mfn;
	struct page_info *pg = p2m_access_get(d, GFN(gpa >> PAGE_SHIFT), true, &mfn);
	char *page;

	if (!pg)
		return -EFAULT;
	page = map_frame(mfn);
	if (src)
		memcpy(page + (gpa & ~PAGE_MASK), src, size);
	else
		memset(page + (gpa & ~PAGE_MASK), 0, size);
	unmap_frame(page);
	p2m_access_put(d, pg, true);
	return 0;
}

/* The part of [addr, addr + size) in addr's page. */
static size_t in_page(u64 addr, size_t size)
{
	return min(size, (size_t)(PAGE_SIZE - (addr & ~PAGE_MASK)));
}

/* --- the guest's page tables --- */

static int entry_read(void *d, u64 gpa, unsigned int size, u64 *entry)
{
	u64 e = 0;
	int err = page_read(d, &e, gpa, size);

	*entry = e;
	return err;
}

static int entry_cmpxchg(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new)
{
	struct domain *d = ctx;
	mfn_t mfn;
	struct page_info *pg = p2m_access_get(d, GFN(gpa >> PAGE_SHIFT), true, &mfn);
	u32 old32 = (u32)old;
	char *page, *at;
	bool done;

	if (!pg)
		return -EFAULT;
	page = map_frame(mfn);
	at = page + (gpa & ~PAGE_MASK);
	done = size == sizeof(u64) ? atomic_cmpxchg((u64 *)at, &old, new) :
				     atomic_cmpxchg((u32 *)at, &old32, (u32) new);
	unmap_frame(page);
	p2m_access_put(d, pg, true);
	return done ? 0 : -EAGAIN;
}

static const struct guest_walk_memory walk_memory = { entry_read, entry_cmpxchg };

static void paging_of_current(struct guest_paging *p)
{
	const struct hvm_vcpu *h = hvm_of(current);

	p->cr0 = h->cr0;
	p->cr3 = h->cr3;
	p->cr4 = h->cr4;
	p->efer = h->efer;
	p->rflags = guest_cpu_user_regs()->rflags;
	/* The processor checks a guest's entries against its own widths, not the CPUID it shows. */
	p->paddr_bits = cpu_features.paddr_bits;
	p->has_1gib = cpu_features.page1gb;
}

enum copy { COPY_FROM, COPY_TO };

static int copy_linear(enum copy dir, u64 linear, void *buf, size_t size, u32 access,
		       struct hvm_access_fault *f)
{
	struct domain *d = current->domain;
	struct guest_paging p;
	bool wide;

	paging_of_current(&p);
	wide = p.efer & EFER_LMA;
	for (size_t n; size; size -= n, linear += n) {
		int err;

		if (!wide)
			linear = (u32)linear;
		n = in_page(linear, size);
		f->address = linear;
		err = guest_walk(&p, linear, access, &walk_memory, d, &f->walk);
		if (!err)
			err = dir == COPY_FROM ? page_read(d, buf, f->walk.gpa, n) :
						 page_write(d, f->walk.gpa, buf, n);
		if (err)
			return err;
		if (buf)
			buf = (char *)buf + n;
	}
	return 0;
}

int hvm_read_linear(void *dst, u64 linear, size_t size, u32 access, struct hvm_access_fault *fault)
{
	return copy_linear(COPY_FROM, linear, dst, size, access, fault);
}

/* --- struct guest_memory_ops --- */

static int copy_from(void *dst, const void __guest *src, size_t size)
{
	struct hvm_access_fault f;

	return copy_linear(COPY_FROM, (__force u64)src, dst, size, 0, &f) ? -EFAULT : 0;
}

static int copy_to(void __guest *dst, const void *src, size_t size)
{
	struct hvm_access_fault f;

	return copy_linear(COPY_TO, (__force u64)dst, (void *)src, size, WALK_WRITE, &f) ? -EFAULT :
											   0;
}

static int clear(void __guest *dst, size_t size)
{
	struct hvm_access_fault f;

	return copy_linear(COPY_TO, (__force u64)dst, NULL, size, WALK_WRITE, &f) ? -EFAULT : 0;
}

const struct guest_memory_ops hvm_memory_ops = {
	.frame_get = p2m_frame_get,
	.copy_from = copy_from,
	.copy_to = copy_to,
	.clear = clear,
	.gfn_map = hvm_gfn_map,
	.gfn_unmap = hvm_gfn_unmap,
	.gfn_give_up = hvm_gfn_give_up,
	.gfn_max = hvm_gfn_max,
};
