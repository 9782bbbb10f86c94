/* SPDX-License-Identifier: MIT */
/*
 * Checks that a request's domain is still the same one: compares the request's UUID with the one
 * that the hypervisor has for the number.
 */
#include "worker/target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_uuid(const uint8_t uuid[16], const char *text)
{
	char digits[33];
	size_t n = 0;

	for (int i = 0; i < 16; i++)
		n += (size_t)snprintf(digits + n, sizeof(digits) - n, "%02x", uuid[i]);
	for (n = 0; *text && digits[n]; text++)
		if (*text != '-' && *text != digits[n++])
			return false;
	return !*text && !digits[n];
}

int target_check(struct json_object *request, struct hv *hv, struct error **e)
{
	struct hv_domain_info info;
	const char *uuid;
	int64_t domid;
	int rc = json_opt_string(request, "uuid", NULL, &uuid, e);

	if (rc || !uuid)
		return rc;
	rc = json_get_int(request, "domid", 1, DOMID_FIRST_RESERVED - 1, &domid, e);
	if (rc == 0)
		rc = hv_domain_info(hv, (uint32_t)domid, &info, e);
	if (rc == 0 && !is_uuid(info.uuid, uuid))
		rc = error_set(e, ESRCH, "Domain %lld is not the one with the UUID %.40s.",
			       (long long)domid, uuid);
	return rc;
}

int target_open(struct json_object *request, struct hv **hv, struct error **e)
{
	int rc = hv_open(hv, e);

	return rc == 0 ? target_check(request, *hv, e) : rc;
}
