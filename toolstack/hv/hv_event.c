/* SPDX-License-Identifier: MIT */
/* Event channels on behalf of a domain. Argument layouts: xen/event_channel.h. */
#include "hv/hv.h"

#include <errno.h>

#include <xen/event_channel.h>

#include "hv/hv_internal.h"

int hv_evtchn_alloc_unbound(struct hv *hv, uint32_t domid, uint32_t remote, uint32_t *port,
			    struct error **e)
{
	struct evtchn_alloc_unbound *op = hv_op_begin(hv, sizeof(*op));

	op->dom = (domid_t)domid;
	op->remote_dom = (domid_t)remote;
	if (xencall2(hv->calls, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound,
		     (uintptr_t)op) < 0)
		return hv_fail(e, errno, "make an event channel from domain %u to domain %u", domid,
			       remote);
	*port = op->port;
	return 0;
}

int hv_evtchn_reset(struct hv *hv, uint32_t domid, struct error **e)
{
	struct evtchn_reset *op = hv_op_begin(hv, sizeof(*op));

	op->dom = (domid_t)domid;
	if (xencall2(hv->calls, __HYPERVISOR_event_channel_op, EVTCHNOP_reset, (uintptr_t)op) < 0)
		return hv_fail(e, errno, "close the event channels of domain %u", domid);
	return 0;
}

bool hv_evtchn_leads_to(struct hv *hv, uint32_t domid, uint32_t port, uint32_t remote)
{
	struct evtchn_status *op = hv_op_begin(hv, sizeof(*op));

	op->dom = (domid_t)domid;
	op->port = port;
	if (xencall2(hv->calls, __HYPERVISOR_event_channel_op, EVTCHNOP_status, (uintptr_t)op) < 0)
		return false;
	return (op->status == EVTCHNSTAT_unbound && op->u.unbound.dom == remote) ||
	       (op->status == EVTCHNSTAT_interdomain && op->u.interdomain.dom == remote);
}
