/* SPDX-License-Identifier: MIT */
/*
 * Grant tables, version 1: the functions that the rest of the hypervisor calls (core/grant).
 * xen/grant_table.h defines the interface to guests.
 */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include "hv/domain.h"
#include "hv/frame.h"

/*
 * The limits are those of struct xen_domctl_createdomain; the caller has replaced "default" by
 * numbers. 0, -EINVAL, -ENOMEM.
 */
int __must_check grant_domain_create(struct domain *d, unsigned int max_frames,
				     unsigned int max_maptrack_frames);
/* Drops every mapping that d made of other domains' frames, in bounded steps: 0 or -ERESTART. */
int __must_check grant_domain_release_mappings(struct domain *d);
/* The last reference to d is gone: no mapping of its grants is left. */
void grant_domain_free(struct domain *d);

/*
 * Frame `idx` of the shared table, for add_to_physmap and acquire_resource. The table grows on
 * demand, but not past its limit.
 */
unsigned int grant_max_frames(const struct domain *d); /* the limit */
int __must_check grant_get_shared_frame(struct domain *d, unsigned int idx, mfn_t *mfn);

#endif
