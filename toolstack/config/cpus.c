/* SPDX-License-Identifier: MIT */
/* Lists of CPUs as text: one parser for both uses, with a map to fill or without one. */
#include "config/cpus.h"
#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "N" or "N-M". */
static bool parse_range(char *text, uint64_t *first, uint64_t *last)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash = '\0';
	if (!str_to_u64(text, 10, 0, CPUS_MAX - 1, first))
		return false;
	*last = *first;
	return !dash || (str_to_u64(dash + 1, 10, 0, CPUS_MAX - 1, last) && *last >= *first);
}

static void set_range(uint8_t *map, uint64_t first, uint64_t last, bool value)
{
	for (uint64_t cpu = first; cpu <= last; cpu++) {
		if (value)
			map[cpu / 8] |= (uint8_t)(1U << (cpu % 8));
		else
			map[cpu / 8] &= (uint8_t) ~(1U << (cpu % 8));
	}
}

static bool is_empty(const uint8_t *map, unsigned int nr_cpus)
{
	for (unsigned int i = 0; i < (nr_cpus + 7) / 8; i++) {
		if (map[i])
			return false;
	}
	return true;
}

/* Parses one part between commas. is_first: a ^ in the first part removes from all CPUs. */
static int parse_part(char *part, bool is_first, unsigned int nr_cpus, uint8_t *map,
		      struct error **e)
{
	bool add = *part != '^';
	char *text = str_trim(add ? part : part + 1);
	uint64_t first = 0, last = nr_cpus - 1;

	if (is_first && !add)
		set_range(map, 0, nr_cpus - 1, true);
	if (strcmp(text, "all") != 0 && !parse_range(text, &first, &last))
		return error_set(e, EINVAL, "CPUs are given as \"0-3,5,^1\" or \"all\".");
	if (last >= nr_cpus)
		return error_set(e, EINVAL, "There is no CPU %u: the host has CPUs 0 to %u.",
				 (unsigned int)last, nr_cpus - 1);
	set_range(map, first, last, add);
	return 0;
}

int config_cpus_parse(const char *text, unsigned int nr_cpus, uint8_t *map, struct error **e)
{
	char *copy = xstrdup(text), *rest = copy, *part;
	bool is_first = true;
	int rc = 0;

	memset(map, 0, (nr_cpus + 7) / 8);
	while (rc == 0 && (part = strsep(&rest, ","))) {
		rc = parse_part(str_trim(part), is_first, nr_cpus, map, e);
		is_first = false;
	}
	if (rc == 0 && is_empty(map, nr_cpus))
		rc = error_set(e, EINVAL, "\"%s\" leaves no CPU.", text);
	free(copy);
	return rc;
}

int cpus_check(const char *text, struct error **e)
{
	uint8_t map[CPUS_MAX / 8];

	return config_cpus_parse(text, CPUS_MAX, map, e);
}
