/* SPDX-License-Identifier: MIT */
/* `xm vm-list` and `xm claims`, whose columns are those of xl: its scripts read them, too. */
#include "xm/commands/listings.h"

#include <stdio.h>

#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/commands/list.h"
#include "xm/format.h"

static void vm_print(struct json_object *domain)
{
	struct vm_row row = { .uuid = xm_string(domain, XEND_D_UUID, "-"),
			      .id = xm_int(domain, XEND_D_ID, -1),
			      .name = xm_string(domain, XEND_D_NAME, "") };

	/* Guests that run: Domain-0 is none, and a halted one has no ID. */
	if (row.id > 0)
		format_vm_row(stdout, &row);
}

static void claim_print(struct json_object *domain)
{
	struct list_row row = { .name = xm_string(domain, XEND_D_NAME, ""),
				.id = xm_int(domain, XEND_D_ID, -1),
				.memory_kb = xm_int(domain, XEND_D_MEMORY_KB, 0),
				.vcpus = xm_int(domain, XEND_D_VCPUS, 0),
				.state = xm_string(domain, XEND_D_STATE, "------"),
				.cpu_ns = xm_int(domain, XEND_D_CPU_NS, 0) };

	if (row.id >= 0)
		format_claim_row(stdout, &row, xm_int(domain, XEND_D_CLAIMED_KB, 0));
}

static int print_all(const struct xm_args *args, void (*header)(FILE *out),
		     void (*print)(struct json_object *domain))
{
	struct json_object *domains;
	int status = list_domains(NULL, 0, false, &domains);

	if (!domains)
		return status;
	if (xm_args_has(args, XM_OPTION_JSON)) {
		xm_print_json(domains);
	} else {
		header(stdout);
		for (size_t i = 0; i < json_object_array_length(domains); i++)
			print(json_object_array_get_idx(domains, i));
	}
	json_object_put(domains);
	return status;
}

int vm_list_run(const struct xm_args *args)
{
	return print_all(args, format_vm_header, vm_print);
}

int claims_run(const struct xm_args *args)
{
	return print_all(args, format_claim_header, claim_print);
}
