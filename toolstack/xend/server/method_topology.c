/* SPDX-License-Identifier: MIT */
/* Methods for the host's processors: their topology, NUMA nodes, and pools. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"
#include "xend/server/scheduler.h"

#define BYTES_PER_MIB (1024 * 1024)

static int put_cpus(struct json_object *result, struct error **e)
{
	struct json_object *array = json_new_array();
	struct xen_sysctl_cputopo *cpus = NULL;
	size_t count = 0;
	int rc = hv_host_cpu_topology(domain_hv, &cpus, &count, e);

	json_set(result, "cpus", array);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct json_object *o;

		if (cpus[i].core == XEN_INVALID_CORE_ID)
			continue;
		o = json_new_object();
		json_set_int(o, "cpu", (int64_t)i);
		json_set_int(o, "core", cpus[i].core);
		json_set_int(o, "socket", cpus[i].socket);
		json_set_int(o, "node", cpus[i].node);
		json_append(array, o);
	}
	free(cpus);
	return rc;
}

static int put_nodes(struct json_object *result, struct error **e)
{
	struct json_object *array = json_new_array();
	struct hv_numa numa = { 0 };
	int rc = hv_host_numa(domain_hv, &numa, e);

	json_set(result, "nodes", array);
	for (size_t i = 0; rc == 0 && i < numa.count; i++) {
		struct json_object *o, *distances;

		if (numa.memory[i].memsize == XEN_INVALID_MEM_SZ)
			continue;
		o = json_new_object();
		distances = json_new_array();
		for (size_t j = 0; j < numa.count; j++)
			json_append(distances, json_new_int(numa.distances[i * numa.count + j]));
		json_set_int(o, "node", (int64_t)i);
		json_set_int(o, "memsize", (int64_t)(numa.memory[i].memsize / BYTES_PER_MIB));
		json_set_int(o, "memfree", (int64_t)(numa.memory[i].memfree / BYTES_PER_MIB));
		json_set(o, "distances", distances);
		json_append(array, o);
	}
	free(numa.memory);
	free(numa.distances);
	return rc;
}

static int topology(struct request *request, struct json_object *result, struct error **e)
{
	int rc = put_cpus(result, e);

	return rc ? rc : put_nodes(result, e);
}

static struct json_object *describe_pool(const struct hv_cpupool *pool)
{
	struct json_object *o = json_new_object(), *cpus = json_new_array();
	char *name = store_read("/local/pool/%u/name", pool->id);

	for (unsigned int i = 0; i < HV_CPUMAP_CPUS; i++)
		if (hv_cpumap_test(&pool->cpus, i))
			json_append(cpus, json_new_int(i));
	if (name)
		json_set_string(o, "name", name);
	else
		json_set_printf(o, "name", "Pool-%u", pool->id);
	free(name);
	json_set_int(o, "id", pool->id);
	json_set(o, "cpus", cpus);
	json_set_string(o, "scheduler", scheduler_name(pool->scheduler));
	json_set_int(o, "domains", pool->domains);
	return o;
}

static int cpupools(struct request *request, struct json_object *result, struct error **e)
{
	struct json_object *array = json_new_array();
	struct hv_cpupool pool = { 0 };
	uint32_t from = 0;
	int rc;

	json_set(result, "pools", array);
	while ((rc = hv_cpupool_next(domain_hv, from, &pool, e)) == 0 && pool.id >= from) {
		json_append(array, describe_pool(&pool));
		from = pool.id + 1;
	}
	return rc == -ENOENT ? 0 : rc;
}

const struct method methods_topology[] = {
	{ XEND_M_HOST_TOPOLOGY, topology, { { NULL } } },
	{ XEND_M_HOST_CPUPOOLS, cpupools, { { NULL } } },
	{ NULL },
};
