/* SPDX-License-Identifier: MIT */
/*
 * The operation "resume": readies a suspended domain to go on as if it had been restored.
 * docs/design/worker.md has the request.
 */
#include "worker/worker.h"

#include "worker/stream/resume.h"
#include "worker/target.h"

#define MAX_FRAME ((int64_t)1 << 52)

int op_resume(struct json_object *request, struct json_object *result, struct error **e)
{
	struct start_service store = { 0 }, console = { 0 };
	int64_t domid, store_mfn, console_mfn;
	struct hv *hv = NULL;
	int rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);

	if (rc == 0)
		rc = json_get_int(request, "store_mfn", 1, MAX_FRAME, &store_mfn, e);
	if (rc == 0)
		rc = json_get_int(request, "console_mfn", 1, MAX_FRAME, &console_mfn, e);
	if (rc == 0)
		rc = target_open(request, &hv, e);
	if (rc == 0) {
		store.mfn = (uint64_t)store_mfn;
		console.mfn = (uint64_t)console_mfn;
		rc = resume_domain(hv, (uint32_t)domid, &store, &console, e);
	}
	if (rc == 0) {
		json_set_int(result, "store_port", store.port);
		json_set_int(result, "console_port", console.port);
	}
	hv_close(hv);
	return rc;
}
