/* SPDX-License-Identifier: MIT */
/* The interface between domctl.c, which dispatches, and the files with the sub-operations. */
#ifndef X86_GUEST_DOMCTL_H
#define X86_GUEST_DOMCTL_H

#include "x86/guest/guest_ops.h"

#include <xen/domctl.h>

typedef long arch_domctl_fn(struct domain *d, struct xen_domctl *op);

/* domctl_state.c: a vCPU's registers besides its context; saved and restored with the domain. */
arch_domctl_fn domctl_get_ext_context, domctl_set_ext_context, domctl_get_xstate, domctl_set_xstate,
	domctl_get_msrs, domctl_set_msrs, domctl_get_tsc, domctl_set_tsc;
/* domctl_shadow.c */
arch_domctl_fn domctl_shadow, domctl_set_mempool, domctl_get_mempool;
/* domctl_policy.c */
arch_domctl_fn domctl_get_policy, domctl_set_policy;

static inline struct vcpu *vcpu_of(const struct domain *d, u32 id)
{
	return id < d->max_vcpus ? d->vcpus[id] : NULL;
}

#endif
