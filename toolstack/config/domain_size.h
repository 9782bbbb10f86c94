/* SPDX-License-Identifier: MIT */
/*
 * How large a domain is when it begins: as its configuration says, or as it was when it was saved.
 * What it had then may be anything up to its limit, and so differ from what it should have had: its
 * memory may have been set anew, it may be on its way there, and it may have taken pages of the
 * slack. Pure.
 */
#ifndef CONFIG_DOMAIN_SIZE_H
#define CONFIG_DOMAIN_SIZE_H

#include <stdint.h>

#include "config/config.h"

/*
 * What a domain's limit is above its target: guests count pages of their own making, and libxl,
 * whose guests come here and go from here, gives as much.
 */
#define DOMAIN_SIZE_SLACK_KB 1024

struct domain_size {
	uint64_t pages;		/* that it has at once */
	uint64_t target_kb;	/* that it shall have: memory/target */
	uint64_t static_max_kb; /* the most it can be given later, as it was told when it began:
				   memory/static-max */
	uint64_t vcpus;		/* that shall be online */
};

/* A domain that is made of its kernel. */
void domain_size_of_config(struct domain_size *size, const struct config *config);
/* The hypervisor's limit for it, KiB: the target and its slack, or what it has already. */
uint64_t domain_size_limit_kb(const struct domain_size *size);

/*
 * For a file: the configuration of a domain that runs, with memory and vcpus as they are now (so it
 * starts with them when it reboots), and as its member "size" the size. *size is cut to what the
 * configuration allows, but for the pages that it has: maxmem is then as high as these need.
 */
struct json_object *domain_size_put(struct domain_size *size, const struct config *config);
/*
 * Takes "size" out of such an object again; without one, the size is what the configuration says.
 * NULL: neither config nor size is valid, or the size is beyond what the configuration allows.
 */
struct config *domain_size_take(struct json_object *saved, struct domain_size *size,
				struct error **e);

struct json_object *domain_size_to_json(const struct domain_size *size);
int domain_size_from_json(struct domain_size *size, struct json_object *o, struct error **e);

#endif
