/* SPDX-License-Identifier: MIT */
/* Creation, destruction, pausing and listing of domains. Argument layouts: xen/domctl.h. */
#include "hv/hv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xen/sched.h>

#include "hv/hv_internal.h"
#include "lib/alloc.h"

/* Numbers from here on are no domain ids but have meanings such as DOMID_SELF. */
#define DOMAIN_IDS DOMID_FIRST_RESERVED

/* Domains that one call lists; struct xen_domctl_getdomaininfo has a bit more than 100 bytes. */
#define LIST_CHUNK 256

static unsigned int grant_version_offered(struct hv *hv)
{
	struct xen_sysctl_physinfo info;

	if (hv_host_physinfo(hv, &info, NULL))
		return 1;
	return info.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? 2 : 1;
}

int hv_domain_create(struct hv *hv, const struct hv_domain_spec *spec, uint32_t *domid,
		     struct error **e)
{
	unsigned int version =
		spec->grant_version != 0 ? spec->grant_version : grant_version_offered(hv);
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_createdomain, *domid);
	struct xen_domctl_createdomain *create = &op->u.createdomain;
	int rc;

	memcpy(create->handle, spec->uuid, sizeof(create->handle));
	create->max_vcpus = spec->max_vcpus;
	create->max_evtchn_port = spec->max_evtchn_port != 0 ? spec->max_evtchn_port : 1023;
	create->max_grant_frames = spec->max_grant_frames;
	create->max_maptrack_frames = spec->max_maptrack_frames;
	create->grant_opts = XEN_DOMCTL_GRANT_version(version);
	create->cpupool_id = spec->cpupool;
	rc = hv_domctl(hv);
	if (rc < 0)
		return hv_fail(e, -rc, "create a domain with %u vCPUs", spec->max_vcpus);
	*domid = op->domain;
	return 0;
}

/* A domctl without arguments. */
static int simple_domctl(struct hv *hv, uint32_t cmd, uint32_t domid, const char *verb,
			 struct error **e)
{
	int rc;

	if (domid >= DOMAIN_IDS)
		return hv_fail(e, ESRCH, "%s domain %u", verb, domid);
	hv_domctl_begin(hv, cmd, domid);
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "%s domain %u", verb, domid) : 0;
}

int hv_domain_destroy(struct hv *hv, uint32_t domid, struct error **e)
{
	int rc;

	if (domid >= DOMAIN_IDS)
		return hv_fail(e, ESRCH, "destroy domain %u", domid);
	/* EAGAIN: the hypervisor has more to free and lets others run in between. */
	do {
		hv_domctl_begin(hv, XEN_DOMCTL_destroydomain, domid);
		rc = hv_domctl(hv);
	} while (rc == -EAGAIN);
	return rc < 0 ? hv_fail(e, -rc, "destroy domain %u", domid) : 0;
}

int hv_domain_pause(struct hv *hv, uint32_t domid, struct error **e)
{
	return simple_domctl(hv, XEN_DOMCTL_pausedomain, domid, "pause", e);
}

int hv_domain_unpause(struct hv *hv, uint32_t domid, struct error **e)
{
	return simple_domctl(hv, XEN_DOMCTL_unpausedomain, domid, "unpause", e);
}

int hv_domain_resume(struct hv *hv, uint32_t domid, struct error **e)
{
	return simple_domctl(hv, XEN_DOMCTL_resumedomain, domid, "resume", e);
}

int hv_domain_cancel_suspend(struct hv *hv, uint32_t domid, struct error **e)
{
	vcpu_guest_context_t context;
	int rc = hv_vcpu_get_context(hv, domid, 0, &context, e);

	/* The suspend hypercall returns 1 for "cancelled" (xen/sched.h, SCHEDOP_shutdown). */
	context.user_regs.rax = 1;
	if (rc == 0)
		rc = hv_vcpu_set_context(hv, domid, 0, &context, e);
	return rc == 0 ? hv_domain_resume(hv, domid, e) : rc;
}

static void info_from_abi(const struct xen_domctl_getdomaininfo *raw, struct hv_domain_info *info)
{
	*info = (struct hv_domain_info){
		.domid = raw->domain,
		.dying = raw->flags & XEN_DOMINF_dying,
		.hvm = raw->flags & XEN_DOMINF_hvm_guest,
		.shutdown = raw->flags & XEN_DOMINF_shutdown,
		.paused = raw->flags & XEN_DOMINF_paused,
		.blocked = raw->flags & XEN_DOMINF_blocked,
		.running = raw->flags & XEN_DOMINF_running,
		.hap = raw->flags & XEN_DOMINF_hap,
		.xenstore = raw->flags & XEN_DOMINF_xs_domain,
		.shutdown_reason =
			(raw->flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask,
		.pages = raw->tot_pages,
		.max_pages = raw->max_pages,
		.outstanding_pages = raw->outstanding_pages,
		.cpu_time_ns = raw->cpu_time,
		.online_vcpus = raw->nr_online_vcpus,
		.max_vcpu_id = raw->max_vcpu_id,
		.ssidref = raw->ssidref,
		.cpupool = raw->cpupool,
		.shared_info_frame = raw->shared_info_frame,
	};
	memcpy(info->uuid, raw->handle, sizeof(info->uuid));
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_getdomaininfo, domid);
	int rc = domid < DOMAIN_IDS ? hv_domctl(hv) : -ESRCH;

	/* When no domain has that id, the hypervisor answers with the next one. */
	if (rc >= 0 && op->u.getdomaininfo.domain != domid)
		rc = -ESRCH;
	if (rc < 0)
		return hv_fail(e, -rc, "read the state of domain %u", domid);
	info_from_abi(&op->u.getdomaininfo, info);
	return 0;
}

/*
 * Appends up to LIST_CHUNK domains with ids from `first` on to *list. Returns how many it appended,
 * or -errno.
 */
static int list_chunk(struct hv *hv, xen_domctl_getdomaininfo_t *buffer, uint32_t first,
		      struct hv_domain_info **list, size_t *count)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_getdomaininfolist);
	int rc;

	op->u.getdomaininfolist.first_domain = (domid_t)first;
	op->u.getdomaininfolist.max_domains = LIST_CHUNK;
	set_xen_guest_handle(op->u.getdomaininfolist.buffer, buffer);
	rc = hv_sysctl(hv);
	if (rc < 0)
		return rc;
	rc = (int)op->u.getdomaininfolist.num_domains;
	if (rc > LIST_CHUNK)
		return -EPROTO;
	*list = xreallocarray(*list, *count + (size_t)rc + 1, sizeof(**list));
	for (int i = 0; i < rc; i++)
		info_from_abi(&buffer[i], &(*list)[(*count)++]);
	return rc;
}

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	xen_domctl_getdomaininfo_t *buffer = hv_buffer(hv, LIST_CHUNK * sizeof(*buffer), e);
	uint32_t next = 0;
	int rc;

	*list = NULL;
	*count = 0;
	if (!buffer)
		return -ENOMEM;
	do {
		rc = list_chunk(hv, buffer, next, list, count);
		if (*count > 0)
			next = (*list)[*count - 1].domid + 1;
	} while (rc == LIST_CHUNK && next < DOMAIN_IDS);
	hv_buffer_free(hv, buffer);
	if (rc < 0) {
		free(*list);
		*list = NULL;
		*count = 0;
		return hv_fail(e, -rc, "list the domains");
	}
	return 0;
}

int hv_domain_set_uuid(struct hv *hv, uint32_t domid, const uint8_t uuid[16], struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_setdomainhandle, domid);
	int rc;

	memcpy(op->u.setdomainhandle.handle, uuid, 16);
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "set the UUID of domain %u", domid) : 0;
}

int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_max_mem, domid);
	int rc;

	op->u.max_mem.max_memkb = kb;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "limit the memory of domain %u to %llu KiB", domid,
				(unsigned long long)kb) :
			0;
}

int hv_domain_send_trigger(struct hv *hv, uint32_t domid, unsigned int trigger, unsigned int vcpu,
			   struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_sendtrigger, domid);
	int rc;

	op->u.sendtrigger.trigger = trigger;
	op->u.sendtrigger.vcpu = vcpu;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "send a trigger to vCPU %u of domain %u", vcpu, domid) : 0;
}

int hv_domain_get_tsc(struct hv *hv, uint32_t domid, struct hv_tsc_info *tsc, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_gettscinfo, domid);
	int rc = hv_domctl(hv);

	if (rc < 0)
		return hv_fail(e, -rc, "read the TSC mode of domain %u", domid);
	*tsc = (struct hv_tsc_info){
		.mode = op->u.tsc_info.tsc_mode,
		.gtsc_khz = op->u.tsc_info.gtsc_khz,
		.incarnation = op->u.tsc_info.incarnation,
		.elapsed_ns = op->u.tsc_info.elapsed_nsec,
	};
	return 0;
}

int hv_domain_set_tsc(struct hv *hv, uint32_t domid, const struct hv_tsc_info *tsc,
		      struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_settscinfo, domid);
	int rc;

	op->u.tsc_info.tsc_mode = tsc->mode;
	op->u.tsc_info.gtsc_khz = tsc->gtsc_khz;
	op->u.tsc_info.incarnation = tsc->incarnation;
	op->u.tsc_info.elapsed_nsec = tsc->elapsed_ns;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "set the TSC mode of domain %u", domid) : 0;
}
