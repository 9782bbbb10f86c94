/* SPDX-License-Identifier: MIT */
/*
 * CPU policies: the CPUID leaves and MSRs of a domain. Argument layouts: xen/domctl.h,
 * xen/sysctl.h.
 */
#include "hv/hv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv/hv_internal.h"
#include "lib/alloc.h"

/* Room for any policy. Xen 4.17 reports its own maxima; they are below 200 leaves and 10 MSRs. */
#define LEAVES_MAX 1024
#define MSRS_MAX   256

struct buffers {
	xen_cpuid_leaf_t *leaves;
	xen_msr_entry_t *msrs;
};

static void buffers_free(struct hv *hv, struct buffers *buffers)
{
	hv_buffer_free(hv, buffers->leaves);
	hv_buffer_free(hv, buffers->msrs);
}

static int buffers_alloc(struct hv *hv, struct buffers *buffers, struct error **e)
{
	buffers->leaves = hv_buffer(hv, LEAVES_MAX * sizeof(*buffers->leaves), e);
	buffers->msrs =
		buffers->leaves ? hv_buffer(hv, MSRS_MAX * sizeof(*buffers->msrs), e) : NULL;
	if (!buffers->msrs) {
		buffers_free(hv, buffers);
		return -ENOMEM;
	}
	memset(buffers->leaves, 0, LEAVES_MAX * sizeof(*buffers->leaves));
	memset(buffers->msrs, 0, MSRS_MAX * sizeof(*buffers->msrs));
	return 0;
}

void hv_policy_free(struct hv_cpu_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
	memset(policy, 0, sizeof(*policy));
}

static int policy_from(struct hv_cpu_policy *policy, const struct buffers *buffers,
		       uint32_t nr_leaves, uint32_t nr_msrs)
{
	if (nr_leaves > LEAVES_MAX || nr_msrs > MSRS_MAX)
		return -EPROTO;
	policy->leaves = xmalloc(nr_leaves * sizeof(*policy->leaves));
	policy->msrs = xmalloc(nr_msrs * sizeof(*policy->msrs));
	memcpy(policy->leaves, buffers->leaves, nr_leaves * sizeof(*policy->leaves));
	memcpy(policy->msrs, buffers->msrs, nr_msrs * sizeof(*policy->msrs));
	policy->nr_leaves = nr_leaves;
	policy->nr_msrs = nr_msrs;
	return 0;
}

int hv_policy_get_system(struct hv *hv, unsigned int index, struct hv_cpu_policy *policy,
			 struct error **e)
{
	struct buffers buffers;
	struct xen_sysctl *op;
	int rc = buffers_alloc(hv, &buffers, e);

	memset(policy, 0, sizeof(*policy));
	if (rc)
		return rc;
	op = hv_sysctl_begin(hv, XEN_SYSCTL_get_cpu_policy);
	op->u.cpu_policy.index = index;
	op->u.cpu_policy.nr_leaves = LEAVES_MAX;
	op->u.cpu_policy.nr_msrs = MSRS_MAX;
	set_xen_guest_handle(op->u.cpu_policy.leaves, buffers.leaves);
	set_xen_guest_handle(op->u.cpu_policy.msrs, buffers.msrs);
	rc = hv_sysctl(hv);
	if (rc >= 0)
		rc = policy_from(policy, &buffers, op->u.cpu_policy.nr_leaves,
				 op->u.cpu_policy.nr_msrs);
	buffers_free(hv, &buffers);
	return rc < 0 ? hv_fail(e, -rc, "read the processor's features") : 0;
}

static struct xen_domctl *domain_policy_begin(struct hv *hv, uint32_t cmd, uint32_t domid,
					      const struct buffers *buffers, uint32_t nr_leaves,
					      uint32_t nr_msrs)
{
	struct xen_domctl *op = hv_domctl_begin(hv, cmd, domid);

	op->u.cpu_policy.nr_leaves = nr_leaves;
	op->u.cpu_policy.nr_msrs = nr_msrs;
	set_xen_guest_handle(op->u.cpu_policy.leaves, buffers->leaves);
	set_xen_guest_handle(op->u.cpu_policy.msrs, buffers->msrs);
	return op;
}

int hv_policy_get_domain(struct hv *hv, uint32_t domid, struct hv_cpu_policy *policy,
			 struct error **e)
{
	struct buffers buffers;
	struct xen_domctl *op;
	int rc = buffers_alloc(hv, &buffers, e);

	memset(policy, 0, sizeof(*policy));
	if (rc)
		return rc;
	op = domain_policy_begin(hv, XEN_DOMCTL_get_cpu_policy, domid, &buffers, LEAVES_MAX,
				 MSRS_MAX);
	rc = hv_domctl(hv);
	if (rc >= 0)
		rc = policy_from(policy, &buffers, op->u.cpu_policy.nr_leaves,
				 op->u.cpu_policy.nr_msrs);
	buffers_free(hv, &buffers);
	return rc < 0 ? hv_fail(e, -rc, "read the processor features of domain %u", domid) : 0;
}

int hv_policy_set_domain(struct hv *hv, uint32_t domid, const struct hv_cpu_policy *policy,
			 struct error **e)
{
	struct buffers buffers;
	struct xen_domctl *op;
	uint32_t leaf, msr;
	int rc;

	if (policy->nr_leaves > LEAVES_MAX || policy->nr_msrs > MSRS_MAX)
		return hv_fail(e, E2BIG, "set the processor features of domain %u", domid);
	rc = buffers_alloc(hv, &buffers, e);
	if (rc)
		return rc;
	memcpy(buffers.leaves, policy->leaves, policy->nr_leaves * sizeof(*buffers.leaves));
	memcpy(buffers.msrs, policy->msrs, policy->nr_msrs * sizeof(*buffers.msrs));
	op = domain_policy_begin(hv, XEN_DOMCTL_set_cpu_policy, domid, &buffers, policy->nr_leaves,
				 policy->nr_msrs);
	rc = hv_domctl(hv);
	leaf = op->u.cpu_policy.err_leaf;
	msr = op->u.cpu_policy.err_msr;
	buffers_free(hv, &buffers);
	return rc < 0 ? hv_fail(e, -rc,
				"set the processor features of domain %u (CPUID leaf %#x, MSR %#x)",
				domid, leaf, msr) :
			0;
}
