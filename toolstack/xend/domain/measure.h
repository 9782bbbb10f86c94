/* SPDX-License-Identifier: MIT */
/* The present size of a running domain: memory and vCPUs may have changed since its start. */
#ifndef XEND_DOMAIN_MEASURE_H
#define XEND_DOMAIN_MEASURE_H

#include "lib/error.h"

struct domain;
struct domain_size;

/* -ESRCH: it is gone. */
int measure_domain(struct domain *domain, struct domain_size *size, struct error **e);

#endif
