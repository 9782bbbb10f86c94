/* SPDX-License-Identifier: MIT */
/*
 * The size of a domain when it starts: what its configuration says, or what it was when the domain
 * was saved.
 *
 * A saved domain may have had any size up to its limit, not only its target: the target may have
 * been changed, the balloon may have been on its way there, or the domain may have used pages of
 * the slack. These functions are pure.
 */
#ifndef CONFIG_DOMAIN_SIZE_H
#define CONFIG_DOMAIN_SIZE_H

#include <stdint.h>

#include "config/config.h"

/*
 * KiB that a domain's limit lies above its target. Guests count pages of their own making on top
 * of the target. libxl uses the same value, and domains are exchanged with it.
 */
#define DOMAIN_SIZE_SLACK_KB 1024

struct domain_size {
	uint64_t pages;	    /* allocated at the start */
	uint64_t target_kb; /* memory/target: where the balloon shall bring the domain */
	/* memory/static-max, as the domain was told at its start: the most it can ever have. */
	uint64_t static_max_kb;
	uint64_t vcpus; /* online at the start */
};

/* The size of a domain that boots from its kernel. */
void domain_size_of_config(struct domain_size *size, const struct config *config);
/*
 * The hypervisor's limit for the domain in KiB: target plus slack, or what it already has if that
 * is more.
 */
uint64_t domain_size_limit_kb(const struct domain_size *size);

/*
 * The configuration for the file of a running domain. memory and vcpus are as they are now, so that
 * the domain has them again when it reboots; the member "size" is the size.
 *
 * *size is cut to what the configuration allows, except for its pages: maxmem is raised to cover
 * those.
 */
struct json_object *domain_size_put(struct domain_size *size, const struct config *config);
/*
 * The reverse: removes "size" from such an object and reads both. Without a "size", the size is
 * that of the configuration. Returns NULL when either is invalid or the size exceeds what the
 * configuration allows.
 */
struct config *domain_size_take(struct json_object *saved, struct domain_size *size,
				struct error **e);

struct json_object *domain_size_to_json(const struct domain_size *size);
int domain_size_from_json(struct domain_size *size, struct json_object *o, struct error **e);

#endif
