/* SPDX-License-Identifier: MIT */
/*
 * The operation "save": asks xend to suspend the domain if the request says so, then writes its
 * stream to the given descriptor. docs/design/worker.md has the request.
 */
#include "worker/worker.h"

#include <string.h>

#include "worker/limits.h"
#include "worker/target.h"
#include "worker/stream/save.h"

int op_save(struct json_object *request, struct json_object *result, struct error **e)
{
	struct hv_domain_info info;
	int64_t domid, fd;
	const char *suspend = NULL;
	struct hv *hv = NULL;
	int rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);

	if (rc == 0)
		rc = json_get_int(request, "fd", 0, 1023, &fd, e);
	if (rc == 0)
		rc = json_opt_string(request, "suspend", NULL, &suspend, e);
	if (rc == 0)
		rc = target_open(request, &hv, e);
	if (rc == 0 && suspend)
		rc = worker_ask("suspend", e);
	if (rc == 0 && suspend)
		rc = target_check(request, hv, e);
	if (rc == 0)
		rc = hv_domain_info(hv, (uint32_t)domid, &info, e);
	if (rc == 0)
		rc = limits_for_domain(info.pages, e);
	if (rc == 0)
		rc = save_domain(hv, (uint32_t)domid, (int)fd, worker_progress, e);
	hv_close(hv);
	return rc;
}
