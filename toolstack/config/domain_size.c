/* SPDX-License-Identifier: MIT */
/*
 * A domain's size in a saved file: written within the configuration's limits, and checked against
 * them when it is read.
 */
#include "config/domain_size.h"

#include <errno.h>

#include "lib/json.h"

#define KB_PER_MIB    1024
#define PAGES_PER_MIB 256
#define KB_PER_PAGE   4
#define PAGES_MAX     (CONFIG_MEMORY_MAX * PAGES_PER_MIB)
#define MEMBER	      "size"

void domain_size_of_config(struct domain_size *size, const struct config *config)
{
	*size = (struct domain_size){
		.pages = config->memory * PAGES_PER_MIB,
		.target_kb = config->memory * KB_PER_MIB,
		.static_max_kb = config_maxmem(config) * KB_PER_MIB,
		.vcpus = config->vcpus,
	};
}

uint64_t domain_size_limit_kb(const struct domain_size *size)
{
	uint64_t has = size->pages * KB_PER_PAGE, shall = size->target_kb + DOMAIN_SIZE_SLACK_KB;

	return has > shall ? has : shall;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
	value = value > least ? value : least;
	return value < most ? value : most;
}

/* The smallest maxmem, in MiB, that covers the domain's pages. */
static uint64_t least_maxmem(const struct domain_size *size)
{
	uint64_t kb = size->pages * KB_PER_PAGE;

	return kb > DOMAIN_SIZE_SLACK_KB ?
		       (kb - DOMAIN_SIZE_SLACK_KB + KB_PER_MIB - 1) / KB_PER_MIB :
		       0;
}

struct json_object *domain_size_put(struct domain_size *size, const struct config *config)
{
	struct json_object *o = config_to_json(config);
	uint64_t most = config_maxmem(config) * KB_PER_MIB, cpus = config_maxvcpus(config);

	/* mem-max may have lowered the limit since, and other tools may have written any value. */
	size->target_kb = clamp(size->target_kb, CONFIG_MEMORY_MIN * KB_PER_MIB, most);
	size->vcpus = clamp(size->vcpus, 1, cpus);
	/*
	 * A guest may not have given back yet what a lower limit takes from it. When it is restored
	 * it has all of its pages again, so maxmem must cover them.
	 */
	json_set_int(o, "maxmem",
		     (int64_t)clamp(config_maxmem(config), least_maxmem(size), UINT64_MAX));
	json_set_int(o, "memory", (int64_t)((size->target_kb + KB_PER_MIB - 1) / KB_PER_MIB));
	json_set_int(o, "maxvcpus", (int64_t)cpus);
	json_set_int(o, "vcpus", (int64_t)size->vcpus);
	json_set(o, MEMBER, domain_size_to_json(size));
	return o;
}

/*
 * A person who is asked to trust the file sees only the configuration, so the size must not take
 * more of the host than the configuration says. static_max_kb needs no check: a domain gets no more
 * than the lower one of static_max_kb and maxmem.
 */
static int check_allowed(const struct domain_size *size, const struct config *config,
			 struct error **e)
{
	uint64_t most = config_maxmem(config), kb = size->pages * KB_PER_PAGE;

	if (least_maxmem(size) > most || size->target_kb > most * KB_PER_MIB)
		return error_set(
			e, EBADMSG,
			"The size of domain '%s' in its file, %llu KiB of memory, is more than its "
			"configuration there allows (maxmem, %llu MiB): the file is damaged, or "
			"was changed.",
			config->name,
			(unsigned long long)(kb > size->target_kb ? kb : size->target_kb),
			(unsigned long long)most);
	if (size->vcpus > config_maxvcpus(config))
		return error_set(
			e, EBADMSG,
			"The size of domain '%s' in its file, %llu vCPUs, is more than its "
			"configuration "
			"there allows (maxvcpus, %llu): the file is damaged, or was changed.",
			config->name, (unsigned long long)size->vcpus,
			(unsigned long long)config_maxvcpus(config));
	return 0;
}

struct config *domain_size_take(struct json_object *saved, struct domain_size *size,
				struct error **e)
{
	struct json_object *member = json_object_get(json_find(saved, MEMBER));
	struct config *config;
	int rc = 0;

	json_object_object_del(saved, MEMBER);
	config = config_from_json(saved, e);
	if (config) {
		domain_size_of_config(size, config);
		if (member)
			rc = domain_size_from_json(size, member, e);
		if (rc == 0)
			rc = check_allowed(size, config, e);
	}
	json_object_put(member);
	if (rc) {
		config_free(config);
		return NULL;
	}
	return config;
}

struct json_object *domain_size_to_json(const struct domain_size *size)
{
	struct json_object *o = json_new_object();

	json_set_int(o, "pages", (int64_t)size->pages);
	json_set_int(o, "target_kb", (int64_t)size->target_kb);
	json_set_int(o, "static_max_kb", (int64_t)size->static_max_kb);
	json_set_int(o, "vcpus", (int64_t)size->vcpus);
	return o;
}

static int get(struct json_object *o, const char *key, int64_t max, uint64_t *out, struct error **e)
{
	int64_t value = 0;
	int rc = json_get_int(o, key, 1, max, &value, e);

	*out = (uint64_t)value;
	return rc;
}

int domain_size_from_json(struct domain_size *size, struct json_object *o, struct error **e)
{
	int rc = get(o, "pages", PAGES_MAX, &size->pages, e);

	if (rc == 0)
		rc = get(o, "target_kb", PAGES_MAX * KB_PER_PAGE, &size->target_kb, e);
	if (rc == 0)
		rc = get(o, "static_max_kb", PAGES_MAX * KB_PER_PAGE, &size->static_max_kb, e);
	if (rc == 0)
		rc = get(o, "vcpus", CONFIG_VCPUS_MAX, &size->vcpus, e);
	return rc;
}
