/* SPDX-License-Identifier: MIT */
/* Reads a request by the same decoders as xend, and prepares its domain. */
#include "worker/build/request.h"

#include <errno.h>

int build_request_parse(struct build_request *r, struct json_object *request, struct error **e)
{
	struct json_object *config = NULL, *size = NULL;
	int64_t domid = 0;
	int rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);

	*r = (struct build_request){ .domid = (uint32_t)domid };
	if (rc == 0)
		rc = json_opt_string(request, "cache", NULL, &r->cache, e);
	if (rc == 0)
		rc = json_get_typed(request, "config", json_type_object, &config, e);
	if (rc == 0)
		rc = json_get_typed(request, "size", json_type_object, &size, e);
	if (rc == 0)
		rc = domain_size_from_json(&r->size, size, e);
	if (rc == 0)
		r->config = config_from_json(config, e);
	return rc == 0 && !r->config ? -EINVAL : rc;
}

void build_request_free(struct build_request *r)
{
	config_free(r->config);
}

int build_request_prepare_domain(const struct build_request *r, struct hv *hv, struct error **e)
{
	int rc = hv_vcpu_allocate(hv, r->domid, (unsigned int)config_maxvcpus(r->config), e);

	return rc == 0 ? hv_memory_set_map(hv, r->domid, r->size.static_max_kb * 1024, e) : rc;
}

void build_request_result(struct json_object *result, const struct start_service *store,
			  const struct start_service *console, uint64_t nr_pages)
{
	json_set_int(result, "store_mfn", (int64_t)store->mfn);
	json_set_int(result, "store_port", store->port);
	json_set_int(result, "console_mfn", (int64_t)console->mfn);
	json_set_int(result, "console_port", console->port);
	json_set_int(result, "nr_pages", (int64_t)nr_pages);
}
