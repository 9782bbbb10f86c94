/* SPDX-License-Identifier: MIT */
/* Reads a request: every number is checked against its range before anything uses it. */
#include "worker/build/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define KB_PER_MIB    1024ULL
#define PAGES_PER_MIB 256ULL
#define MEMORY_MAX    (4LL << 20) /* MiB: 4 TiB */
#define VCPUS_MAX     1024

/* Takes the whole command line if one is given, else joins root= and extra as xm and xl do. */
static int parse_cmdline(struct build_request *r, struct json_object *request,
			 struct json_object *config, struct error **e)
{
	const char *whole = NULL, *root = NULL, *extra = NULL;
	int n, rc;

	rc = json_opt_string(request, "cmdline", NULL, &whole, e);
	if (rc == 0 && whole == NULL)
		rc = json_opt_string(config, "cmdline", NULL, &whole, e);
	if (rc == 0)
		rc = json_opt_string(config, "root", NULL, &root, e);
	if (rc == 0)
		rc = json_opt_string(config, "extra", NULL, &extra, e);
	if (rc < 0)
		return rc;
	if (whole != NULL)
		n = snprintf(r->cmdline, sizeof(r->cmdline), "%s", whole);
	else
		n = snprintf(r->cmdline, sizeof(r->cmdline), "%s%s%s%s",
			     root != NULL ? "root=" : "", root != NULL ? root : "",
			     root != NULL && extra != NULL ? " " : "", extra != NULL ? extra : "");
	if (n >= (int)sizeof(r->cmdline))
		return error_set(e, E2BIG,
				 "The kernel's command line has %d characters, and at most %zu are "
				 "possible.",
				 n, sizeof(r->cmdline) - 1);
	return 0;
}

/* An empty path counts as none. */
static int parse_path(struct json_object *config, const char *key, const char **path,
		      struct error **e)
{
	int rc = json_opt_string(config, key, NULL, path, e);

	if (rc == 0 && *path != NULL && **path == '\0')
		*path = NULL;
	return rc;
}

/* The size is the configuration's, unless the request has one of its own: that of a saved
 * domain. */
static int parse_size(struct build_request *r, struct json_object *request,
		      struct json_object *config, struct error **e)
{
	int64_t memory = 0, maxmem = 0, vcpus = 0, maxvcpus = 0;
	struct json_object *size = NULL;
	int rc = json_opt_int(config, "memory", 1, MEMORY_MAX, 128, &memory, e);

	if (rc == 0)
		rc = json_opt_int(config, "maxmem", 0, MEMORY_MAX, 0, &maxmem, e);
	if (rc == 0)
		rc = json_opt_int(config, "vcpus", 1, VCPUS_MAX, 1, &vcpus, e);
	if (rc == 0)
		rc = json_opt_int(config, "maxvcpus", 0, VCPUS_MAX, 0, &maxvcpus, e);
	if (rc == 0)
		rc = json_opt_typed(request, "size", json_type_object, &size, e);
	if (rc < 0)
		return rc;
	r->max_vcpus = (unsigned int)(maxvcpus > vcpus ? maxvcpus : vcpus);
	r->size = (struct domain_size){
		.pages = (uint64_t)memory * PAGES_PER_MIB,
		.target_kb = (uint64_t)memory * KB_PER_MIB,
		.static_max_kb = (uint64_t)(maxmem > memory ? maxmem : memory) * KB_PER_MIB,
		.vcpus = (uint64_t)vcpus,
	};
	return size != NULL ? domain_size_from_json(&r->size, size, e) : 0;
}

int build_request_parse(struct build_request *r, struct json_object *request, struct error **e)
{
	struct json_object *config = NULL;
	int64_t domid = 0, store = 0, console = 0;
	int rc;

	memset(r, 0, sizeof(*r));
	r->directory = AT_FDCWD;
	rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);
	if (rc == 0)
		rc = json_opt_int(request, "store_domid", 0, DOMID_FIRST_RESERVED - 1, 0, &store,
				  e);
	if (rc == 0)
		rc = json_opt_int(request, "console_domid", 0, DOMID_FIRST_RESERVED - 1, 0,
				  &console, e);
	if (rc == 0)
		rc = json_opt_string(request, "cache", NULL, &r->cache, e);
	if (rc == 0)
		rc = json_get_typed(request, "config", json_type_object, &config, e);
	if (rc == 0)
		rc = parse_path(config, "kernel", &r->kernel, e);
	if (rc == 0)
		rc = parse_path(config, "ramdisk", &r->ramdisk, e);
	if (rc == 0)
		rc = parse_size(r, request, config, e);
	if (rc == 0)
		rc = parse_cmdline(r, request, config, e);
	r->domid = (uint32_t)domid;
	r->store_domid = (uint32_t)store;
	r->console_domid = (uint32_t)console;
	return rc;
}

int build_request_prepare_domain(const struct build_request *r, struct hv *hv, struct error **e)
{
	int rc = hv_vcpu_allocate(hv, r->domid, r->max_vcpus, e);

	if (rc == 0)
		rc = hv_domain_set_max_mem(hv, r->domid, domain_size_limit_kb(&r->size), e);
	if (rc == 0)
		rc = hv_memory_set_map(hv, r->domid, r->size.static_max_kb * 1024, e);
	return rc;
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
