/* SPDX-License-Identifier: MIT */
/* A running domain's size, from the hypervisor and from nodes that the guest cannot write. */
#include "xend/domain/measure.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

int measure_domain(struct domain *domain, struct domain_size *size, struct error **e)
{
	struct hv_domain_info info;
	int domid = domain->domid, rc = domain_info(domain, &info, e);

	if (rc)
		return rc;
	domain_size_of_config(size, domain->config);
	size->pages = info.pages;
	size->target_kb = store_read_number(UINT32_MAX, size->target_kb,
					    "/local/domain/%d/memory/target", domid);
	size->static_max_kb = store_read_number(UINT32_MAX, size->static_max_kb,
						"/local/domain/%d/memory/static-max", domid);
	size->vcpus = 0;
	for (uint32_t i = 0; i < config_maxvcpus(domain->config); i++) {
		char *online = store_read("/local/domain/%d/cpu/%u/availability", domid, i);

		size->vcpus += online && strcmp(online, "online") == 0;
		free(online);
	}
	return 0;
}
