/* SPDX-License-Identifier: MIT */
/*
 * What a restore gives a domain that keeps its memory: new vCPUs with the old registers, new ports,
 * shared info without events, start info with machine frames.
 */
#include "worker/stream/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/sched.h>
#include <xen/xen.h>

#include "worker/stream/format.h"

/* All that the stream of a saved domain has of a vCPU. */
struct vcpu_state {
	vcpu_guest_context_t basic;
	struct xen_domctl_ext_vcpucontext extended;
	void *xsave;
	size_t xsave_size;
	xen_domctl_vcpu_msr_t *msrs;
	size_t nr_msrs;
};

static int get_state(struct hv *hv, uint32_t domid, unsigned int vcpu, struct vcpu_state *state,
		     struct error **e)
{
	int rc = hv_vcpu_get_context(hv, domid, vcpu, &state->basic, e);

	if (rc == 0)
		rc = hv_vcpu_get_ext_context(hv, domid, vcpu, &state->extended, e);
	if (rc == 0)
		rc = hv_vcpu_get_xsave(hv, domid, vcpu, &state->xsave, &state->xsave_size, e);
	if (rc == 0)
		rc = hv_vcpu_get_msrs(hv, domid, vcpu, &state->msrs, &state->nr_msrs, e);
	return rc;
}

static int set_state(struct hv *hv, uint32_t domid, unsigned int vcpu,
		     const struct vcpu_state *state, struct error **e)
{
	int rc = hv_vcpu_set_context(hv, domid, vcpu, &state->basic, e);

	if (rc == 0)
		rc = hv_vcpu_set_ext_context(hv, domid, &state->extended, e);
	if (rc == 0 && state->xsave)
		rc = hv_vcpu_set_xsave(hv, domid, vcpu, state->xsave, state->xsave_size, e);
	if (rc == 0 && state->msrs)
		rc = hv_vcpu_set_msrs(hv, domid, vcpu, state->msrs, state->nr_msrs, e);
	return rc;
}

/*
 * A vCPU that is up keeps its registers; one that is down has none, so the guest can bring it up as
 * if it never had. Neither has a place of its own for its vcpu_info any more: a guest that has been
 * restored registers it, which a vCPU can do once.
 */
static int renew_vcpu(struct hv *hv, uint32_t domid, unsigned int vcpu, struct error **e)
{
	struct vcpu_state state = { .xsave = NULL };
	struct hv_vcpu_info info;
	int rc = hv_vcpu_info(hv, domid, vcpu, &info, e);

	if (rc == 0 && info.online)
		rc = get_state(hv, domid, vcpu, &state, e);
	if (rc == 0)
		rc = hv_vcpu_reset(hv, domid, vcpu, e);
	if (rc == 0 && info.online)
		rc = set_state(hv, domid, vcpu, &state, e);
	free(state.xsave);
	free(state.msrs);
	return rc;
}

/* Xen closes the ports of a paused domain only: it does not take a suspended one for such. */
static int close_ports(struct hv *hv, const struct hv_domain_info *info, struct error **e)
{
	int rc = info->paused ? 0 : hv_domain_pause(hv, info->domid, e), undo = 0;

	if (rc)
		return rc;
	rc = hv_evtchn_reset(hv, info->domid, e);
	if (!info->paused)
		undo = hv_domain_unpause(hv, info->domid, rc ? NULL : e);
	return rc ? rc : undo;
}

static int renew_ports(struct hv *hv, const struct hv_domain_info *info,
		       struct start_service *store, struct start_service *console, struct error **e)
{
	uint32_t domid = info->domid;
	int rc = close_ports(hv, info, e);

	if (rc == 0)
		rc = hv_evtchn_alloc_unbound(hv, domid, SERVICE_DOMID, &store->port, e);
	if (rc == 0)
		rc = hv_evtchn_alloc_unbound(hv, domid, SERVICE_DOMID, &console->port, e);
	return rc;
}

static void clear_events(struct shared_info *shared)
{
	memset(shared->evtchn_pending, 0, sizeof(shared->evtchn_pending));
	memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
		shared->vcpu_info[i].evtchn_upcall_pending = 0;
		shared->vcpu_info[i].evtchn_pending_sel = 0;
	}
}

/* Before it suspended, the guest replaced the two machine frames by its own numbers of them. */
static void fill_start_info(struct start_info *si, const struct start_service *store,
			    const struct start_service *console)
{
	si->store_mfn = store->mfn;
	si->store_evtchn = store->port;
	si->console.domU.mfn = console->mfn;
	si->console.domU.evtchn = console->port;
}

static int check_suspended(const struct hv_domain_info *info, struct error **e)
{
	if (info->shutdown && info->shutdown_reason == SHUTDOWN_suspend)
		return 0;
	return error_set(e, EBUSY, "Domain %u is not suspended, so it cannot be resumed.",
			 info->domid);
}

static int renew(struct hv *hv, const struct hv_domain_info *info, struct shared_info *shared,
		 struct start_info *si, struct start_service *store, struct start_service *console,
		 struct error **e)
{
	int rc = 0;

	for (unsigned int vcpu = 0; vcpu <= info->max_vcpu_id && rc == 0; vcpu++)
		rc = renew_vcpu(hv, info->domid, vcpu, e);
	if (rc == 0)
		rc = renew_ports(hv, info, store, console, e);
	if (rc)
		return rc;
	clear_events(shared);
	fill_start_info(si, store, console);
	return 0;
}

int resume_domain(struct hv *hv, uint32_t domid, struct start_service *store,
		  struct start_service *console, struct error **e)
{
	vcpu_guest_context_t context;
	struct hv_domain_info info;
	struct shared_info *shared = NULL;
	struct start_info *si = NULL;
	xen_pfn_t frame;
	int rc = hv_domain_info(hv, domid, &info, e);

	if (rc == 0)
		rc = check_suspended(&info, e);
	/* vCPU 0 made the suspend call, whose third argument is the frame of start info. */
	if (rc == 0)
		rc = hv_vcpu_get_context(hv, domid, 0, &context, e);
	if (rc)
		return rc;
	frame = info.shared_info_frame;
	shared = hv_map_frames(hv, domid, PROT_READ | PROT_WRITE, &frame, NULL, 1, e);
	if (!shared)
		return -EFAULT;
	frame = context.user_regs.rdx;
	si = hv_map_frames(hv, domid, PROT_READ | PROT_WRITE, &frame, NULL, 1, e);
	if (si) {
		rc = renew(hv, &info, shared, si, store, console, e);
		hv_unmap_frames(hv, si, 1);
	} else {
		error_prefix(e, "Domain %u has no start info: ", domid);
		rc = -EFAULT;
	}
	hv_unmap_frames(hv, shared, 1);
	return rc;
}
