/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's parameters: weight and cap of a domain. Argument layouts: xen/domctl.h,
 * xen/sysctl.h.
 */
#include "hv/hv.h"

#include <errno.h>

#include "hv/hv_internal.h"

int hv_sched_id(struct hv *hv, uint32_t *id, struct error **e)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_sched_id);
	int rc = hv_sysctl(hv);

	if (rc < 0)
		return hv_fail(e, -rc, "ask which scheduler runs");
	*id = op->u.sched_id.sched_id;
	return 0;
}

/*
 * Reads the scheduler's id; credit and credit2 have both weight and cap, any other scheduler is
 * -EOPNOTSUPP.
 */
static int weighted_scheduler(struct hv *hv, uint32_t *id, struct error **e)
{
	int rc = hv_sched_id(hv, id, e);

	if (rc)
		return rc;
	if (*id != XEN_SCHEDULER_CREDIT && *id != XEN_SCHEDULER_CREDIT2)
		return error_set(e, EOPNOTSUPP,
				 "The hypervisor's scheduler (number %u) knows no weight and cap.",
				 *id);
	return 0;
}

int hv_sched_get(struct hv *hv, uint32_t domid, struct hv_credit *credit, struct error **e)
{
	struct xen_domctl *op;
	uint32_t id = 0;
	int rc = weighted_scheduler(hv, &id, e);

	if (rc)
		return rc;
	op = hv_domctl_begin(hv, XEN_DOMCTL_scheduler_op, domid);
	op->u.scheduler_op.sched_id = id;
	op->u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	rc = hv_domctl(hv);
	if (rc < 0)
		return hv_fail(e, -rc, "read weight and cap of domain %u", domid);
	/* credit2's struct has the same layout; see the assertions below. */
	credit->weight = op->u.scheduler_op.u.credit.weight;
	credit->cap = op->u.scheduler_op.u.credit.cap;
	return 0;
}

_Static_assert(offsetof(struct xen_domctl_sched_credit, weight) ==
		       offsetof(struct xen_domctl_sched_credit2, weight),
	       "weight of credit and credit2");
_Static_assert(offsetof(struct xen_domctl_sched_credit, cap) ==
		       offsetof(struct xen_domctl_sched_credit2, cap),
	       "cap of credit and credit2");

int hv_sched_set(struct hv *hv, uint32_t domid, const struct hv_credit *credit, struct error **e)
{
	struct xen_domctl *op;
	uint32_t id = 0;
	int rc = weighted_scheduler(hv, &id, e);

	if (rc)
		return rc;
	if (credit->weight < 1 || credit->weight > 65535 || credit->cap > 65535)
		return error_set(e, EINVAL,
				 "A weight is 1 to 65535 and a cap 0 to 65535, not %u and %u.",
				 credit->weight, credit->cap);
	op = hv_domctl_begin(hv, XEN_DOMCTL_scheduler_op, domid);
	op->u.scheduler_op.sched_id = id;
	op->u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	op->u.scheduler_op.u.credit.weight = (uint16_t)credit->weight;
	op->u.scheduler_op.u.credit.cap = (uint16_t)credit->cap;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "set weight and cap of domain %u", domid) : 0;
}
