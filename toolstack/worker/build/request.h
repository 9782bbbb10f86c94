/* SPDX-License-Identifier: MIT */
/*
 * The requests "build" and "restore" as structs, and the members that both put into their result.
 */
#ifndef WORKER_BUILD_REQUEST_H
#define WORKER_BUILD_REQUEST_H

#include <stdint.h>

#include "worker/build/start.h"
#include "config/domain_size.h"
#include "hv/hv.h"
#include "lib/json.h"

/* Its cache is valid as long as the JSON request. */
struct build_request {
	uint32_t domid;
	const char *cache; /* NULL: none */
	struct config *config;
	struct domain_size size;
};

/*
 * Reads the request. config/ checks the configuration and the size. build_request_free() in any
 * case.
 */
int build_request_parse(struct build_request *r, struct json_object *request, struct error **e);
void build_request_free(struct build_request *r);
/*
 * Gives a new domain what it needs before it gets memory: its vCPUs and its memory map. The caller
 * of the worker has set its memory limit.
 */
int build_request_prepare_domain(const struct build_request *r, struct hv *hv, struct error **e);
void build_request_result(struct json_object *result, const struct start_service *store,
			  const struct start_service *console, uint64_t nr_pages);

#endif
