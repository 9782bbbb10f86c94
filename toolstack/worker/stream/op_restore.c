/* SPDX-License-Identifier: MIT */
/*
 * The operation "restore": prepares a new domain and fills it from the given descriptor.
 * docs/design/worker.md has the request.
 */
#include "worker/worker.h"

#include "worker/limits.h"
#include "worker/build/request.h"
#include "worker/target.h"
#include "worker/stream/restore.h"

#define KB_PER_PAGE 4

static int restore(struct restore *r, const struct build_request *request, int fd,
		   struct json_object *result, struct error **e)
{
	int rc = build_request_prepare_domain(request, r->hv, e);

	if (rc == 0)
		rc = hv_evtchn_alloc_unbound(r->hv, r->domid, SERVICE_DOMID, &r->store.port, e);
	if (rc == 0)
		rc = hv_evtchn_alloc_unbound(r->hv, r->domid, SERVICE_DOMID, &r->console.port, e);
	if (rc == 0)
		rc = restore_domain(r, fd, e);
	if (rc == 0)
		build_request_result(result, &r->store, &r->console, r->nr_pages);
	return rc;
}

int op_restore(struct json_object *json, struct json_object *result, struct error **e)
{
	struct build_request request;
	struct restore r = { .progress = worker_progress };
	int64_t fd = 0;
	int rc = build_request_parse(&request, json, e);

	if (rc == 0)
		rc = json_get_int(json, "fd", 0, 1023, &fd, e);
	if (rc == 0)
		rc = target_open(json, &r.hv, e);
	if (rc == 0) {
		r.domid = request.domid;
		r.max_vcpus = (unsigned int)config_maxvcpus(request.config);
		r.pages = request.size.pages;
		r.max_pages = domain_size_limit_kb(&request.size) / KB_PER_PAGE;
		rc = limits_for_domain(r.max_pages, e);
		if (rc == 0)
			rc = restore(&r, &request, (int)fd, result, e);
		restore_free(&r);
	}
	hv_close(r.hv);
	build_request_free(&request);
	return rc;
}
