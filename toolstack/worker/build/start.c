/* SPDX-License-Identifier: MIT */
/*
 * Writes the pages that a PV guest finds at its start, pins its page tables, sets its first vCPU.
 */
#include "worker/build/start.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/grant_table.h>

#include "lib/pv_start.h"

#define PAGE	  4096
#define EFLAGS_IF (1u << 9)

_Static_assert(sizeof(struct start_info) <= PAGE, "start info is one page");

static void fill_start_info(struct start_info *si, const struct start *start,
			    uint64_t shared_info_mfn)
{
	memset(si, 0, PAGE);
	pv_start_fill_info(start->layout, si);
	si->shared_info = shared_info_mfn * PAGE;
	/* Save can read a p2m list that the kernel has in its own address space. */
	si->flags |= SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = start->store.mfn;
	si->store_evtchn = start->store.port;
	si->console.domU.mfn = start->console.mfn;
	si->console.domU.evtchn = start->console.port;
	/* The configuration's check and the bootloader's parser refuse a longer line. */
	memcpy(si->cmd_line, start->cmdline, strlen(start->cmdline) + 1);
}

static uint64_t mfn_of(const void *p2m, uint64_t pfn)
{
	return ((const xen_pfn_t *)p2m)[pfn];
}

/* Start info, store, console and page tables are adjacent, so one mapping has them all. */
static int write_start_pages(struct guest *guest, struct start *start, uint64_t shared_info_mfn,
			     struct error **e)
{
	const struct pv_start *l = start->layout;
	uint64_t count = l->pt + l->nr_pt - l->info;
	char *pages = guest_map(guest, l->info, count, e);

	if (!pages)
		return -EIO;
	fill_start_info((struct start_info *)pages, start, shared_info_mfn);
	memset(pages + (l->store - l->info) * PAGE, 0, PAGE);
	memset(pages + (l->console - l->info) * PAGE, 0, PAGE);
	for (uint64_t i = 0; i < l->nr_pt; i++)
		pv_start_fill_table(l, i, (uint64_t *)(pages + (l->pt + i - l->info) * PAGE),
				    mfn_of, guest->p2m);
	hv_unmap_frames(guest->hv, pages, count);
	return 0;
}

static int write_p2m(struct guest *guest, const struct pv_start *l, struct error **e)
{
	void *list = guest_map(guest, l->p2m, l->nr_p2m, e);

	if (!list)
		return -EIO;
	memset((char *)list + (l->nr_p2m - 1) * PAGE, 0, PAGE);
	memcpy(list, guest->p2m, guest->nr_pages * sizeof(*guest->p2m));
	hv_unmap_frames(guest->hv, list, l->nr_p2m);
	return 0;
}

/* The page has no events yet, only the masks that keep them off. */
static int init_shared_info(struct guest *guest, uint64_t mfn, struct error **e)
{
	xen_pfn_t frame = mfn;
	struct shared_info *shared =
		hv_map_frames(guest->hv, guest->domid, PROT_READ | PROT_WRITE, &frame, NULL, 1, e);

	if (!shared)
		return -EIO;
	memset(shared, 0, PAGE);
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		shared->vcpu_info[i].evtchn_upcall_mask = 1;
	hv_unmap_frames(guest->hv, shared, 1);
	return 0;
}

int start_seed_grants(struct guest *guest, const struct start_service *store,
		      const struct start_service *console, struct error **e)
{
	const struct hv_grant_seed seeds[] = {
		{ GNTTAB_RESERVED_CONSOLE, SERVICE_DOMID, console->mfn },
		{ GNTTAB_RESERVED_XENSTORE, SERVICE_DOMID, store->mfn },
	};

	return hv_grant_seed(guest->hv, guest->domid, seeds, 2, e);
}

static int set_first_vcpu(struct guest *guest, const struct start *start, struct error **e)
{
	const struct pv_start *l = start->layout;
	static vcpu_guest_context_t context;

	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel | VGCF_online;
	context.user_regs.rip = start->kernel->entry;
	context.user_regs.rsp = pv_start_virt(l, l->stack + 1);
	context.user_regs.rsi = pv_start_virt(l, l->info);
	context.user_regs.rflags = EFLAGS_IF;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.user_regs.ds = FLAT_KERNEL_DS;
	context.user_regs.es = FLAT_KERNEL_DS;
	context.user_regs.fs = FLAT_KERNEL_DS;
	context.user_regs.gs = FLAT_KERNEL_DS;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = context.user_regs.rsp;
	context.ctrlreg[3] = xen_pfn_to_cr3(guest->p2m[l->pt]);
	return hv_vcpu_set_context(guest->hv, guest->domid, 0, &context, e);
}

static int make_services(struct guest *guest, struct start *start, struct error **e)
{
	int rc = hv_evtchn_alloc_unbound(guest->hv, guest->domid, SERVICE_DOMID, &start->store.port,
					 e);

	if (rc == 0)
		rc = hv_evtchn_alloc_unbound(guest->hv, guest->domid, SERVICE_DOMID,
					     &start->console.port, e);
	start->store.mfn = guest->p2m[start->layout->store];
	start->console.mfn = guest->p2m[start->layout->console];
	return rc;
}

int start_prepare(struct guest *guest, struct start *start, struct error **e)
{
	const struct pv_start *l = start->layout;
	struct hv_domain_info info;
	struct mmuext_op pin = { .cmd = MMUEXT_PIN_L4_TABLE };
	int rc = hv_domain_info(guest->hv, guest->domid, &info, e);

	if (rc == 0)
		rc = make_services(guest, start, e);
	if (rc == 0)
		rc = write_start_pages(guest, start, info.shared_info_frame, e);
	if (rc == 0)
		rc = write_p2m(guest, l, e);
	if (rc == 0 && start->kernel->flags & KERNEL_HYPERCALL_PAGE)
		rc = hv_hypercall_page(
			guest->hv, guest->domid,
			guest->p2m[(start->kernel->hypercall_page - l->virt_base) / PAGE], e);
	if (rc == 0)
		rc = init_shared_info(guest, info.shared_info_frame, e);
	if (rc == 0)
		rc = start_seed_grants(guest, &start->store, &start->console, e);
	pin.arg1.mfn = guest->p2m[l->pt];
	if (rc == 0)
		rc = hv_mmuext(guest->hv, guest->domid, &pin, 1, e);
	if (rc == 0)
		rc = set_first_vcpu(guest, start, e);
	return rc;
}
