/* SPDX-License-Identifier: MIT */
/* The physical CPUs that a domain's virtual ones may and should run on. */
#ifndef XEND_DOMAIN_AFFINITY_H
#define XEND_DOMAIN_AFFINITY_H

#include "hv/hv.h"
#include "xend/domain/domain.h"

/* Reads CPUs such as "0-3,5,^1" or "nodes:0" for the CPUs of this host. */
int affinity_parse(const char *text, struct hv_cpumap *map, struct error **e);

/* Gives the vCPUs of a new domain the CPUs that cpus and cpus_soft of its configuration name. */
int affinity_apply(struct domain *domain, struct error **e);

#endif
