/* SPDX-License-Identifier: MIT */
/*
 * Page types and the hypercalls on them, over simulated frames. After each step, every reference
 * that should exist is counted afresh from tables, pins, base pointers and held pages, and compared
 * with the frame table.
 */
/* links: hypervisor/x86/mm/page_types.c hypervisor/x86/mm/page_validate.c hypervisor/x86/mm/page_check.c */
/* links: hypervisor/x86/pv/mmu.c hypervisor/x86/pv/mmu_update.c hypervisor/x86/pv/mmuext.c */
/* links: hypervisor/x86/pv/update_va_mapping.c hypervisor/x86/pv/fault.c hypervisor/x86/pv/descriptors.c */
/* links: hypervisor/x86/pv/grant_map.c hypervisor/core/domain/page_ref.c hypervisor/core/base/page_list.c */
/* links: hypervisor/x86/emul/decode.c hypervisor/x86/emul/execute.c hypervisor/x86/emul/tables.c */
/* links: hypervisor/x86/mm/log_dirty.c hypervisor/x86/mm/mirror.c hypervisor/lib/dirty_map.c */
/* links: hypervisor/lib/bitmap.c hypervisor/lib/rangeset.c */
#include "x86/guest/guest_ops.h"
#include "x86/pv/pv_mmu.h"

#include <stdlib.h>
#include <string.h>
#include <xen/grant_table.h>
#include "core/base/page_alloc_internal.h"
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest.h"
#include "hv/atomic.h"
#include "hv/guest_page.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"
#include "hv/pause.h"
#include "hypercall_table.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/tlb.h"
#include "x86/pv/bounce.h"

/* --- the machine: two domains of some frames each, the rest of RAM is the hypervisor's --- */

#define GUEST_PAGES 48
#define RAM_PAGES   256
#define NR_VCPUS    3 /* two of guest 0 (privileged), one of guest 1 */

static struct domain *guests[2];
static struct vcpu *vcpus[NR_VCPUS];
struct domain *dom0, *dom_io, *dom_xen, *idle_domain;
struct cpu_features cpu_features = { .paddr_bits = 40 };
u64 *idle_l4;

static unsigned long freed_pages, flushes, flushed_cpus;
static long preempt_after;	    /* preemption checks until one says yes; < 0: never */
static unsigned int preempt_chance; /* out of 256 */
static u64 seed;
static unsigned long args[6];

static mfn_t guest_mfn(unsigned int g, unsigned int page)
{
	return MFN(16 + g * GUEST_PAGES + page);
}

static struct page_info *guest_page(unsigned int g, unsigned int page)
{
	return mfn_to_page(guest_mfn(g, page));
}

static u64 *guest_frame(unsigned int g, unsigned int page)
{
	return mfn_to_hv_virt(guest_mfn(g, page));
}

bool hypercall_preempt_check(void)
{
	if (preempt_after >= 0)
		return preempt_after-- == 0;
	return preempt_chance && unit_random(&seed) % 256 < preempt_chance;
}

void hypercall_set_arg(unsigned int index, unsigned long value)
{
	args[index] = value;
}

struct domain *hypercall_target(unsigned int id, int *err)
{
	*err = -EPERM;
	if (!current->domain->is_privileged)
		return NULL;
	*err = -ESRCH;
	return id < 2 ? guests[id] : NULL;
}

bool domain_get(struct domain *d)
{
	d->refcount++;
	return true;
}

void domain_put(struct domain *d)
{
	d->refcount--;
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
	pg->type_info = 0;
}

void arch_page_freed(struct page_info *pg, unsigned int order)
{
	assert_int_equal(page_type_count(pg), 0);
}

bool arch_page_has_type(const struct page_info *pg)
{
	return page_type_count(pg) != 0;
}

void page_alloc_release(struct page_info *pg, const struct domain *d)
{
	assert_int_equal(page_type_count(pg), 0);
	assert_int_equal(pg->count_info, 0);
	freed_pages++;
}

void shared_page_release(struct page_info *pg)
{
}

void m2p_set(mfn_t mfn, unsigned long pfn)
{
}

unsigned long m2p_get(mfn_t mfn)
{
	return mfn_x(mfn);
}

/* What guests[1] calls its frames is higher by this. */
static unsigned long own_numbers;

bool guest_frames_are_machine(const struct domain *d)
{
	return d != guests[1] || !own_numbers;
}

struct page_info *guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	*mfn = MFN(gfn_x(gfn) - own_numbers);
	return page_get_from_mfn(*mfn, d);
}

struct page_info *page_alloc(struct domain *d, unsigned int order, unsigned int memf)
{
	void *page = hv_alloc_pages(order);

	return page ? virt_to_page(page) : NULL;
}

void page_free(struct page_info *pg, unsigned int order)
{
	hv_free_pages(mfn_to_hv_virt(page_to_mfn(pg)), order);
}

void domain_pause(struct domain *d)
{
}

void domain_unpause(struct domain *d)
{
}

void tlb_ipi_handler(void)
{
}

void tlb_load_cr3(unsigned long cr3)
{
	host_cr3 = cr3;
}

void tlb_flush_local(void)
{
}

void tlb_flush_mask(const cpumask_t *cpus)
{
	flushes++;
	flushed_cpus = cpus->bits[0];
}

void tlb_flush_page_mask(const cpumask_t *cpus, unsigned long va)
{
}

static u32 clock_now = 1;
static void (*after_clock)(void); /* another CPU's step, right after this one has read the clock */

u32 tlb_clock(void)
{
	u32 now = clock_now;
	void (*fn)(void) = after_clock;

	after_clock = NULL;
	if (fn)
		fn();
	return now;
}

void tlb_filter(cpumask_t *cpus, u32 stamp)
{
}

void l4_fill_hypervisor_slots(u64 *l4, const struct domain *d)
{
	memset(l4 + HV_FIRST_SLOT, 0xff, (HV_LAST_SLOT - HV_FIRST_SLOT + 1) * sizeof(*l4));
}

void pv_load_ldt(const struct vcpu *v)
{
}

/* --- counting afresh --- */

struct expected {
	unsigned int refs, types;
	u64 type; /* of those references */
};
static struct expected expected[RAM_PAGES];

static void expect_ref(mfn_t mfn)
{
	if (mfn_valid(mfn))
		expected[mfn_x(mfn)].refs++;
}

static void expect_type(mfn_t mfn, u64 type)
{
	struct expected *e = &expected[mfn_x(mfn) % RAM_PAGES];

	if (!mfn_valid(mfn))
		return; /* device memory: no references */
	expect_ref(mfn);
	if (e->types)
		assert_true(e->type ==
			    type); /* a frame never has two types, so no page table is writable */
	e->type = type;
	e->types++;
}

static void expect_page(const struct page_info *pg)
{
	u64 t = pg->type_info, *table = mfn_to_hv_virt(page_to_mfn(pg)), type = t & PGT_TYPE_MASK;
	unsigned int level = (unsigned int)(type >> 60), nr = PT_ENTRIES;

	if (pg->count_info & PGC_ALLOCATED)
		expect_ref(page_to_mfn(pg));
	if (t & PGT_PINNED) {
		assert_true(page_type_is_table(type));
		expect_type(page_to_mfn(pg), type);
	}
	if (!page_type_is_table(type) || !(t & PGT_COUNT_MASK))
		return;
	if (!(t & PGT_VALIDATED)) {
		assert_true(t & PGT_PARTIAL);
		nr = (unsigned int)((t & PGT_NR_MASK) >> PGT_NR_SHIFT) +
		     ((t & PGT_PARTIAL_CHILD) != 0);
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (!(table[i] & PTE_PRESENT) || (level == 4 && l4_slot_is_hypervisor(i)))
			continue;
		if (level > 1)
			expect_type(pte_mfn(table[i]), (u64)(level - 1) << 60);
		else if (table[i] & PTE_RW)
			expect_type(pte_mfn(table[i]), PGT_WRITABLE);
		else
			expect_ref(pte_mfn(table[i]));
	}
}

static void check_everything(void)
{
	memset(expected, 0, sizeof(expected));
	for (unsigned int m = 16; m < 16 + 2 * GUEST_PAGES; m++)
		expect_page(mfn_to_page(MFN(m)));
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		const struct pv_vcpu *pv = pv_of(vcpus[i]);

		if (pv->guest_table)
			expect_type(page_to_mfn(pv->guest_table), PGT_L4);
		if (pv->guest_table_user)
			expect_type(page_to_mfn(pv->guest_table_user), PGT_L4);
		if (vcpus[i]->arch->held_page)
			expect_type(page_to_mfn(vcpus[i]->arch->held_page),
				    page_type(vcpus[i]->arch->held_page));
		for (unsigned int f = 0; f < DIV_ROUND_UP(pv->gdt_entries, 512); f++)
			expect_type(pv->gdt_frames[f], PGT_SEG_DESC);
	}
	for (unsigned int m = 16; m < 16 + 2 * GUEST_PAGES; m++) {
		const struct page_info *pg = mfn_to_page(MFN(m));

		assert_int_equal(pg->count_info & PGC_COUNT_MASK, expected[m].refs);
		assert_int_equal(page_type_count(pg), expected[m].types);
		if (expected[m].types)
			assert_true(page_type(pg) == expected[m].type);
		assert_true(page_table_is_consistent(mfn_to_page(MFN(m))));
	}
	assert_int_equal(host_frames_mapped(), 0);
	assert_int_equal(host_locks_held(), 0);
}

/* --- set-up --- */

static void *hv_page_sized(size_t size)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return hv_alloc_pages(order);
}

static struct domain *guest_new(unsigned int id)
{
	struct domain *d = hv_page_sized(sizeof(*d));

	d->id = (domid_t)id;
	d->is_privileged = id == 0;
	d->memory.max_pages = GUEST_PAGES;
	d->memory.pages = (struct page_list)PAGE_LIST_INIT;
	d->arch = hv_page_sized(sizeof(*d->arch));
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	spin_lock_init(&d->arch->mmu_lock, LOCK_PV_MMU);
	rangeset_init(&d->iomem_caps, hv_alloc, hv_free);
	d->max_vcpus = NR_VCPUS;
	d->vcpus = hv_page_sized(NR_VCPUS * sizeof(*d->vcpus));
	d->shared_info = hv_page_sized(PAGE_SIZE);
	return d;
}

static void vcpu_new(unsigned int i, struct domain *d)
{
	struct vcpu *v = hv_page_sized(sizeof(*v));

	v->id = i;
	v->domain = d;
	v->arch = hv_page_sized(sizeof(*v->arch));
	v->arch->perdomain_l1 = hv_page_sized(PAGE_SIZE);
	v->arch->pv.in_kernel = true;
	v->vcpu_info_mfn = INVALID_MFN;
	d->vcpus[i] = vcpus[i] = v;
}

static void run_as(unsigned int vcpu)
{
	current = vcpus[vcpu];
	host_cr3 = vcpus[vcpu]->arch->cr3;
}

static int set_up(void **state)
{
	host_cpus_init(4);
	host_ram_init(RAM_PAGES);
	dom_io = guest_new(DOMID_IO);
	dom_xen = guest_new(DOMID_XEN);
	idle_l4 = hv_page_sized(PAGE_SIZE);
	for (unsigned int g = 0; g < 2; g++) {
		guests[g] = guest_new(g);
		cpumask_set(g, &guests[g]->arch->dirty_cpus);
		assert_int_equal(rangeset_add(&guests[g]->iomem_caps, 0x1000 * (g + 1),
					      0x1000 * (g + 1) + 3),
				 0);
		for (unsigned int i = 0; i < GUEST_PAGES; i++)
			assert_int_equal(page_assign(guests[g], guest_page(g, i), 0, 0), 0);
	}
	dom0 = guests[0];
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		vcpu_new(i, guests[i / 2]);
	run_as(0);
	preempt_after = -1;
	preempt_chance = 0;
	freed_pages = flushes = 0;
	seed = UNIT_SEED;
	return 0;
}

static int tear_down(void **state)
{
	for (unsigned int g = 0; g < 2; g++) {
		while (log_dirty_disable(guests[g], pv_update_cr3) == -ERESTART)
			;
		log_dirty_free(guests[g]);
		rangeset_destroy(&guests[g]->iomem_caps);
	}
	return 0;
}

/* --- hypercalls, each to its end --- */

static long mmu_update_from(u64 ptr, u64 val, unsigned long foreign)
{
	struct mmu_update req = { ptr, val };
	u32 done = 0;
	long err;

	args[0] = (unsigned long)&req;
	args[1] = 1;
	do {
		err = do_mmu_update(args[0], args[1], (unsigned long)&done, foreign, 0, 0);
		check_everything();
	} while (err == -ERESTART);
	assert_int_equal(done, err ? 0 : 1);
	return err;
}

static long mmuext_from(unsigned int cmd, mfn_t mfn, unsigned long foreign)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_x(mfn) };
	u32 done = 0;
	long err;

	args[0] = (unsigned long)&op;
	args[1] = 1;
	do {
		err = do_mmuext_op(args[0], args[1], (unsigned long)&done, foreign, 0, 0);
		check_everything();
	} while (err == -ERESTART);
	assert_int_equal(done, err ? 0 : 1);
	return err;
}

#define SELF DOMID_SELF

static u64 entry(unsigned int g, unsigned int page, u64 flags)
{
	return pte_make(guest_mfn(g, page), PTE_PRESENT | flags);
}

static u64 slot_addr(unsigned int g, unsigned int page, unsigned int index)
{
	return mfn_to_maddr(guest_mfn(g, page)) + index * 8;
}

/* Builds tables: page 0 is an L4, 1 an L3, 2 and 3 are L2s, 4 to 7 L1s. They map pages 8 to 15
 * writable and all tables read-only. */
static void build_tree(unsigned int g)
{
	guest_frame(g, 0)[0] = entry(g, 1, PTE_RW);
	guest_frame(g, 0)[300] = entry(g, 1, PTE_RW | PTE_USER);
	for (unsigned int i = 0; i < 2; i++) {
		guest_frame(g, 1)[i * 500] = entry(g, 2 + i, PTE_RW);
		for (unsigned int j = 0; j < 2; j++)
			guest_frame(g, 2 + i)[j * 511] = entry(g, 4 + i * 2 + j, PTE_RW);
	}
	for (unsigned int i = 0; i < 8; i++) {
		guest_frame(g, 4 + i / 2)[i] = entry(g, 8 + i, PTE_RW | PTE_GLOBAL);
		guest_frame(g, 4)[16 + i] = entry(g, i, 0);
	}
}

/* --- tests --- */

static void a_tree_is_pinned_and_unpinned(void **state)
{
	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(page_type_count(guest_page(0, 0)), 1);
	assert_int_equal(page_type_count(guest_page(0, 1)), 2);
	assert_true(guest_frame(0, 4)[0] & PTE_USER);
	assert_false(guest_frame(0, 4)[0] & PTE_GLOBAL);
	assert_true(guest_frame(0, 0)[HV_FIRST_SLOT] != 0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L3_TABLE, guest_mfn(0, 1), SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_UNPIN_TABLE, guest_mfn(0, 1), SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_UNPIN_TABLE, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_UNPIN_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		assert_int_equal(page_type_count(guest_page(0, i)), 0);
}

static void a_writable_page_is_no_table(void **state)
{
	build_tree(0);
	guest_frame(0, 7)[100] = entry(0, 2, PTE_RW); /* one of its own tables, writable */
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		assert_int_equal(page_type_count(guest_page(0, i)), 0);
	guest_frame(0, 7)[100] = 0;
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 7, 100), entry(0, 2, PTE_RW), SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 18), entry(0, 2, PTE_RW), SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 7, 100), entry(0, 2, 0), SELF), 0);
}

static void bad_entries_are_refused(void **state)
{
	static const u64 bad[] = { PTE_PSE, PTE_PWT, PTE_PCD, PTE_GLOBAL };

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mmu_update_from(slot_addr(0, 2, 7), entry(0, 4, PTE_RW | bad[i]),
						 SELF),
				 -EINVAL);
	/* The hypervisor's slots, recursive tables, misaligned entries, another domain's frame. */
	assert_int_equal(mmu_update_from(slot_addr(0, 0, 256), entry(0, 1, PTE_RW), SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 0, 271), 0, SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 0, 272), entry(0, 0, PTE_RW), SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 2, 9), entry(0, 2, PTE_RW), SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 2, 9) + 4, 0, SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), entry(1, 3, 0), SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9),
					 pte_make(MFN(RAM_PAGES - 1), PTE_PRESENT), SELF),
			 -EINVAL);
}

static void harmless_changes_keep_references(void **state)
{
	u64 e = entry(0, 8, PTE_RW | PTE_USER), *slot = &guest_frame(0, 4)[0];

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), e | PTE_NX | PTE_ACCESSED | BIT(58),
					 SELF),
			 0);
	assert_true(*slot == (e | PTE_NX | PTE_ACCESSED | BIT(58)));
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0) | MMU_PT_UPDATE_PRESERVE_AD, e, SELF),
			 0);
	assert_true(*slot == (e | PTE_ACCESSED));
	assert_int_equal(page_type_count(guest_page(0, 8)), 1);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), e & ~PTE_RW, SELF), 0);
	assert_int_equal(page_type_count(guest_page(0, 8)), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), e, SELF), 0);
	assert_int_equal(page_type_count(guest_page(0, 8)), 1);
	/* An entry that is not present is the guest's business. */
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), 0x123456789abcdef0UL, SELF), 0);
	assert_true(*slot == 0x123456789abcdef0UL);
	/* An ordinary page may get any value; a table in use only valid entries. */
	assert_int_equal(mmu_update_from(slot_addr(0, 20, 1), e | PTE_GLOBAL, SELF), 0);
	assert_true(guest_frame(0, 20)[1] == (e | PTE_GLOBAL));
}

/* What a processor with L1TF would read through entries that are not present. */
static void absent_entries_do_not_name_memory(void **state)
{
	u64 shows = entry(0, 8, PTE_RW) & ~PTE_PRESENT, inverted = ~shows & PTE_ADDR_MASK;
	u64 beyond = pte_make(MFN(RAM_PAGES), 0), folded = shows | BIT(45);

	build_tree(0);
	cpu_guards = CPU_GUARD_L1TF | CPU_GUARD_L1TF_DOM0;
	guest_frame(0, 7)[100] = shows;
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
	guest_frame(0, 7)[100] = inverted;
	guest_frame(0, 2)[7] = shows;
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		assert_int_equal(page_type_count(guest_page(0, i)), 0);
	guest_frame(0, 2)[7] = 0;
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);

	/* In an L1 and an L2 table; bits beyond the processor's addresses do not hide anything. */
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), shows, SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), folded, SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), PTE_USER, SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 2, 7), shows, SELF), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 2, 7), inverted, SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), inverted, SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), beyond, SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), 0, SELF), 0);
	/* An ordinary page may get any value. */
	assert_int_equal(mmu_update_from(slot_addr(0, 20, 1), shows, SELF), 0);
	cpu_guards = CPU_GUARD_L1TF;
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), shows, SELF), 0);
	cpu_guards = 0;
}

static void device_memory_needs_permission(void **state)
{
	u64 *slot = &guest_frame(0, 4)[9];

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9),
					 pte_make(MFN(0x1003), 1 | PTE_RW | PTE_PCD), SELF),
			 0);
	assert_true(*slot == pte_make(MFN(0x1003), 1 | PTE_RW | PTE_PCD | PTE_USER));
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), pte_make(MFN(0x1002), 1), DOMID_IO),
			 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), pte_make(MFN(0x1004), 1), SELF),
			 -EPERM);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), pte_make(MFN(0x2000), 1), SELF),
			 -EPERM);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), pte_make(MFN(0x2000), 1), 1),
			 -EPERM); /* domain 1's name does not lead to its devices */
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), entry(0, 9, 0), DOMID_IO), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), pte_make(MFN(1UL << 38), 1), SELF),
			 -EINVAL);
}

static void only_the_privileged_map_others(void **state)
{
	build_tree(0);
	build_tree(1);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(1, 0), 1), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), entry(1, 20, PTE_RW), 1), 0);
	assert_true(guest_page(1, 20)->type_info & PGT_FOREIGN);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10), entry(1, 4, PTE_RW), 1), -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10), entry(1, 4, 0), 1), 0);
	/* Domain 0 changes tables of domain 1. */
	assert_int_equal(mmu_update_from(slot_addr(1, 4, 30), entry(1, 21, PTE_RW), 2UL << 16 | 1),
			 0);
	assert_int_equal(mmu_update_from(slot_addr(1, 4, 31), entry(0, 21, PTE_RW), 2UL << 16 | 1),
			 -EINVAL);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), 0, SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), 0, 7), -ESRCH);
	run_as(2);
	assert_int_equal(mmu_update_from(slot_addr(1, 4, 31), entry(0, 21, 0), 0), -EPERM);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L1_TABLE, guest_mfn(0, 30), 0), -EPERM);
}

static void a_type_change_flushes(void **state)
{
	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L1_TABLE, guest_mfn(0, 5), SELF), 0);
	assert_int_equal(flushes, 0); /* never used before */
	assert_int_equal(mmu_update_from(slot_addr(0, 5, 40), entry(0, 30, PTE_RW), SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 5, 40), 0, SELF), 0);
	assert_int_equal(flushes, 0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L1_TABLE, guest_mfn(0, 30), SELF), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(flushed_cpus, 1); /* CPU 0, where the owner runs */
	/* Back again needs a flush too: the processor may still walk it. */
	assert_int_equal(mmuext_from(MMUEXT_UNPIN_TABLE, guest_mfn(0, 30), SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 5, 40), entry(0, 30, PTE_RW), SELF), 0);
	assert_int_equal(flushes, 2);
	assert_true(guest_page(0, 30)->type_info & PGT_VALIDATED);

	/* After a foreign domain had it writable, every CPU counts. */
	assert_int_equal(mmu_update_from(slot_addr(0, 5, 41), entry(1, 30, PTE_RW), 1), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 5, 41), 0, SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L1_TABLE, guest_mfn(1, 30), 1), 0);
	assert_int_equal(flushes, 3);
	assert_int_equal(flushed_cpus, 0xf);
	assert_false(guest_page(1, 30)->type_info & PGT_FOREIGN);
}

static void a_full_count_is_busy(void **state)
{
	struct page_info *pg = guest_page(0, 30);

	assert_int_equal(page_type_get(pg, PGT_WRITABLE), 0);
	pg->type_info |= PGT_COUNT_MASK;
	assert_int_equal(page_type_get(pg, PGT_WRITABLE), -EBUSY);
	assert_int_equal(page_type_count(pg), PGT_COUNT_MASK);
	assert_int_equal(page_type_put(pg), 0);
	pg->type_info = (pg->type_info & ~PGT_COUNT_MASK) | 1;
	assert_int_equal(page_type_put(pg), 0);
	check_everything();
}

/* A preempted operation ends like one that was not preempted, whatever the moment. */
static void preemption_at_every_point(void **state)
{
	for (long first = 0; first < 24; first++) {
		tear_down(state);
		set_up(state);
		build_tree(0);
		preempt_after = first;
		assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
		preempt_after = -1;
		preempt_chance = 256; /* always: one entry in each call */
		assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
		assert_int_equal(mmuext_from(MMUEXT_UNPIN_TABLE, guest_mfn(0, 0), SELF), 0);
		build_tree(1);
		assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(1, 0), 1), 0);
		preempt_chance = 0;
		preempt_after = first;
		assert_int_equal(mmuext_from(MMUEXT_UNPIN_TABLE, guest_mfn(1, 0), 1), 0);
		assert_int_equal(page_type_count(guest_page(1, 0)), 0);
		assert_null(vcpus[0]->arch->held_page);
	}
}

static void a_failed_pin_leaves_nothing_at_any_preemption(void **state)
{
	for (long first = 0; first < 24; first++) {
		tear_down(state);
		set_up(state);
		build_tree(0);
		guest_frame(0, 7)[511] = entry(1, 1, 0);
		preempt_after = first;
		preempt_chance = 128;
		assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
		assert_int_equal(mmuext_from(MMUEXT_TLB_FLUSH_LOCAL, MFN(0), SELF), 0);
		for (unsigned int i = 0; i < GUEST_PAGES; i++)
			assert_int_equal(page_type_count(guest_page(0, i)), 0);
	}
}

/* A vCPU stops half-way, and another one needs the same table. */
static void another_vcpu_finishes_the_work(void **state)
{
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = mfn_x(guest_mfn(0, 0)) };

	build_tree(0);
	preempt_after = 2;
	assert_int_equal(do_mmuext_op((unsigned long)&op, 1, 0, SELF, 0, 0), -ERESTART);
	check_everything();
	assert_ptr_equal(vcpus[0]->arch->held_page, guest_page(0, 0));
	/* Its tables are in use, but not valid: no entry may be changed. */
	run_as(1);
	assert_int_equal(mmu_update_from(slot_addr(0, 0, 5), 0, SELF), -EBUSY);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), 0);
	run_as(0);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(0, 0), SELF), -EINVAL);
	assert_int_equal(mmuext_from(MMUEXT_TLB_FLUSH_LOCAL, MFN(0), SELF), 0);
	assert_int_equal(page_type_count(guest_page(0, 0)), 1);
	assert_null(vcpus[0]->arch->held_page);
}

static void addresses_are_translated(void **state)
{
	unsigned long va = 500UL << 30 | 511UL << 21 | 7UL << 12;

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(do_update_va_mapping(va, entry(0, 9, PTE_RW), UVMF_NONE, 0, 0, 0), 0);
	assert_true(pte_mfn(guest_frame(0, 7)[7]).n == guest_mfn(0, 9).n);
	assert_true(pv_read_guest_l1e(va) == entry(0, 9, PTE_RW | PTE_USER));
	assert_true(pv_read_guest_l1e(va + PAGE_SIZE) == 0);
	assert_int_equal(do_update_va_mapping(va, entry(0, 2, PTE_RW), UVMF_NONE, 0, 0, 0),
			 -EINVAL);
	assert_int_equal(do_update_va_mapping(va | 1UL << 47, 0, UVMF_NONE, 0, 0, 0), -EINVAL);
	assert_int_equal(do_update_va_mapping(0xffff800000000000UL, 0, UVMF_NONE, 0, 0, 0),
			 -EINVAL);
	assert_int_equal(do_update_va_mapping(va + (1UL << 40), 0, UVMF_NONE, 0, 0, 0), -EINVAL);
	assert_int_equal(do_update_va_mapping_otherdomain(va, entry(1, 9, PTE_RW), UVMF_NONE, 1, 0,
							  0),
			 0);
	check_everything();
	/* The table in use outlives its pin. */
	assert_int_equal(mmuext_from(MMUEXT_NEW_USER_BASEPTR, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_USER_BASEPTR, MFN(0), SELF), 0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, MFN(0), SELF), -EINVAL);
	assert_int_equal(page_type_count(guest_page(0, 0)), 1);
}

/* A domain with frame numbers of its own: its numbers are translated, holes fail alone. */
static void foreign_numbers_are_translated(void **state)
{
	u64 own = entry(1, 9, PTE_RW) + (0x5000UL << PAGE_SHIFT), got;
	unsigned long va = 500UL << 30 | 511UL << 21 | 7UL << 12;

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	own_numbers = 0x5000;
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), own, 1), 0);
	got = guest_frame(0, 4)[9];
	assert_int_equal(mfn_x(pte_mfn(got)), mfn_x(guest_mfn(1, 9)));
	assert_true(got & PTE_RW);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10), entry(1, 9, PTE_RW), 1), -EINVAL);
	assert_int_equal(guest_frame(0, 4)[10], 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10) | MMU_PT_UPDATE_NO_TRANSLATE,
					 entry(1, 9, 0), 1),
			 0);
	assert_int_equal(mfn_x(pte_mfn(guest_frame(0, 4)[10])), mfn_x(guest_mfn(1, 9)));
	assert_int_equal(mmu_update_from(mfn_to_maddr(guest_mfn(1, 9)) | MMU_MACHPHYS_UPDATE, 3, 1),
			 -EPERM);
	assert_int_equal(do_update_va_mapping_otherdomain(va, own, UVMF_NONE, 1, 0, 0), 0);
	assert_int_equal(mfn_x(pte_mfn(guest_frame(0, 7)[7])), mfn_x(guest_mfn(1, 9)));
	assert_int_equal(do_update_va_mapping_otherdomain(va, entry(1, 9, 0), UVMF_NONE, 1, 0, 0),
			 -EINVAL);
	check_everything();
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), 0, 1), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10), 0, SELF), 0);
	own_numbers = 0;
}

static void descriptors_are_made_safe(void **state)
{
	unsigned long frame = mfn_x(guest_mfn(0, 40));
	u64 *gdt = guest_frame(0, 40);

	run_as(0);
	gdt[2] = 0x00af9e000000ffffUL; /* 64-bit code, conforming, DPL 0, not accessed */
	gdt[3] = 0x0000e90000000000UL & ~BIT(47);
	assert_int_equal(pv_set_gdt(vcpus[1], &frame, 512), 0);
	assert_true(gdt[2] == 0x00affb000000ffffUL);
	check_everything();
	assert_int_equal(do_update_descriptor(mfn_to_maddr(MFN(frame)) + 32, 0x00cf92000000ffffUL,
					      0, 0, 0, 0),
			 0);
	assert_true(gdt[4] == 0x00cff3000000ffffUL);
	assert_int_equal(do_update_descriptor(mfn_to_maddr(MFN(frame)) + 32, 0x0000ec0000080000UL,
					      0, 0, 0, 0),
			 -EINVAL);
	assert_int_equal(do_update_descriptor(mfn_to_maddr(MFN(frame)) + 4, 0, 0, 0, 0, 0),
			 -EINVAL);
	assert_int_equal(pv_set_gdt(vcpus[1], &frame, FIRST_RESERVED_GDT_ENTRY + 1), -EINVAL);
	guest_frame(0, 41)[0] = 0x0000890000000000UL; /* a TSS */
	frame = mfn_x(guest_mfn(0, 41));
	assert_int_equal(pv_set_gdt(vcpus[1], &frame, 512), -EINVAL);
	check_everything();
	pv_destroy_gdt(vcpus[1]);
	check_everything();
	assert_int_equal(page_type_count(guest_page(0, 40)), 0);
}

static void grants_have_entries_of_their_own(void **state)
{
	u64 slot = slot_addr(0, 4, 60);
	unsigned int flags = GNTMAP_host_map | GNTMAP_contains_pte;
	mfn_t frame = guest_mfn(1, 33);
	struct page_info *pg = guest_page(1, 33);

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(pv_grant_map(slot, frame, flags), GNTST_okay);
	check_everything();
	assert_int_equal(page_type_count(pg), 1);
	assert_true(pg->type_info & PGT_FOREIGN);
	assert_int_equal(pv_grant_unmap(slot, guest_mfn(1, 34), 0, flags), GNTST_general_error);
	assert_int_equal(pv_grant_unmap(slot, frame, 0, flags), GNTST_okay);
	check_everything();
	assert_int_equal(page_type_count(pg), 0);
	assert_int_equal(pv_grant_unmap(slot, frame, 0, flags), GNTST_general_error);
	/* Mapped by address; moved; moved onto itself. */
	assert_int_equal(pv_grant_map(60 << 12, frame, GNTMAP_host_map | GNTMAP_readonly),
			 GNTST_okay);
	check_everything();
	assert_int_equal(pv_grant_unmap(60 << 12, frame, 0, GNTMAP_host_map), GNTST_okay);
	assert_int_equal(pv_grant_map(60 << 12, frame, GNTMAP_host_map), GNTST_okay);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 61), entry(0, 9, PTE_RW), SELF), 0);
	assert_int_equal(pv_grant_unmap(60 << 12, frame, 61 << 12, GNTMAP_host_map), GNTST_okay);
	check_everything();
	assert_true(guest_frame(0, 4)[60] == entry(0, 9, PTE_RW | PTE_USER));
	assert_true(guest_frame(0, 4)[61] == 0);
	assert_int_equal(pv_grant_map(60 << 12, frame, GNTMAP_host_map), GNTST_okay);
	assert_int_equal(pv_grant_unmap(60 << 12, frame, 60 << 12, GNTMAP_host_map), GNTST_okay);
	assert_true(guest_frame(0, 4)[60] == 0);
	assert_int_equal(pv_grant_map(0x7f0000000000, frame, GNTMAP_host_map), GNTST_bad_virt_addr);
	assert_int_equal(pv_grant_map(slot_addr(0, 2, 0), frame, flags), GNTST_general_error);
	check_everything();
}

/* The kernel's own instruction writes a table that the kernel has mapped read-only. */
static bool guest_runs(const u8 *insn, struct cpu_user_regs *regs, unsigned long addr)
{
	bool handled;

	regs->rip = (unsigned long)insn;
	regs->rdi = addr;
	handled = pv_fault_emulate_pt_write(regs, addr, PFEC_PRESENT | PFEC_WRITE | PFEC_USER);
	check_everything();
	return handled;
}

static void direct_writes_are_emulated(void **state)
{
	static const u8 mov[16] = { 0x48, 0x89, 0x07 }, xchg[16] = { 0x48, 0x87, 0x07 };
	static const u8 lock_andb[16] = { 0xf0, 0x80, 0x27, 0xfd }, movl[16] = { 0x89, 0x07 },
			push[16] = { 0x50 };
	unsigned long table = 20UL << 12, l2 = 18UL << 12; /* pages 4 and 2, read-only in page 4 */
	struct cpu_user_regs regs = { 0 };
	u64 *slot = &guest_frame(0, 4)[70];

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	regs.rax = entry(0, 9, PTE_RW | PTE_DIRTY);
	assert_true(guest_runs(mov, &regs, table + 70 * 8));
	assert_true(*slot == (regs.rax | PTE_USER));
	assert_true(regs.rip == (unsigned long)mov + 3);
	assert_int_equal(page_type_count(guest_page(0, 9)), 2);
	assert_true(guest_runs(lock_andb, &regs, table + 70 * 8));
	assert_false(*slot & PTE_RW);
	assert_int_equal(page_type_count(guest_page(0, 9)), 1);
	regs.rax = 0;
	assert_true(guest_runs(xchg, &regs, table + 70 * 8));
	assert_true(regs.rax == entry(0, 9, PTE_USER | PTE_DIRTY) && *slot == 0);
	regs.rax = 0x1234;
	assert_true(guest_runs(movl, &regs, table + 70 * 8 + 4));
	assert_true(*slot == 0x1234UL << 32);
	/* Refused: a bad entry, another level's table, an instruction that does not write there,
	 * and an address without such a mapping. */
	regs.rax = entry(0, 4, PTE_RW);
	assert_false(guest_runs(mov, &regs, table + 70 * 8));
	assert_true(*slot == 0x1234UL << 32);
	assert_false(guest_runs(mov, &regs, l2 + 70 * 8));
	assert_false(guest_runs(push, &regs, table + 70 * 8));
	assert_false(guest_runs(mov, &regs, 40UL << 12));
	/* The page is writable by now, so the fault was spurious. */
	assert_true(guest_runs(push, &regs, 0));
	pv_of(vcpus[0])->in_kernel = false;
	assert_false(guest_runs(mov, &regs, table + 70 * 8));
}

/* --- random sequences --- */

static unsigned int rnd(unsigned int n)
{
	return (unsigned int)(unit_random(&seed) % n);
}

static unsigned int rnd_index(void)
{
	static const u16 indices[] = { 0, 1, 2, 255, 256, 271, 272, 510, 511 };

	return indices[rnd(ARRAY_SIZE(indices))];
}

/* The first pages are mostly of the level of their number, so that trees come into being. */
static u64 rnd_entry(unsigned int page)
{
	unsigned int g = rnd(20) ? page / GUEST_PAGES : rnd(2), level = page % 4, child;
	u64 flags = PTE_PRESENT | PTE_ACCESSED | (rnd(3) ? PTE_RW : 0);

	if (!rnd(6))
		return unit_random(&seed) & ~PTE_PRESENT;
	if (!rnd(30))
		return pte_make(MFN(0x1000 + rnd(6)), flags);
	if (!rnd(40))
		flags |= BIT(rnd(12));
	child = level && rnd(8) ? rnd(5) * 4 + level - 1 : rnd(GUEST_PAGES);
	return pte_make(guest_mfn(g, child), flags);
}

/* The guest writes anything to its memory where it can: where memory is mapped writable, or may
 * become so at any time. */
static void scribble(void)
{
	unsigned int g = rnd(2), page = rnd(GUEST_PAGES);
	const struct page_info *pg = guest_page(g, page);

	if (page_owner(pg) == guests[g] &&
	    (!page_type_count(pg) || page_type(pg) == PGT_WRITABLE)) {
		guest_frame(g, page)[rnd_index()] = rnd_entry(g * GUEST_PAGES + page);
		log_dirty_mark(pg);
	}
}

static void random_step(void)
{
	static const unsigned int cmds[] = { MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
					     MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,
					     MMUEXT_UNPIN_TABLE,  MMUEXT_UNPIN_TABLE,
					     MMUEXT_NEW_BASEPTR,  MMUEXT_NEW_USER_BASEPTR,
					     MMUEXT_CLEAR_PAGE };
	unsigned int v = rnd(NR_VCPUS), g = v / 2, target, tries = rnd(4), foreign = SELF;
	struct mmu_update req;
	struct mmuext_op op;
	bool ext = rnd(3) == 0;
	long err;

	run_as(v);
	if (!g && !rnd(4)) {
		g = 1;
		foreign = 1;
	}
	target = rnd(rnd(2) ? 20 : GUEST_PAGES);
	if (ext) {
		op = (struct mmuext_op){ .cmd = cmds[rnd(ARRAY_SIZE(cmds))],
					 .arg1.mfn = mfn_x(guest_mfn(g, target)) };
		if (op.cmd <= MMUEXT_PIN_L4_TABLE && rnd(4))
			op.arg1.mfn = mfn_x(guest_mfn(g, (target & ~3U) + op.cmd));
	} else {
		req.ptr = slot_addr(g, target, rnd_index()) |
			  (rnd(4) ? 0 : MMU_PT_UPDATE_PRESERVE_AD);
		req.val = rnd_entry(g * GUEST_PAGES + target);
	}
	args[0] = ext ? (unsigned long)&op : (unsigned long)&req;
	args[1] = 1;
	/* A guest need not continue a preempted operation. */
	do {
		if (ext)
			err = do_mmuext_op(args[0], args[1], 0, foreign, 0, 0);
		else
			err = do_mmu_update(args[0], args[1], 0,
					    foreign == SELF || rnd(2) ? foreign : 2UL << 16 | 1, 0,
					    0);
		check_everything();
	} while (err == -ERESTART && (tries-- || rnd(2)));
}

static void destroy(unsigned int g)
{
	struct vcpu *v;

	guests[g]->state = DOMAIN_DYING;
	for_each_vcpu(guests[g], v)
		while (pv_vcpu_drop_page_tables(v) == -ERESTART)
			check_everything();
	while (pv_domain_relinquish(guests[g]) == -ERESTART)
		check_everything();
}

/* The owner maps and unmaps a page while a CPU drops what was the last writable use so far. */
static void map_and_unmap(void)
{
	struct page_info *pg = guest_page(0, 9);

	assert_int_equal(page_type_get(pg, PGT_WRITABLE), 0);
	clock_now++;
	assert_int_equal(page_type_put(pg), 0);
}

static void the_stamp_is_of_the_last_use(void **state)
{
	struct page_info *pg = guest_page(0, 9);

	for (unsigned int round = 0; round < 3; round++) {
		/* Before the last round, many drops came: their counter has wrapped. */
		assert_true(page_get(pg, guests[0]));
		assert_int_equal(page_type_get(pg, PGT_WRITABLE), 0);
		for (unsigned int i = 0; round == 2 && i < (1 << 19) + 5; i++)
			map_and_unmap();
		clock_now = 10;
		after_clock = map_and_unmap;
		page_put_and_type(pg);
		assert_int_equal(page_type_count(pg), 0);
		assert_int_equal((pg->type_info & PGT_STAMP_MASK) >> PGT_STAMP_SHIFT, clock_now);
		assert_int_equal(pg->type_info & ~PGT_STAMP_MASK, PGT_WRITABLE);
	}
	clock_now = 1;
}

/* --- CPU 1 comes in while CPU 0 takes domain 1's pages back --- */

static struct {
	struct page_info *pg;		    /* CPU 1 has the last reference */
	unsigned int now, put_at, reuse_at; /* counts of releases of locks by CPU 0 */
} script;

static void cpu1_steps_in(const spinlock_t *l)
{
	unsigned int now = script.now++;

	host_unlocked = NULL;
	host_set_cpu(1);
	run_as(1);
	if (now == script.put_at)
		page_put(script.pg);
	if (now == script.reuse_at) {
		assert_int_equal(page_assign(guests[0], script.pg, 0, 0), 0);
		assert_int_equal(pv_pin_table(guests[0], page_to_mfn(script.pg), PGT_L1), 0);
	}
	host_set_cpu(0);
	host_unlocked = cpu1_steps_in;
}

/* The page is first in the list, so CPU 0 handles it between its first few releases. */
static void a_page_that_has_gone_is_not_touched(void **state)
{
	for (unsigned int put_at = 0; put_at < 6; put_at++) {
		for (unsigned int reuse_at = put_at; reuse_at < 7; reuse_at++) {
			tear_down(state);
			set_up(state);
			guests[0]->memory.max_pages++;
			script.pg = guest_page(1, 0);
			script.now = 0;
			script.put_at = put_at;
			script.reuse_at = reuse_at;
			assert_true(page_get(script.pg, guests[1]));
			page_put_alloc_ref(script.pg);
			host_unlocked = cpu1_steps_in;
			destroy(1);
			host_unlocked = NULL;
			assert_ptr_equal(page_owner(script.pg), guests[0]);
			assert_true(script.pg->type_info & PGT_PINNED);
			assert_null(page_list_first(&guests[1]->memory.pages));
			check_everything();
		}
	}
}

static void a_pin_outlives_the_allocation_but_not_the_domain(void **state)
{
	run_as(2);
	build_tree(1);
	assert_int_equal(mmuext_from(MMUEXT_PIN_L4_TABLE, guest_mfn(1, 0), SELF), 0);
	page_put_alloc_ref(guest_page(1, 0));
	assert_int_equal(freed_pages, 0);
	run_as(0);
	destroy(1);
	assert_int_equal(freed_pages, GUEST_PAGES);
	check_everything();
}

static void random_sequences_keep_the_invariants(void **state)
{
	const char *rounds = getenv("UNIT_ROUNDS");

	for (unsigned int round = 0; round < (rounds ? (unsigned int)atoi(rounds) : 12); round++) {
		tear_down(state);
		set_up(state);
		seed = UNIT_SEED + round;
		preempt_chance = rnd(3) * 60;
		for (unsigned int i = 0; i < 2500; i++) {
			scribble();
			scribble();
			random_step();
		}
		/* Domain 1 ends while domain 0 still maps its page; then domain 0 ends. */
		run_as(0);
		destroy(1);
		run_as(2);
		destroy(0);
		for (unsigned int g = 0; g < 2; g++)
			assert_true(page_list_first(&guests[g]->memory.pages) == NULL);
		assert_int_equal(freed_pages, 2 * GUEST_PAGES);
	}
}

/* --- the log of dirty pages --- */

static u64 copies[2 * GUEST_PAGES][PT_ENTRIES]; /* what a tool has of the memory */

/* Sends what the round says, except for `accessed`, which a processor sets without a mark. */
static int take_copy(void *g, u64 at, const void *from, size_t n)
{
	const u8 *bits = from;

	for (unsigned long bit = at * 8; bit < (at + n) * 8; bit++) {
		unsigned long page = bit - 16 - *(unsigned int *)g * GUEST_PAGES;

		if (bit < 16 || page >= GUEST_PAGES || !(bits[bit / 8 - at] & BIT(bit % 8)))
			continue;
		memcpy(copies[*(unsigned int *)g * GUEST_PAGES + page],
		       guest_frame(*(unsigned int *)g, (unsigned int)page), PAGE_SIZE);
	}
	return 0;
}

static void check_copies(unsigned int g)
{
	for (unsigned int page = 0; page < GUEST_PAGES; page++)
		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			assert_true(
				!((copies[g * GUEST_PAGES + page][i] ^ guest_frame(g, page)[i]) &
				  ~(u64)PTE_ACCESSED) ||
				(page_type(guest_page(g, page)) == PGT_L4 &&
				 l4_slot_is_hypervisor(i)));
}

static void a_round(unsigned int g)
{
	struct log_dirty_result result;
	int err;

	do
		err = log_dirty_round(guests[g], take_copy, &g, 200, LOG_DIRTY_TAKE, &result);
	while (err == -ERESTART);
	assert_int_equal(err, 0);
	check_copies(g);
}

static void log_on(unsigned int g)
{
	int err;

	do
		err = log_dirty_enable(guests[g], pv_update_cr3);
	while (err == -ERESTART);
	assert_int_equal(err, 0);
	for (unsigned int page = 0; page < GUEST_PAGES; page++)
		memcpy(copies[g * GUEST_PAGES + page], guest_frame(g, page), PAGE_SIZE);
}

static void log_off(unsigned int g)
{
	while (log_dirty_disable(guests[g], pv_update_cr3) == -ERESTART)
		;
	assert_int_equal(guests[g]->arch->log_dirty->mirrors.nr_frames, 0);
}

/* The frame where a walk from `l4` ends, or INVALID_MFN. */
static mfn_t guests_walk(mfn_t mfn, unsigned long addr, bool write)
{
	for (unsigned int level = 4; level; level--) {
		u64 e = ((u64 *)mfn_to_hv_virt(mfn))[pt_index(addr, level)];

		if (!(e & PTE_PRESENT) || (write && !(e & PTE_RW)))
			return INVALID_MFN;
		mfn = pte_mfn(e);
	}
	return mfn;
}

/* The processor's: it sets accessed and dirty. *error: the fault's error code. */
static mfn_t processors_walk(unsigned long cr3, unsigned long addr, bool write, u32 *error)
{
	u64 *slots[5], allowed = PTE_RW;
	mfn_t mfn = maddr_to_mfn(cr3);

	*error = PFEC_USER | (write ? PFEC_WRITE : 0);
	for (unsigned int level = 4; level; level--) {
		slots[level] = (u64 *)mfn_to_hv_virt(mfn) + pt_index(addr, level);
		if (!(*slots[level] & PTE_PRESENT))
			return INVALID_MFN;
		allowed &= *slots[level];
		mfn = pte_mfn(*slots[level]);
	}
	if (write && !allowed) {
		*error |= PFEC_PRESENT;
		return INVALID_MFN;
	}
	for (unsigned int level = 4; level; level--)
		*slots[level] |= PTE_ACCESSED;
	*slots[1] |= write ? PTE_DIRTY : 0;
	return mfn;
}

static unsigned int writes_done, faults_passed_on;

/* The guest's vCPU accesses memory. What it may do depends on its own tables alone. */
static void access_memory(unsigned int vcpu, unsigned long addr, bool write)
{
	const struct pv_vcpu *pv = pv_of(vcpus[vcpu]);
	const struct domain *d = vcpus[vcpu]->domain;
	mfn_t expect, mfn;
	u32 error;

	run_as(vcpu);
	if (!pv->guest_table)
		return;
	expect = guests_walk(page_to_mfn(pv->guest_table), addr, write);
	for (unsigned int tries = 0;; tries++) {
		assert_true(tries < 4);
		mfn = processors_walk(host_cr3, addr, write, &error);
		if (!mfn_eq(mfn, INVALID_MFN))
			break;
		host_irqs_on[0] = rnd(2);
		if (!log_dirty_fault(addr, error)) {
			host_irqs_on[0] = true;
			break;
		}
		host_irqs_on[0] = true;
		check_everything();
	}
	assert_int_equal(mfn_x(mfn), mfn_x(expect));
	faults_passed_on += mfn_eq(mfn, INVALID_MFN);
	if (mfn_eq(mfn, INVALID_MFN) || !write || !mfn_valid(mfn))
		return;
	writes_done++;
	if (page_owner(mfn_to_page(mfn)) == d)
		((u64 *)mfn_to_hv_virt(mfn))[rnd_index()] = rnd_entry(rnd(2 * GUEST_PAGES));
}

/* Mostly one that the vCPU's tables map. */
static unsigned long rnd_address(unsigned int vcpu)
{
	const struct page_info *l4 = pv_of(vcpus[vcpu])->guest_table;
	const u64 *table = l4 ? mfn_to_hv_virt(page_to_mfn(l4)) : NULL;
	unsigned long addr = 0;

	for (unsigned int level = 4; level; level--) {
		unsigned int i = rnd_index();

		for (unsigned int tries = 0; table && !(table[i] & PTE_PRESENT) && tries < 30;
		     tries++)
			i = rnd(3) ? rnd_index() : rnd(PT_ENTRIES);
		if (level == 4 && l4_slot_is_hypervisor(i))
			i = 0;
		addr |= (unsigned long)i << (12 + 9 * (level - 1));
		table = table && (table[i] & PTE_PRESENT) && mfn_valid(pte_mfn(table[i])) ?
				mfn_to_hv_virt(pte_mfn(table[i])) :
				NULL;
	}
	return addr & BIT(47) ? addr | 0xffffUL << 48 : addr;
}

static void writes_are_logged(void **state)
{
	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	log_on(0);
	access_memory(0, 0, true);
	assert_int_equal(writes_done, 1);
	assert_true(guest_frame(0, 4)[0] & PTE_DIRTY);
	assert_true(dirty_map_test(&guests[0]->arch->log_dirty->map, mfn_x(guest_mfn(0, 8))));
	assert_false(dirty_map_test(&guests[0]->arch->log_dirty->map, mfn_x(guest_mfn(0, 9))));
	a_round(0);
	assert_false(dirty_map_test(&guests[0]->arch->log_dirty->map, mfn_x(guest_mfn(0, 8))));
	access_memory(0, 0, true);
	assert_true(dirty_map_test(&guests[0]->arch->log_dirty->map, mfn_x(guest_mfn(0, 8))));
	/* Its own table, which it may only read. */
	access_memory(0, 20UL << 12, false);
	access_memory(0, 20UL << 12, true);
	assert_int_equal(writes_done, 2);
	assert_int_equal(faults_passed_on, 1);
	/* The guest clears dirty: the next write sets it again, though the page is marked. */
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 0), entry(0, 8, PTE_RW), SELF), 0);
	access_memory(0, 0, true);
	assert_true(guest_frame(0, 4)[0] & PTE_DIRTY);
	assert_true(guest_frame(0, 4)[0] & PTE_ACCESSED);
	log_off(0);
	access_memory(0, 0, true);
	assert_int_equal(writes_done, 4);
}

/* Another domain's mapping and a grant's end mark; while one lasts, the final round finds it. */
static void foreign_writers_are_found(void **state)
{
	struct log_dirty_result result;
	unsigned int g = 1;

	build_tree(0);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), entry(1, 20, PTE_RW), 1), 0);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10), entry(1, 21, PTE_RW), 1), 0);
	log_on(1);
	guest_frame(1, 20)[7] = 1;
	guest_frame(1, 21)[7] = 1;
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 10), 0, SELF), 0);
	assert_false(dirty_map_test(&guests[1]->arch->log_dirty->map, mfn_x(guest_mfn(1, 20))));
	assert_true(dirty_map_test(&guests[1]->arch->log_dirty->map, mfn_x(guest_mfn(1, 21))));
	assert_int_equal(log_dirty_round(guests[1], take_copy, &g, 200,
					 LOG_DIRTY_TAKE | LOG_DIRTY_FINAL, &result),
			 0);
	assert_int_equal(result.dirty, 2);
	check_copies(1);
	assert_int_equal(mmu_update_from(slot_addr(0, 4, 9), 0, SELF), 0);
	assert_false(page_has_foreign_writer(guest_page(1, 20)));
	log_off(1);
}

/* A new base with an empty pool: all mirrors are dropped for it, but not the one in CR3. */
static void the_mirror_in_use_is_not_taken_for_the_next(void **state)
{
	struct mirror_pool *pool;
	unsigned long before, hidden_frames;
	u32 hidden;

	build_tree(0);
	guest_frame(0, 20)[0] = entry(0, 1, PTE_RW);
	assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, 0), SELF), 0);
	log_on(0);
	run_as(0);
	/* One frame is left; the others are hidden. */
	pool = &guests[0]->arch->log_dirty->mirrors;
	hidden = mfn_to_page(MFN(pool->free))->next;
	hidden_frames = pool->nr_free - 1;
	mfn_to_page(MFN(pool->free))->next = PAGE_LIST_NULL;
	pool->nr_free = 1;
	for (unsigned int turn = 0; turn < 6; turn++) {
		before = host_cr3;
		assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(0, turn % 2 ? 0 : 20),
					     SELF),
				 0);
		assert_int_not_equal(host_cr3, before);
		/* What the vCPU runs on now leads where its tables do. */
		access_memory(0, 0, false);
	}
	pool->nr_free += hidden_frames;
	if (pool->free == PAGE_LIST_NULL) {
		pool->free = hidden;
	} else {
		struct page_info *last = mfn_to_page(MFN(pool->free));

		while (last->next != PAGE_LIST_NULL)
			last = mfn_to_page(MFN(last->next));
		last->next = hidden;
	}
	access_memory(0, 0, true);
	log_off(0);
}

static void whatever_happens_is_logged(void **state)
{
	const char *rounds = getenv("UNIT_ROUNDS");

	writes_done = 0;
	for (unsigned int round = 0; round < (rounds ? (unsigned int)atoi(rounds) : 12); round++) {
		tear_down(state);
		set_up(state);
		seed = UNIT_SEED + round;
		preempt_chance = rnd(3) * 60;
		/* Sometimes hardly anything has room, and all mirrors are dropped again and again.
		 */
		guests[0]->arch->paging_pool_pages = 1 + rnd(60);
		for (unsigned int g = 0; g < 2; g++) {
			run_as(g * 2);
			build_tree(g);
			assert_int_equal(mmuext_from(MMUEXT_NEW_BASEPTR, guest_mfn(g, 0), SELF), 0);
		}
		for (unsigned int i = 0; i < 1500; i++) {
			if (i % 500 == 100)
				log_on(0);
			if (i % 500 == 200)
				log_on(1);
			scribble();
			random_step();
			for (unsigned int a = 0; a < 6; a++) {
				unsigned int vcpu = rnd(NR_VCPUS);

				access_memory(vcpu, rnd_address(vcpu), rnd(2));
			}
			if (log_dirty_of(guests[0]) && !rnd(10))
				a_round(0);
			if (log_dirty_of(guests[1]) && !rnd(10))
				a_round(1);
			if (i % 500 == 480 && rnd(2))
				log_off(0);
			else if (i % 500 == 480)
				while (log_dirty_disable(guests[0], pv_update_cr3) == -ERESTART)
					;
			if (i % 500 == 490)
				log_off(1);
		}
		log_on(1);
		run_as(0);
		destroy(1);
		log_off(1);
		run_as(2);
		destroy(0);
		assert_int_equal(freed_pages, 2 * GUEST_PAGES);
		assert_int_equal(log_dirty_domains, 0);
	}
	printf("%u writes, %u faults passed on\n", writes_done, faults_passed_on);
	assert_true(writes_done > 100);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_tree_is_pinned_and_unpinned),
		TEST(a_writable_page_is_no_table),
		TEST(bad_entries_are_refused),
		TEST(harmless_changes_keep_references),
		TEST(absent_entries_do_not_name_memory),
		TEST(device_memory_needs_permission),
		TEST(only_the_privileged_map_others),
		TEST(a_type_change_flushes),
		TEST(a_full_count_is_busy),
		TEST(preemption_at_every_point),
		TEST(a_failed_pin_leaves_nothing_at_any_preemption),
		TEST(another_vcpu_finishes_the_work),
		TEST(addresses_are_translated),
		TEST(descriptors_are_made_safe),
		TEST(grants_have_entries_of_their_own),
		TEST(direct_writes_are_emulated),
		TEST(the_stamp_is_of_the_last_use),
		TEST(a_page_that_has_gone_is_not_touched),
		TEST(a_pin_outlives_the_allocation_but_not_the_domain),
		TEST(random_sequences_keep_the_invariants),
		TEST(writes_are_logged),
		TEST(foreign_writers_are_found),
		TEST(the_mirror_in_use_is_not_taken_for_the_next),
		TEST(foreign_numbers_are_translated),
		TEST(whatever_happens_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
