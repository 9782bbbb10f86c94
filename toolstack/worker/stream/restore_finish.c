/* SPDX-License-Identifier: MIT */
/*
 * The steps after END, which need all memory: vCPUs, pinned page tables, start info, the guest's
 * p2m list, shared info, grants, the TSC.
 */
#include "worker/stream/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/stream/frames.h"
#include "worker/stream/vcpu_frames.h"

#define PER_PAGE    512
#define TYPE_SHIFT  28
#define PIN_BATCH   512
#define LIST_WINDOW 1024
/*
 * An entry of the guest's list with one of these bits is a mark of the guest's own (Linux: foreign
 * and identity frames).
 */
#define LIST_MARKS (3ULL << 62)

static int check_complete(const struct restore *r, struct error **e)
{
	if (r->nr_pfns == 0 || !r->shared || !r->vcpus[0].basic.data)
		return stream_in_damaged(e, "it ends before all is there");
	for (uint64_t i = 0; i < r->nr_list_frames; i++)
		if (restore_pfn_to_mfn((void *)(uintptr_t)r, r->list_frames[i]) == FRAME_INVALID)
			return stream_in_damaged(e, "the list of frames is not in it");
	return 0;
}

static void *map_pfn(struct restore *r, uint64_t pfn, struct error **e)
{
	xen_pfn_t mfn = restore_pfn_to_mfn(r, pfn);

	if (mfn == FRAME_INVALID) {
		stream_in_damaged(e, "frame %#llx is not in it", (unsigned long long)pfn);
		return NULL;
	}
	return hv_map_frames(r->hv, r->domid, PROT_READ | PROT_WRITE, &mfn, NULL, 1, e);
}

/* --- vCPUs --- */

/* Sets the registers. For vCPU 0, which suspended the domain, also sets *start_info_pfn. */
static int set_basic(struct restore *r, unsigned int vcpu, uint64_t *start_info_pfn,
		     struct error **e)
{
	const struct restore_blob *blob = &r->vcpus[vcpu].basic;
	vcpu_guest_context_t context;
	const char *what;

	if (blob->size != sizeof(context))
		return stream_in_damaged(e, "the registers of vCPU %u have %zu bytes", vcpu,
					 blob->size);
	memcpy(&context, blob->data, sizeof(context));
	if (vcpu == 0)
		*start_info_pfn = context.user_regs.rdx;
	if (vcpu_frames_translate(&context, vcpu == 0, restore_pfn_to_mfn, r, &what))
		return stream_in_damaged(e, "%s of vCPU %u is not in it", what, vcpu);
	/* The low bit has a meaning in a stream only. */
	context.ctrlreg[1] &= ~1UL;
	return hv_vcpu_set_context(r->hv, r->domid, vcpu, &context, e);
}

static int set_extended(struct restore *r, unsigned int vcpu, struct error **e)
{
	const struct restore_blob *blob = &r->vcpus[vcpu].extended;
	struct xen_domctl_ext_vcpucontext ext = { 0 };

	if (!blob->data)
		return 0;
	if (blob->size > sizeof(ext) ||
	    blob->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
		return stream_in_damaged(e, "the entry points of vCPU %u have %zu bytes", vcpu,
					 blob->size);
	memcpy(&ext, blob->data, blob->size);
	ext.vcpu = vcpu;
	ext.size = (uint32_t)blob->size;
	return hv_vcpu_set_ext_context(r->hv, r->domid, &ext, e);
}

static int set_states(struct restore *r, unsigned int vcpu, struct error **e)
{
	const struct restore_blob *xsave = &r->vcpus[vcpu].xsave;
	const struct restore_blob *msrs = &r->vcpus[vcpu].msrs;
	int rc = 0;

	if (xsave->size % 8 != 0 || msrs->size % sizeof(xen_domctl_vcpu_msr_t) != 0)
		return stream_in_damaged(e, "the state of vCPU %u has a wrong length", vcpu);
	if (xsave->size > 0)
		rc = hv_vcpu_set_xsave(r->hv, r->domid, vcpu, xsave->data, xsave->size, e);
	if (rc == 0 && msrs->size > 0)
		rc = hv_vcpu_set_msrs(r->hv, r->domid, vcpu, msrs->data,
				      msrs->size / sizeof(xen_domctl_vcpu_msr_t), e);
	return rc;
}

static int set_vcpus(struct restore *r, uint64_t *start_info_pfn, struct error **e)
{
	int rc = 0;

	for (unsigned int vcpu = 0; vcpu < r->max_vcpus && rc == 0; vcpu++) {
		if (!r->vcpus[vcpu].basic.data)
			continue;
		rc = set_basic(r, vcpu, start_info_pfn, e);
		if (rc == 0)
			rc = set_extended(r, vcpu, e);
		if (rc == 0)
			rc = set_states(r, vcpu, e);
	}
	return rc;
}

/* --- memory --- */

static int pin_tables(struct restore *r, struct error **e)
{
	static const unsigned int commands[] = { 0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
						 MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };
	struct mmuext_op ops[PIN_BATCH];
	unsigned int count = 0;
	int rc = 0;

	memset(ops, 0, sizeof(ops));
	for (uint64_t i = 0; i < restore_count(r) && rc == 0; i++) {
		uint64_t word = *restore_word_at(r, i);
		uint32_t type = restore_word_type(word);

		if (type >= XEN_DOMCTL_PFINFO_BROKEN || !(type & XEN_DOMCTL_PFINFO_LPINTAB))
			continue;
		ops[count].cmd = commands[(type & XEN_DOMCTL_PFINFO_LTABTYPE_MASK) >> TYPE_SHIFT];
		ops[count++].arg1.mfn = word & STREAM_PFN_MASK;
		if (count < PIN_BATCH)
			continue;
		rc = hv_mmuext(r->hv, r->domid, ops, count, e);
		count = 0;
	}
	return rc == 0 && count > 0 ? hv_mmuext(r->hv, r->domid, ops, count, e) : rc;
}

/*
 * Updates one page of the guest's list: the new machine frame where there is one, else
 * FRAME_INVALID. Marks stay.
 */
static void update_list_page(struct restore *r, uint64_t *entries, uint64_t first)
{
	for (uint64_t i = 0; i < PER_PAGE && first + i < r->nr_pfns; i++) {
		uint64_t mfn = restore_pfn_to_mfn(r, first + i);

		if (mfn != FRAME_INVALID)
			entries[i] = mfn;
		else if ((entries[i] & LIST_MARKS) == 0)
			entries[i] = FRAME_INVALID;
	}
}

static int update_list(struct restore *r, struct error **e)
{
	for (uint64_t done = 0; done < r->nr_list_frames; done += LIST_WINDOW) {
		uint64_t count = r->nr_list_frames - done < LIST_WINDOW ? r->nr_list_frames - done :
									  LIST_WINDOW;
		xen_pfn_t mfns[LIST_WINDOW];
		uint64_t *window;

		for (uint64_t i = 0; i < count; i++)
			mfns[i] = restore_pfn_to_mfn(r, r->list_frames[done + i]);
		window = hv_map_frames(r->hv, r->domid, PROT_READ | PROT_WRITE, mfns, NULL, count,
				       e);
		if (!window)
			return -EFAULT;
		for (uint64_t i = 0; i < count; i++)
			update_list_page(r, window + i * PER_PAGE, (done + i) * PER_PAGE);
		hv_unmap_frames(r->hv, window, count);
	}
	return 0;
}

/* --- what the guest is told --- */

static int service_mfn(struct restore *r, uint64_t pfn, struct start_service *service,
		       const char *name, struct error **e)
{
	service->mfn = restore_pfn_to_mfn(r, pfn);
	if (service->mfn == FRAME_INVALID)
		return stream_in_damaged(e, "the %s page is not in it", name);
	return 0;
}

static int update_start_info(struct restore *r, uint64_t pfn, uint64_t shared_info_mfn,
			     struct error **e)
{
	struct start_info *si = map_pfn(r, pfn, e);
	int rc;

	if (!si)
		return -EFAULT;
	/* Before it suspended, the guest replaced the two machine frames here by its pfns. */
	rc = service_mfn(r, si->store_mfn, &r->store, "xenstore", e);
	if (rc == 0)
		rc = service_mfn(r, si->console.domU.mfn, &r->console, "console", e);
	if (rc == 0) {
		si->nr_pages = r->nr_pfns;
		si->shared_info = shared_info_mfn * STREAM_PAGE;
		si->flags &= SIF_VIRT_P2M_4TOOLS;
		si->store_mfn = r->store.mfn;
		si->store_evtchn = r->store.port;
		si->console.domU.mfn = r->console.mfn;
		si->console.domU.evtchn = r->console.port;
	}
	hv_unmap_frames(r->hv, si, 1);
	return rc;
}

/*
 * Copies only what the guest itself keeps in the page: event channels do not survive a restore, and
 * the clock is the hypervisor's.
 */
static int update_shared_info(struct restore *r, uint64_t mfn, struct error **e)
{
	xen_pfn_t frame = mfn;
	struct shared_info *shared =
		hv_map_frames(r->hv, r->domid, PROT_READ | PROT_WRITE, &frame, NULL, 1, e);

	if (!shared)
		return -EFAULT;
	memcpy(&shared->vcpu_info, &r->shared->vcpu_info, sizeof(shared->vcpu_info));
	memcpy(&shared->arch, &r->shared->arch, sizeof(shared->arch));
	shared->arch.pfn_to_mfn_frame_list_list = 0;
	shared->arch.p2m_cr3 = 0;
	memset(shared->evtchn_pending, 0, sizeof(shared->evtchn_pending));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		shared->vcpu_info[i].evtchn_pending_sel = 0;
	memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
	hv_unmap_frames(r->hv, shared, 1);
	return 0;
}

static int set_tsc(struct restore *r, struct error **e)
{
	const struct hv_tsc_info tsc = {
		.mode = r->tsc.mode,
		.gtsc_khz = r->tsc.khz,
		.incarnation = r->tsc.incarnation,
		.elapsed_ns = r->tsc.nsec,
	};

	return r->has_tsc ? hv_domain_set_tsc(r->hv, r->domid, &tsc, e) : 0;
}

int restore_finish(struct restore *r, struct error **e)
{
	struct guest guest = { .hv = r->hv, .domid = r->domid };
	struct hv_domain_info info;
	uint64_t start_info_pfn = FRAME_INVALID;
	int rc = check_complete(r, e);

	/*
	 * Before update_list(), because the list must not name frames that the guest does not have.
	 */
	if (rc == 0)
		rc = restore_release_unused(r, e);
	if (rc == 0)
		rc = hv_domain_info(r->hv, r->domid, &info, e);
	if (rc == 0)
		rc = set_tsc(r, e);
	if (rc == 0)
		rc = set_vcpus(r, &start_info_pfn, e);
	if (rc == 0)
		rc = pin_tables(r, e);
	if (rc == 0)
		rc = update_list(r, e);
	if (rc == 0)
		rc = update_start_info(r, start_info_pfn, info.shared_info_frame, e);
	if (rc == 0)
		rc = update_shared_info(r, info.shared_info_frame, e);
	if (rc == 0)
		rc = start_seed_grants(&guest, &r->store, &r->console, e);
	return rc;
}
