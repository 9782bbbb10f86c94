/* SPDX-License-Identifier: MIT */
/* The requests "build" and "restore" as structs, and the members that both put into their
 * result. */
#ifndef WORKER_BUILD_REQUEST_H
#define WORKER_BUILD_REQUEST_H

#include <stdint.h>

#include "worker/build/start.h"
#include "config/domain_size.h"
#include "hv/hv.h"
#include "lib/json.h"

/* Its strings are valid as long as the JSON request. */
struct build_request {
	uint32_t domid;
	const char *kernel, *ramdisk, *cache; /* NULL: none */
	int directory; /* the directory of kernel and ramdisk: AT_FDCWD, or a bootloader's */
	char cmdline[MAX_GUEST_CMDLINE];
	struct domain_size size;
	unsigned int max_vcpus;
	uint32_t store_domid, console_domid;
};

int build_request_parse(struct build_request *r, struct json_object *request, struct error **e);
/* Gives a new domain what it needs before it gets memory: its vCPUs, its memory limit and its
 * memory map. */
int build_request_prepare_domain(const struct build_request *r, struct hv *hv, struct error **e);
void build_request_result(struct json_object *result, const struct start_service *store,
			  const struct start_service *console, uint64_t nr_pages);

#endif
