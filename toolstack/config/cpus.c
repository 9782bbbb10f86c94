/* SPDX-License-Identifier: MIT */
/*
 * Lists of CPUs as text: one parser for both uses, for a host's CPUs or without a host.
 *
 *	[^]N	[^]N-M	[^]all	[^]node:N	[^]nodes:N-M
 *
 * Parts are separated by commas; an empty part says nothing.
 */
#include "config/cpus.h"
#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cpu_list {
	const struct config_cpus_host *host; /* NULL: the syntax alone is checked */
	unsigned int nr_cpus;
	uint8_t *map;
	bool any;      /* a part was read */
	bool by_nodes; /* some part names nodes, whose CPUs only a host knows */
};

/* "all", "N" or "N-M". */
static bool parse_range(char *text, uint64_t *first, uint64_t *last)
{
	char *dash = strchr(text, '-');

	*first = 0;
	*last = UINT32_MAX;
	if (strcmp(text, "all") == 0)
		return true;
	if (dash)
		*dash = '\0';
	if (!str_to_u64(text, 10, 0, UINT32_MAX, first))
		return false;
	*last = *first;
	return !dash || (str_to_u64(dash + 1, 10, 0, UINT32_MAX, last) && *last >= *first);
}

static void set(uint8_t *map, unsigned int cpu, bool value)
{
	if (value)
		map[cpu / 8] |= (uint8_t)(1U << (cpu % 8));
	else
		map[cpu / 8] &= (uint8_t) ~(1U << (cpu % 8));
}

/* CPUs and nodes that the host does not have are left out, as xl leaves them out. */
static void set_range(struct cpu_list *list, bool nodes, uint64_t first, uint64_t last, bool value)
{
	for (unsigned int cpu = 0; cpu < list->nr_cpus; cpu++) {
		uint64_t number = cpu;

		if (nodes)
			number = list->host && list->host->nodes ? list->host->nodes[cpu] : 0;
		if (number >= first && number <= last)
			set(list->map, cpu, value);
	}
}

static bool is_empty(const struct cpu_list *list)
{
	for (unsigned int i = 0; i < (list->nr_cpus + 7) / 8; i++) {
		if (list->map[i])
			return false;
	}
	return true;
}

/* Reads one part. A ^ in the first part removes from all CPUs. */
static bool parse_part(struct cpu_list *list, char *part)
{
	bool add = *part != '^', nodes;
	char *text = str_trim(add ? part : part + 1);
	uint64_t first, last;

	if (!*part)
		return true;
	nodes = str_starts(text, "node:") || str_starts(text, "nodes:");
	if (nodes)
		text = str_trim(strchr(text, ':') + 1);
	if (!parse_range(text, &first, &last))
		return false;
	if (!list->any && !add)
		set_range(list, false, 0, UINT32_MAX, true);
	list->any = true;
	list->by_nodes |= nodes;
	set_range(list, nodes, first, last, add);
	return true;
}

static int fail(const struct cpu_list *list, const char *text, struct error **e)
{
	if (!list->host || !list->any)
		return error_set(e, EINVAL, "\"%s\" leaves no CPU.", text);
	return error_set(e, EINVAL, "\"%s\" leaves no CPU of the host, which has CPUs 0 to %u.",
			 text, list->nr_cpus - 1);
}

static int parse(struct cpu_list *list, const char *text, struct error **e)
{
	char *copy = xstrdup(text), *rest = copy, *part;
	bool good = true;

	memset(list->map, 0, (list->nr_cpus + 7) / 8);
	while (good && (part = strsep(&rest, ",")))
		good = parse_part(list, str_trim(part));
	free(copy);
	if (!good)
		return error_set(e, EINVAL,
				 "CPUs are given as \"0-3,5,^1\", \"nodes:0-1,^node:1\" or "
				 "\"all\".");
	if (is_empty(list) && (list->host || !list->by_nodes))
		return fail(list, text, e);
	return 0;
}

int config_cpus_parse(const char *text, const struct config_cpus_host *host, uint8_t *map,
		      struct error **e)
{
	struct cpu_list list = { .host = host, .nr_cpus = host->nr_cpus, .map = map };

	return parse(&list, text, e);
}

int cpus_check(const char *text, struct error **e)
{
	uint8_t map[CPUS_MAX / 8];
	struct cpu_list list = { .nr_cpus = CPUS_MAX, .map = map };

	return parse(&list, text, e);
}
