/* SPDX-License-Identifier: MIT */
/* Grant tables, version 1: what the rest of the hypervisor asks (core/grant). xen/grant_table.h is
 * the interface. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include "hv/domain.h"

/* max_frames and max_maptrack_frames of struct xen_domctl_createdomain, already bounded by the
 * caller's defaults. */
int __must_check grant_domain_create(struct domain *d, unsigned int max_frames,
				     unsigned int max_maptrack_frames);
/* Drops every mapping that d made of other domains' frames, in steps: 0 or -ERESTART. */
int __must_check grant_domain_release_mappings(struct domain *d);
void grant_domain_free(
	struct domain *d); /* last reference gone: no mapping of its grants is left */

/* Frame `idx` of the shared table (grown on demand, never past the limit): for add_to_physmap and
 * acquire_resource. */
unsigned int grant_max_frames(const struct domain *d); /* the limit */
int __must_check grant_get_shared_frame(struct domain *d, unsigned int idx, mfn_t *mfn);

#endif
