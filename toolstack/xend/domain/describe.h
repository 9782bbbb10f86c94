/* SPDX-License-Identifier: MIT */
/* A domain as domain.list and other methods describe it. */
#ifndef XEND_DOMAIN_DESCRIBE_H
#define XEND_DOMAIN_DESCRIBE_H

#include <stdbool.h>

#include "hv/hv.h"
#include "lib/json.h"

struct domain;

enum domain_status {
	STATUS_HALTED,
	STATUS_PAUSED,
	STATUS_RUNNING,
	STATUS_SUSPENDED,
	STATUS_SHUTDOWN,
	STATUS_CRASHED
};

/* A member of a domain's description: its name and its value, NULL when the domain has none. */
struct domain_field {
	const char *name;
	struct json_object *(*value)(const struct domain *domain,
				     const struct hv_domain_info *info);
};

/* The field XEND_D_*; NULL: there is none of that name. */
const struct domain_field *domain_field_find(const char *name);

/* All fields as an object. info NULL: the domain does not run. */
struct json_object *domain_describe(const struct domain *domain, const struct hv_domain_info *info,
				    bool with_config);
/* "any cpu", or "0-1,4"; to be freed. */
char *cpumap_to_text(const struct hv_cpumap *map, unsigned int nr_cpus);

#endif
