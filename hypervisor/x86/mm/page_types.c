/* SPDX-License-Identifier: MIT */
/*
 * Type references: they keep a guest from writing a page table that the processor walks.
 * page_type_get takes one and page_type_put drops it; type_count_up refuses a second type.
 *
 * THE RULE. A guest cannot write a frame that a processor uses as a page table or descriptor table,
 * and no processor uses a frame as such while a guest can write it. So the hypervisor sees each
 * entry before a processor does, and each entry that the hypervisor accepts maps only what the
 * guest may have.
 *
 * COUNTS. type_info holds a type and a count of uses as that type. The type cannot change while the
 * count is above zero. Each use also has a general reference (count_info), so a frame with type
 * references is never freed. The uses are:
 *   WRITABLE   a present, writable L1 entry; a grant; the hypervisor while it writes for a guest
 *   L1..L3     a present entry of a table one level up, of the same owner
 *   L1..L4     a pin (PGT_PINNED owns one)
 *   L4         CR3 of a vCPU, for its kernel or its user mode
 *   SEG_DESC   a page of a vCPU's GDT or LDT
 *   any table  held_page of a vCPU: the remains of a preempted operation (below)
 * A present, read-only L1 entry holds a general reference only. An entry for device memory holds
 * none. A table points exactly one level down, never to its own level or up. So there are no cycles
 * of type references, and no linear page tables.
 *
 * STATES of a table whose count is above zero. The owner's mmu_lock guards every change of state:
 *   VALIDATED    Every present entry holds its references. A parent, a CR3 or a pin may show the
 *                table to a processor in this state only, and only in this state may the guest
 *                have an entry changed.
 *   PARTIAL, nr  Entries below nr hold their references; those from nr on hold none. With
 *                PARTIAL_CHILD, entry nr holds its references too, but its child is partial.
 * Validation moves nr up from 0, devalidation down from 512. Both may stop after any entry
 * (hypercall_preempt_check) and leave the page partial. held_page of the vCPU (or the parent, as
 * PARTIAL_CHILD) then holds a reference on the page. Taking the next reference of the same type
 * continues upwards from nr, whichever way nr moved before; dropping the last one continues
 * downwards. So the work on a partial page needs no owner, and a failed validation is simply a
 * partial page whose reference is dropped.
 *
 * CHANGES OF TYPE happen while the count is zero, in this order:
 *   lock         A cmpxchg takes the first reference of the new type. From here on no CPU gets
 *                another type. (For a table the owner's mmu_lock is held as well.) The page is not
 *                VALIDATED yet.
 *   flush        A TLB may still have a writable translation from before, or a paging-structure
 *                cache may still walk the page as the table that it was. The CPUs that may have
 *                either are the owner's dirty_cpus, or all CPUs if another domain had the page
 *                writable. Those that have not flushed since the count fell to zero (the stamp)
 *                flush now. Changes to and from WRITABLE both need this.
 *   validate     Now the contents cannot change any more: each entry is checked once.
 *   publish      VALIDATED is set. A WRITABLE page needs the flush but no lock, so its second
 *                user waits for VALIDATED.
 *
 * Another domain's L1 table may map a frame. Then only the atomic words of the frame's struct
 * page_info are touched, and its owner's lock is not taken. PGT_FOREIGN records that the owner's
 * dirty_cpus are not all the CPUs that may have a translation.
 */
#include "x86/mm/page_types.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "lib/errno.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/page_validate.h"
#include "x86/mm/tlb.h"

static bool page_type_is_locked_kind(u64 type)
{
	return type - PGT_L1 <= PGT_SEG_DESC - PGT_L1;
}

void frame_flush_cache(mfn_t mfn)
{
	char *p = map_frame(mfn);

	smp_mb();
	for (unsigned int i = 0; i < PAGE_SIZE; i += 64)
		__asm__ __volatile__("clflush %0" : "+m"(p[i]));
	smp_mb();
	unmap_frame(p);
}

static bool type_change_needs_flush(u64 old, u64 type)
{
	return (old & PGT_TYPE_MASK) != type && (old & PGT_TYPE_MASK) != PGT_NONE;
}

/*
 * The frame's type_info was `old`; the frame now has another type and no user yet. Drops every
 * translation, and every uncached write's stale cache line, from before.
 */
static noinline void type_change_flush(struct page_info *pg, u64 old)
{
	const struct domain *d = page_owner(pg);
	cpumask_t cpus = cpu_online_map;

	if (!(old & PGT_FOREIGN) && d && d->arch)
		cpumask_and(&cpus, &cpus, &d->arch->dirty_cpus);
	tlb_filter(&cpus, (u32)((old & PGT_STAMP_MASK) >> PGT_STAMP_SHIFT));
	if (!cpumask_empty(&cpus))
		tlb_flush_mask(&cpus);
	if (old & PGT_UNCACHED)
		frame_flush_cache(page_to_mfn(pg));
}

/* Counts one more user. *old: type_info before. */
static int type_count_up(struct page_info *pg, u64 type, u64 *old)
{
	u64 x = READ_ONCE(pg->type_info), new;

	do {
		if (x & PGT_COUNT_MASK) {
			if ((x & PGT_TYPE_MASK) != type)
				return -EINVAL;
			if ((x & PGT_COUNT_MASK) == PGT_COUNT_MASK)
				return -EBUSY;
			new = x + 1;
		} else {
			new = type | 1;
			if ((x & PGT_TYPE_MASK) == type)
				new |= x &(PGT_FOREIGN | PGT_UNCACHED);
			if (page_type_is_locked_kind(type))
				new |= PGT_PARTIAL;
			else if (!type_change_needs_flush(x, type))
				new |= PGT_VALIDATED;
		}
	} while (!atomic_cmpxchg(&pg->type_info, &x, new));
	*old = x;
	return 0;
}

int page_type_get_keep(struct page_info *pg, u64 type, bool *kept)
{
	u64 old;
	int err = type_count_up(pg, type, &old);

	*kept = !err;
	if (err)
		return err;
	if (!(old & PGT_COUNT_MASK)) {
		if (type_change_needs_flush(old, type))
			type_change_flush(pg, old);
		if (!page_type_is_locked_kind(type)) {
			if (type_change_needs_flush(old, type))
				atomic_or(&pg->type_info, PGT_VALIDATED);
			return 0;
		}
	} else if (likely(old & PGT_VALIDATED)) {
		return 0;
	} else if (!page_type_is_locked_kind(type)) {
		/*
		 * Another CPU is between lock and publish. Its flush may need this CPU, so
		 * interrupts are on.
		 */
		while (!(READ_ONCE(pg->type_info) & PGT_VALIDATED))
			cpu_relax();
		return 0;
	}
	ASSERT(!page_owner(pg) || spin_is_locked(&page_owner(pg)->arch->mmu_lock));
	return page_validate(pg);
}

/* --- the remains of preempted operations --- */

static struct page_info **held_slot(void)
{
	return current->is_idle ? NULL : &current->arch->held_page;
}

/*
 * Takes over a general and a type reference of a partial page. They go to held_page, which
 * page_held_settle has emptied before each operation. Without that place (boot, or a second
 * reference on the same page, dropped at once) the work is finished here.
 */
static noinline void held_keep(struct page_info *pg)
{
	struct page_info **held = held_slot();

	if (held && !*held) {
		*held = pg;
		return;
	}
	while (page_type_put(pg) == -ERESTART)
		;
	page_put(pg);
}

/* The current vCPU now has its own reference on pg: drops the one in held_page. */
static void held_release_duplicate(const struct page_info *pg)
{
	struct page_info **held = held_slot();
	struct page_info *mine;

	if (likely(!held || *held != pg))
		return;
	mine = *held;
	*held = NULL;
	page_put_table(mine);
}

void page_put_table(struct page_info *pg)
{
	if (unlikely(page_type_put(pg)))
		held_keep(pg);
	else
		page_put(pg);
}

int page_held_settle(const struct page_info *target)
{
	struct page_info **held = held_slot(), *pg;
	struct domain *owner;
	int err;

	if (likely(!held || !*held || *held == target))
		return 0;
	pg = *held;
	owner = page_owner(pg);
	spin_lock(&owner->arch->mmu_lock);
	err = page_type_put(pg);
	spin_unlock(&owner->arch->mmu_lock);
	if (err)
		return err;
	*held = NULL;
	page_put(pg);
	return 0;
}

/* --- references --- */

/*
 * Drops the type reference of a page that turned out invalid. The caller keeps its general
 * reference.
 */
static noinline void type_drop_failed(struct page_info *pg)
{
	while (page_type_put(pg) == -ERESTART) {
		if (page_get(pg, page_owner(pg))) {
			held_keep(pg);
			return;
		}
	}
}

int page_type_get(struct page_info *pg, u64 type)
{
	bool kept;
	int err = page_type_get_keep(pg, type, &kept);

	if (unlikely(err) && kept && err != -ERESTART)
		type_drop_failed(pg);
	return err;
}

/*
 * The stamp is the clock's value from before the cmpxchg. A use that comes and goes in between may
 * leave a translation after that value, yet leaves the count as it was. So while the count is above
 * zero the stamp's bits count drops, and the cmpxchg fails if there was such a use.
 */
int page_type_put(struct page_info *pg)
{
	u64 x = READ_ONCE(pg->type_info), new;

	do {
		ASSERT(x & PGT_COUNT_MASK);
		new = x - 1;
		if (new &PGT_COUNT_MASK) {
			new += BIT(PGT_STAMP_SHIFT);
			if (unlikely(new &PGT_DROPS_FULL))
				new &= ~PGT_STAMP_MASK;
			continue;
		}
		if (page_type_is_table(x & PGT_TYPE_MASK) &&
		    (x & (PGT_VALIDATED | PGT_PARTIAL_CHILD | PGT_NR_MASK))) {
			int err = page_devalidate(pg);

			if (err)
				return err;
			x = READ_ONCE(pg->type_info);
		}
		new = (x & (PGT_TYPE_MASK | PGT_FOREIGN | PGT_UNCACHED)) |
		      (u64)tlb_clock() << PGT_STAMP_SHIFT;
	} while (!atomic_cmpxchg(&pg->type_info, &x, new));
	return 0;
}

int page_get_and_type(mfn_t mfn, struct domain *d, u64 type, struct page_info **out)
{
	struct page_info *pg = page_get_from_mfn(mfn, d);
	bool kept;
	int err;

	if (!pg)
		return -EINVAL;
	err = page_type_get_keep(pg, type, &kept);
	if (likely(!err)) {
		held_release_duplicate(pg);
		*out = pg;
	} else if (!kept) {
		page_put(pg);
	} else if (err == -ERESTART) {
		held_keep(pg);
	} else {
		page_put_table(pg);
	}
	return err;
}

void page_put_and_type(struct page_info *pg)
{
	while (page_type_put(pg) == -ERESTART)
		;
	log_dirty_mark(pg);
	page_put(pg);
}

int arch_page_get_writable(struct page_info *pg)
{
	return page_type_get(pg, PGT_WRITABLE);
}

void arch_page_put_writable(struct page_info *pg)
{
	/* Only tables are preempted. */
	if (page_type_put(pg))
		BUG();
	log_dirty_mark(pg);
}
