/* SPDX-License-Identifier: MIT */
/* The page tables that a vCPU runs on, walks of them, and the teardown of a domain's memory. */
#include "x86/pv/pv_mmu.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/tlb.h"

/* --- which tables are in force --- */

/*
 * If the domain's writes are logged, v will run on mirrors of its tables: true. mmu_lock held.
 * mode_cr3 says until then what v runs on: mirror_reserve keeps those mirrors.
 */
static noinline bool use_mirrors(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	const struct page_info *kernel = pv->guest_table, *user = pv->guest_table_user ?: kernel;

	if (!log_dirty_of(v->domain) || !kernel)
		return false;
	mirror_reserve(v->domain, 2);
	pv->mode_cr3[true] = mfn_to_maddr(mirror_of_l4(v->domain, kernel));
	pv->mode_cr3[false] = mfn_to_maddr(mirror_of_l4(v->domain, user));
	return true;
}

void pv_update_cr3(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	const struct page_info *kernel = pv->guest_table, *user = pv->guest_table_user ?: kernel;

	if (likely(!READ_ONCE(log_dirty_domains)) || !use_mirrors(v)) {
		pv->mode_cr3[true] =
			kernel ? mfn_to_maddr(page_to_mfn(kernel)) : virt_to_maddr(idle_l4);
		pv->mode_cr3[false] =
			user ? mfn_to_maddr(page_to_mfn(user)) : virt_to_maddr(idle_l4);
	}
	v->arch->cr3 = pv->mode_cr3[pv->in_kernel];
}

/*
 * Every L4 of a domain has the same slots of the hypervisor, so those, and the window in them, stay
 * valid.
 */
void pv_load_cr3(struct vcpu *v)
{
	tlb_load_cr3(v->arch->cr3);
}

void pv_toggle_mode(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	bool kernel = !pv->in_kernel;
	u64 cr3 = pv->mode_cr3[kernel];

	pv->in_kernel = kernel;
	v->arch->cr3 = cr3;
	/* KERNEL_GS_BASE holds the base that is not in force. A guest cannot run SWAPGS itself. */
	__asm__ __volatile__("swapgs" ::: "memory");
	/*
	 * Every system call comes this way: noting the flush for tlb_filter would cost more than it
	 * saves.
	 */
	write_cr3(cr3);
}

/*
 * Sets *slot to a new table, with its references, and drops the old one; frame 0: none. v is
 * current or does not run.
 */
static int new_base(struct vcpu *v, struct page_info **slot, mfn_t mfn)
{
	struct domain *d = v->domain;
	struct page_info *new = NULL, *old;
	int err = page_held_settle(mfn_valid(mfn) ? mfn_to_page(mfn) : NULL);

	if (err)
		return err;
	pv_mmu_lock(d);
	if (mfn_x(mfn)) {
		/* Most often the table is pinned, so this only counts. */
		err = page_get_and_type(mfn, d, PGT_L4, &new);
		if (err) {
			pv_mmu_unlock(d);
			return err;
		}
	}
	old = *slot;
	*slot = new;
	pv_update_cr3(v);
	if (v == current)
		pv_load_cr3(v);
	if (old)
		page_put_table(old);
	pv_mmu_unlock(d);
	return 0;
}

int pv_new_guest_l4(struct vcpu *v, mfn_t mfn)
{
	if (!mfn_x(mfn))
		return -EINVAL;
	return new_base(v, &pv_of(v)->guest_table, mfn);
}

int pv_new_user_l4(struct vcpu *v, mfn_t mfn)
{
	return new_base(v, &pv_of(v)->guest_table_user, mfn);
}

int pv_pin_table(struct domain *d, mfn_t mfn, u64 type)
{
	struct page_info *pg;
	int err;

	pv_mmu_lock(d);
	err = page_get_and_type(mfn, d, type, &pg);
	if (!err)
		atomic_or(&pg->type_info, PGT_PINNED);
	pv_mmu_unlock(d);
	return err;
}

static int drop_slot(struct domain *d, struct page_info **slot)
{
	int err;

	if (!*slot)
		return 0;
	pv_mmu_lock(d);
	err = page_type_put(*slot);
	pv_mmu_unlock(d);
	if (!err) {
		page_put(*slot);
		*slot = NULL;
	}
	return err;
}

int pv_vcpu_drop_page_tables(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	struct domain *d = v->domain;
	int err = 0;

	ASSERT(v != current);
	/*
	 * v does not run, and idle CPUs use the hypervisor's own tables: no CPU has v's tables
	 * loaded.
	 */
	v->arch->cr3 = virt_to_maddr(idle_l4);
	if (v->arch->held_page)
		err = drop_slot(page_owner(v->arch->held_page), &v->arch->held_page);
	if (!err)
		err = drop_slot(d, &pv->guest_table_user);
	if (!err)
		err = drop_slot(d, &pv->guest_table);
	return err;
}

/* --- walking and reading as the guest sees it --- */

/*
 * Finds the frame of the L1 table that maps `addr`, and the rights that the entries above allow;
 * false: there is none.
 */
static noinline bool walk_to_l1(const struct page_info *l4, unsigned long addr, mfn_t *l1,
				u64 *rights)
{
	mfn_t mfn = page_to_mfn(l4);

	*rights = PTE_RW | PTE_USER | PTE_NX;
	for (unsigned int level = 4; level > 1; level--) {
		u64 e, *table = map_frame(mfn);

		e = READ_ONCE(table[pt_index(addr, level)]);
		unmap_frame(table);
		if (!(e & PTE_PRESENT))
			return false;
		*rights &= e ^ PTE_NX;
		mfn = pte_mfn(e);
	}
	*l1 = mfn;
	return true;
}

/* Kernels change neighbouring entries in turn, so most walks end where the last one did. */
u64 *pv_map_l1_slot(struct vcpu *v, unsigned long addr, u64 *rights)
{
	struct pv_vcpu *pv = pv_of(v);
	const struct page_info *l4 =
		pv->in_kernel || !pv->guest_table_user ? pv->guest_table : pv->guest_table_user;
	u64 generation = v->domain->arch->table_generation, *table;

	if (unlikely(!l4 || !pv_guest_address_ok(addr)))
		return NULL;
	if (unlikely(pv->last_walk.l4 != l4 || pv->last_walk.region != addr >> 21 ||
		     pv->last_walk.generation != generation)) {
		pv->last_walk.l4 = NULL;
		if (!walk_to_l1(l4, addr, &pv->last_walk.l1, &pv->last_walk.rights))
			return NULL;
		pv->last_walk.l4 = l4;
		pv->last_walk.region = addr >> 21;
		pv->last_walk.generation = generation;
	}
	*rights = pv->last_walk.rights;
	table = map_frame(pv->last_walk.l1);
	return &table[pt_index(addr, 1)];
}

u64 pv_read_guest_l1e(unsigned long addr)
{
	struct domain *d = current->domain;
	u64 rights, e = 0, *slot;

	pv_mmu_lock(d);
	slot = pv_map_l1_slot(current, addr, &rights);
	if (slot) {
		e = READ_ONCE(*slot);
		pv_unmap_slot(slot);
	}
	pv_mmu_unlock(d);
	return e & PTE_PRESENT ? e : 0;
}

unsigned int pv_fetch_insn(const struct cpu_user_regs *regs, u8 buf[15])
{
	unsigned long rip = regs->rip;
	unsigned int in_page = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));

	memset(buf, 0, 15);
	if (!copy_from_guest(buf, (const void __guest *)rip, 15))
		return 15;
	if (in_page < 15 && !copy_from_guest(buf, (const void __guest *)rip, in_page))
		return in_page;
	return 0;
}

int pv_copy_from_kernel(void *dst, const void __guest *src, size_t size)
{
	const struct pv_vcpu *pv = pv_of(current);
	int err;

	if (pv->in_kernel || !pv->guest_table_user)
		return copy_from_guest(dst, src, size);
	write_cr3(pv->mode_cr3[true]);
	err = copy_from_guest(dst, src, size);
	write_cr3(pv->mode_cr3[false]);
	return err;
}

/* --- CPUs that may have translations --- */

void pv_cpus_of_domain(const struct domain *d, cpumask_t *cpus)
{
	cpumask_and(cpus, &cpu_online_map, &d->arch->dirty_cpus);
}

int pv_cpus_of_vcpus(struct domain *d, const void __guest *bitmap, cpumask_t *cpus)
{
	u8 bits[HV_MAX_VCPUS / 8];
	struct vcpu *v;

	/*
	 * Bits of vCPUs that do not exist are ignored. The guest's array may be shorter than
	 * HV_MAX_VCPUS, but consists of whole words.
	 */
	if (copy_from_guest(bits, bitmap, ROUND_UP(DIV_ROUND_UP(d->max_vcpus, 8), 8)))
		return -EFAULT;
	cpumask_zero(cpus);
	for_each_vcpu(d, v) {
		/*
		 * A vCPU that does not run, or moves meanwhile, loads its tables before it runs
		 * again, which is a flush.
		 */
		if ((bits[v->id / 8] >> (v->id % 8)) & 1)
			cpumask_set(READ_ONCE(v->processor), cpus);
	}
	cpumask_and(cpus, cpus, &d->arch->dirty_cpus);
	return 0;
}

/* --- other domains --- */

struct domain *pv_owner_get(unsigned int id, int *err)
{
	struct domain *self = current->domain;

	if (likely(id == DOMID_SELF) || id == self->id)
		return self;
	if (id == DOMID_IO)
		return dom_io;
	if (id == DOMID_XEN) {
		*err = -EPERM;
		return self->is_privileged ? dom_xen : NULL;
	}
	return hypercall_target(id, err);
}

void pv_owner_put(struct domain *d)
{
	if (d != current->domain && d != dom_io && d != dom_xen)
		domain_put(d);
}

struct page_info *pv_translate_entry(struct domain *owner, u64 *entry)
{
	mfn_t mfn;
	struct page_info *pg = guest_frame_get(owner, GFN(mfn_x(pte_mfn(*entry))), &mfn);

	if (pg)
		*entry = pte_make(mfn, *entry & ~PTE_ADDR_MASK);
	return pg;
}

/* --- teardown --- */

/*
 * Moves the first page of d's list to the tail and returns it; NULL: the list is empty. A page with
 * others' references stays on the list until they are dropped.
 *
 * *got: the caller has a reference now. If not, the page is being freed already, or has lost its
 * allocation and lives by a pin or others' references. *pinned: the page has a pin, which keeps it
 * alive while d's mmu_lock is held.
 *
 * Both are read under memory.lock, while the page cannot leave the list. A page with neither may
 * belong to another domain once memory.lock is dropped, so it must not be touched.
 */
static struct page_info *relinquish_next(struct domain *d, bool *got, bool *pinned)
{
	struct page_info *pg;

	spin_lock(&d->memory.lock);
	pg = page_list_first(&d->memory.pages);
	if (pg) {
		page_list_del(pg, &d->memory.pages);
		page_list_add_tail(pg, &d->memory.pages);
		*got = page_get(pg, d);
		*pinned = READ_ONCE(pg->type_info) & PGT_PINNED;
	}
	spin_unlock(&d->memory.lock);
	return pg;
}

/* d's mmu_lock is held. -ERESTART: the pin and its reference are still there. */
static int relinquish_pin(struct page_info *pg)
{
	int err = page_type_put(pg);

	if (!err) {
		atomic_and(&pg->type_info, ~PGT_PINNED);
		page_put(pg);
	}
	return err;
}

/* Relinquishes the next page. 0, -ERESTART, or -ENOENT: there is none. */
static int relinquish_page(struct domain *d)
{
	bool got = false, pinned = false;
	struct page_info *pg;
	int err = 0;

	pv_mmu_lock(d);
	pg = relinquish_next(d, &got, &pinned);
	if (!pg)
		err = -ENOENT;
	else if (pinned)
		err = relinquish_pin(pg);
	if (err == -ERESTART) {
		/* The pin keeps the page on the list: make it the next one again. */
		spin_lock(&d->memory.lock);
		page_list_del(pg, &d->memory.pages);
		page_list_add(pg, &d->memory.pages);
		spin_unlock(&d->memory.lock);
	}
	pv_mmu_unlock(d);
	if (got) {
		if (!err)
			page_put_alloc_ref(pg);
		page_put(pg);
	}
	return err;
}

/*
 * The vCPUs' tables are dropped (pv_vcpu_drop_page_tables), so all type references on tables come
 * from pins, from tables above, and from other domains' held pages. Tables only point to lower
 * levels. So once each page has lost its pin and its allocation, every page without another user is
 * free.
 */
int pv_domain_relinquish(struct domain *d)
{
	unsigned long *left = &d->arch->relinquish_pages;
	unsigned int n = 0;
	int err;

	if (!*left) {
		spin_lock(&d->memory.lock);
		*left = 1 + d->memory.pages.nr;
		spin_unlock(&d->memory.lock);
	}
	for (; *left > 1; (*left)--) {
		if (++n % 64 == 0 && hypercall_preempt_check())
			return -ERESTART;
		err = relinquish_page(d);
		if (err == -ENOENT)
			break;
		if (err)
			return err;
	}
	*left = 1;
	return 0;
}
