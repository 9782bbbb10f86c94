/* SPDX-License-Identifier: MIT */
/* The page tables that a vCPU runs on, and the end of a domain's memory. */
#include "x86/pv/pv_mmu.h"

#include "hv/arch.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/mm/tlb.h"

/* --- which tables are in force --- */

void pv_update_cr3(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	const struct page_info *kernel = pv->guest_table, *user = pv->guest_table_user ?: kernel;

	pv->mode_cr3[true] = kernel ? mfn_to_maddr(page_to_mfn(kernel)) : virt_to_maddr(idle_l4);
	pv->mode_cr3[false] = user ? mfn_to_maddr(page_to_mfn(user)) : virt_to_maddr(idle_l4);
	v->arch->cr3 = pv->mode_cr3[pv->in_kernel];
}

/* The window and everything else of the hypervisor stay as they are: every L4 of a domain has the
 * same slots of it. */
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
	/* The base that is not in force lies in KERNEL_GS_BASE; a guest cannot run SWAPGS itself.
	 */
	__asm__ __volatile__("swapgs" ::: "memory");
	/* The way of every system call: not worth a note of the flush. */
	write_cr3(cr3);
}

/* Puts a new table in *slot, with its reference, and drops the old one. v is current or does not
 * run. */
static int new_base(struct vcpu *v, struct page_info **slot, mfn_t mfn)
{
	struct domain *d = v->domain;
	struct page_info *new = NULL, *old;
	int err = page_held_settle(mfn_valid(mfn) ? mfn_to_page(mfn) : NULL);

	if (err)
		return err;
	pv_mmu_lock(d);
	if (mfn_x(mfn)) {
		/* Most often it is pinned, so this is a mere count. */
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
	/* It does not run, and an idle CPU runs on tables of its own: no CPU has these loaded. */
	v->arch->cr3 = virt_to_maddr(idle_l4);
	if (pv->held_page)
		err = drop_slot(page_owner(pv->held_page), &pv->held_page);
	if (!err)
		err = drop_slot(d, &pv->guest_table_user);
	if (!err)
		err = drop_slot(d, &pv->guest_table);
	return err;
}

/* --- walking and reading as the guest sees it --- */

/* The frame of the L1 table that maps `addr`, and what the entries above it allow; false: there is
 * none. */
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

/* Kernels change entries that lie side by side: most walks end where the one before did. */
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

/* --- who may have translations --- */

void pv_cpus_of_domain(const struct domain *d, cpumask_t *cpus)
{
	cpumask_and(cpus, &cpu_online_map, &d->arch->dirty_cpus);
}

int pv_cpus_of_vcpus(struct domain *d, const void __guest *bitmap, cpumask_t *cpus)
{
	u8 bits[HV_MAX_VCPUS / 8];
	struct vcpu *v;

	/* Bits of vCPUs that do not exist mean nothing, and the guest's array may end before them:
	 * in whole words of it. */
	if (copy_from_guest(bits, bitmap, ROUND_UP(DIV_ROUND_UP(d->max_vcpus, 8), 8)))
		return -EFAULT;
	cpumask_zero(cpus);
	for_each_vcpu(d, v) {
		/* One that does not run, or moves meanwhile, loads its tables before it runs again:
		 * that is a flush. */
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

/* --- the end --- */

/*
 * Takes the next page off the head of d's list and puts it to the tail: what somebody else still
 * has a reference on stays there until he drops it. NULL: the list is empty. *got: with a
 * reference; without one the page is on its way out already, or has lost its allocation and lives
 * by a pin or by others. *pinned: it has a pin, which keeps it alive as long as d's mmu_lock is
 * held. Both are seen under page_lock, while the page cannot leave the list: one with neither may
 * be another domain's as soon as that is dropped, and is not to be touched.
 */
static struct page_info *relinquish_next(struct domain *d, bool *got, bool *pinned)
{
	struct page_info *pg;

	spin_lock(&d->page_lock);
	pg = page_list_first(&d->pages);
	if (pg) {
		page_list_del(pg, &d->pages);
		page_list_add_tail(pg, &d->pages);
		*got = page_get(pg, d);
		*pinned = READ_ONCE(pg->type_info) & PGT_PINNED;
	}
	spin_unlock(&d->page_lock);
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

/* The next page: 0, -ERESTART, or -ENOENT: there is none. */
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
		/* Its pin keeps it on the list: it is next again. */
		spin_lock(&d->page_lock);
		page_list_del(pg, &d->pages);
		page_list_add(pg, &d->pages);
		spin_unlock(&d->page_lock);
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
 * The vCPUs are gone (pv_vcpu_drop_page_tables), so all type references of tables come from pins,
 * tables above, and other domains' held pages. Levels only point downwards, so when each page has
 * lost its pin and its allocation, whatever nobody else uses has been freed.
 */
int pv_domain_relinquish(struct domain *d)
{
	unsigned long *left = &d->arch->relinquish_pages;
	unsigned int n = 0;
	int err;

	if (!*left) {
		spin_lock(&d->page_lock);
		*left = 1 + d->pages.nr;
		spin_unlock(&d->page_lock);
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
