/* SPDX-License-Identifier: MIT */
/* Shared by domain.c and domain_end.c. */
#ifndef CORE_DOMAIN_DOMAIN_INTERNAL_H
#define CORE_DOMAIN_DOMAIN_INTERNAL_H

#include "hv/domain.h"

/*
 * Limits for a domain whose builder gives none (negative values in struct xen_domctl_createdomain).
 */
#define GRANT_DEFAULT_FRAMES	      64
#define GRANT_DEFAULT_MAPTRACK_FRAMES 1024

void vcpu_free(struct vcpu *v);

#endif
