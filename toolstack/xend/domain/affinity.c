/* SPDX-License-Identifier: MIT */
/* CPUs as text, resolved with what the hypervisor says about the host. */
#include "xend/domain/affinity.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"

static int read_host(struct config_cpus_host *host, uint32_t **nodes, struct error **e)
{
	struct xen_sysctl_physinfo info;
	int rc = hv_host_physinfo(domain_hv, &info, e);

	*nodes = NULL;
	if (rc)
		return rc;
	host->nr_cpus = info.max_cpu_id < HV_CPUMAP_CPUS ? info.max_cpu_id + 1 : HV_CPUMAP_CPUS;
	host->nodes = *nodes = xcalloc(host->nr_cpus, sizeof(**nodes));
	return hv_host_cpu_nodes(domain_hv, host->nr_cpus, *nodes, e);
}

static int parse(const char *text, const struct config_cpus_host *host, struct hv_cpumap *map,
		 struct error **e)
{
	memset(map, 0, sizeof(*map));
	return config_cpus_parse(text, host, map->bits, e);
}

int affinity_parse(const char *text, struct hv_cpumap *map, struct error **e)
{
	struct config_cpus_host host;
	uint32_t *nodes;
	int rc = read_host(&host, &nodes, e);

	if (rc == 0)
		rc = parse(text, &host, map, e);
	free(nodes);
	return rc;
}

/* The text for a vCPU; NULL: it may run anywhere. */
static const char *text_for(char *const *list, size_t nr, bool is_list, unsigned int vcpu)
{
	if (!is_list)
		return nr ? list[0] : NULL;
	return vcpu < nr ? list[vcpu] : NULL;
}

static int apply_one(struct domain *domain, const struct config_cpus_host *host, unsigned int vcpu,
		     struct error **e)
{
	const struct config *config = domain->config;
	const char *hard = text_for(config->cpus, config->nr_cpus, config->cpus_is_list, vcpu);
	const char *soft =
		text_for(config->cpus_soft, config->nr_cpus_soft, config->cpus_soft_is_list, vcpu);
	struct hv_cpumap hard_map, soft_map;
	int rc = 0;

	if (!hard && !soft)
		return 0;
	if (hard)
		rc = parse(hard, host, &hard_map, e);
	if (rc == 0 && soft)
		rc = parse(soft, host, &soft_map, e);
	if (rc) {
		error_prefix(e, "The CPUs of vCPU %u: ", vcpu);
		return rc;
	}
	return hv_vcpu_set_affinity(domain_hv, (uint32_t)domain->domid, vcpu,
				    hard ? &hard_map : NULL, soft ? &soft_map : NULL, e);
}

int affinity_apply(struct domain *domain, struct error **e)
{
	const struct config *config = domain->config;
	struct config_cpus_host host;
	uint32_t *nodes;
	int rc;

	if (!config->nr_cpus && !config->nr_cpus_soft)
		return 0;
	rc = read_host(&host, &nodes, e);
	for (unsigned int i = 0; rc == 0 && i < config_maxvcpus(config); i++)
		rc = apply_one(domain, &host, i, e);
	free(nodes);
	return rc;
}
