/* SPDX-License-Identifier: MIT */
/* Builds the guest's page tables, p2m list and start info in the fake hypervisor's memory. */
#include "stream_guest.h"

#include <string.h>

#include <xen/sched.h>

#include "fake_hv.h"

static uint64_t mfns[GUEST_PFNS];

static uint64_t *page(uint64_t pfn)
{
	return fake.memory[mfns[pfn]];
}

static void set_type(uint64_t pfn, uint32_t type)
{
	fake.type[mfns[pfn]] = type;
}

static uint64_t pte(uint64_t pfn)
{
	return mfns[pfn] << 12 | 0x67;
}

/* Page tables of levels 4 to 1 that map the list. The rest of the level 1 table maps frames from
 * 300 on. */
static void make_tables(void)
{
	page(GUEST_L4)[1] = pte(GUEST_L3);
	page(GUEST_L4)[256] = 0x1234567001ULL; /* the hypervisor's own */
	page(GUEST_USER_L4)[1] = pte(GUEST_L3);
	page(GUEST_L3)[0] = pte(GUEST_L2);
	page(GUEST_L2)[0] = pte(GUEST_L1);
	page(GUEST_L1)[0] = pte(GUEST_LIST);
	page(GUEST_L1)[1] = pte(GUEST_LIST + 1);
	for (int i = 2; i < 300; i++)
		page(GUEST_L1)[i] = pte(300 + (uint64_t)i) | 1ULL << 63;
	page(GUEST_L1)[400] = 0x5550; /* not present, so any number is allowed */
	set_type(GUEST_L4, XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB);
	set_type(GUEST_USER_L4, XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB);
	set_type(GUEST_L3, XEN_DOMCTL_PFINFO_L3TAB);
	set_type(GUEST_L2, XEN_DOMCTL_PFINFO_L2TAB);
	set_type(GUEST_L1, XEN_DOMCTL_PFINFO_L1TAB);
}

static void make_vcpu(unsigned int number)
{
	struct fake_vcpu *v = &fake.domains[1].vcpus[number];

	v->online = true;
	v->context.ctrlreg[3] = mfns[GUEST_L4] << 12;
	v->context.user_regs.rip = 0x1000 + number;
	if (number == 0) {
		v->context.user_regs.rdx = mfns[GUEST_START_INFO];
		v->context.ctrlreg[1] = mfns[GUEST_USER_L4] << 12;
		v->context.gdt_ents = 512;
		v->context.gdt_frames[0] = mfns[GUEST_GDT];
	}
	v->ext.sysenter_callback_eip = 77;
	v->xsave_size = 64;
	v->xsave[3] = 33;
	v->nr_msrs = 2;
	v->msrs[1].value = 11;
}

static void fill_pages(void)
{
	for (uint64_t pfn = 0; pfn < GUEST_PFNS; pfn++) {
		mfns[pfn] = UINT64_MAX;
		if (pfn == GUEST_HOLE)
			continue;
		mfns[pfn] = fake_alloc(1);
		if (pfn < GUEST_ZEROS || pfn >= GUEST_ZEROS + 100)
			page(pfn)[17] = pfn * 3 + 1;
	}
	for (uint64_t pfn = GUEST_LIST; pfn <= GUEST_CONSOLE; pfn++)
		memset(page(pfn), 0, 4096);
}

void stream_guest_make(bool by_address)
{
	struct fake_domain *d = &fake.domains[1];
	struct shared_info *shared;
	struct start_info *si;

	fake_reset();
	fill_pages();
	for (uint64_t pfn = 0; pfn < GUEST_PFNS; pfn++)
		page(GUEST_LIST + pfn / 512)[pfn % 512] = mfns[pfn];
	page(GUEST_LIST_LIST)[0] = mfns[GUEST_LIST];
	page(GUEST_LIST_LIST)[1] = mfns[GUEST_LIST + 1];
	page(GUEST_LIST_LIST_LIST)[0] = mfns[GUEST_LIST_LIST];
	make_tables();
	shared = (struct shared_info *)fake.memory[d->info.shared_info_frame];
	shared->arch.max_pfn = GUEST_PFNS;
	shared->arch.p2m_cr3 = by_address ? mfns[GUEST_L4] << 12 : 0;
	shared->arch.p2m_vaddr = by_address ? GUEST_LIST_VIRT : 0;
	shared->arch.pfn_to_mfn_frame_list_list =
		by_address ? UINT64_MAX : mfns[GUEST_LIST_LIST_LIST];
	shared->vcpu_info[1].evtchn_upcall_mask = 1;
	shared->evtchn_pending[0] = 5;
	si = (struct start_info *)page(GUEST_START_INFO);
	si->flags = SIF_VIRT_P2M_4TOOLS;
	/* Like Linux before it suspends: the guest's own frame numbers. */
	si->store_mfn = GUEST_STORE;
	si->console.domU.mfn = GUEST_CONSOLE;
	make_vcpu(0);
	make_vcpu(1);
	d->info.pages = GUEST_PFNS - 1;
	d->info.shutdown = true;
	d->info.shutdown_reason = SHUTDOWN_suspend;
	d->info.max_vcpu_id = 2; /* the third is not online */
	d->tsc = (struct hv_tsc_info){
		.mode = 2, .gtsc_khz = 1000, .incarnation = 1, .elapsed_ns = 99
	};
}

uint64_t stream_guest_mfn(uint64_t pfn)
{
	return mfns[pfn];
}

void stream_guest_run(void)
{
	fake.domains[1].info.shutdown = false;
	fake.domains[1].info.max_pages = GUEST_PFNS;
	fake.domains[1].info.online_vcpus = 2;
}

void stream_guest_suspend(void)
{
	fake.domains[1].info.shutdown = true;
}

uint64_t *stream_guest_write(uint64_t pfn)
{
	fake.domains[1].dirty[pfn / 64] |= 1ULL << pfn % 64;
	return page(pfn);
}

static void set_entry(uint64_t pfn, uint64_t mfn)
{
	mfns[pfn] = mfn;
	stream_guest_write(GUEST_LIST + pfn / 512)[pfn % 512] = mfn;
}

void stream_guest_get(uint64_t pfn)
{
	if (mfns[pfn] != UINT64_MAX)
		stream_guest_give_back(pfn);
	set_entry(pfn, fake_alloc(1));
	stream_guest_write(pfn);
	fake.domains[1].info.pages++;
}

void stream_guest_give_back(uint64_t pfn)
{
	fake.owner[mfns[pfn]] = 0;
	set_entry(pfn, UINT64_MAX);
	fake.domains[1].info.pages--;
}

void stream_guest_map(uint64_t table_pfn, unsigned int entry, uint64_t pfn)
{
	stream_guest_write(table_pfn)[entry] = pte(pfn);
}

void stream_guest_stretch_list(uint64_t nr_pfns, uint64_t filler_mfn)
{
	struct shared_info *shared =
		(struct shared_info *)fake.memory[fake.domains[1].info.shared_info_frame];
	uint64_t filler_l1 = fake_alloc(1), filler_l2 = fake_alloc(1);

	fake.domains[1].info.pages += 2;
	for (int i = 0; i < 512; i++) {
		fake.memory[filler_l1][i] = filler_mfn << 12 | 0x67;
		fake.memory[filler_l2][i] = filler_l1 << 12 | 0x67;
		if (i >= 2)
			page(GUEST_L1)[i] = filler_mfn << 12 | 0x67;
		if (i >= 1) {
			page(GUEST_L2)[i] = filler_l1 << 12 | 0x67;
			page(GUEST_L3)[i] = filler_l2 << 12 | 0x67;
		}
	}
	fake.type[filler_l1] = XEN_DOMCTL_PFINFO_L1TAB;
	fake.type[filler_l2] = XEN_DOMCTL_PFINFO_L2TAB;
	/* Like every frame that goes into an image, the two tables must be in the guest's list. */
	page(GUEST_LIST + 1)[GUEST_PFNS - 512] = filler_l1;
	page(GUEST_LIST + 1)[GUEST_PFNS - 511] = filler_l2;
	for (int i = GUEST_PFNS - 510; i < 512; i++)
		page(GUEST_LIST + 1)[i] = UINT64_MAX;
	shared->arch.max_pfn = nr_pfns;
}

static void no_progress(const char *stage, uint64_t done, uint64_t total)
{
}

struct restore stream_guest_restore(void)
{
	struct restore r = {
		.domid = 2,
		.max_vcpus = FAKE_VCPUS,
		.pages = GUEST_PFNS,
		.max_pages = GUEST_PFNS,
		.store = { .port = 5 },
		.console = { .port = 6 },
		.progress = no_progress,
	};

	return r;
}
