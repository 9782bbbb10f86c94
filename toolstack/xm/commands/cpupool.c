/* SPDX-License-Identifier: MIT */
/* The commands exist so that a person who knows xl learns at once what takes their place. */
#include "xm/commands/cpupool.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"

#define INSTEAD                                                                         \
	"There is one pool of processors, Pool-0, which has all of them and cannot be " \
	"changed. To keep a domain on some processors, set cpus in its file, or use "   \
	"`xm vcpu-pin'."

int cpupool_change_run(const struct xm_args *args)
{
	return xm_fail("%s is not possible. " INSTEAD, args->command->name);
}

int cpupool_migrate_run(const struct xm_args *args)
{
	const char *domain = args->operands[0], *pool = args->operands[1];
	struct json_object *answer;

	if (strcmp(pool, "Pool-0") != 0 && strcmp(pool, "0") != 0)
		return xm_fail("There is no pool of processors '%s' for domain '%s'. " INSTEAD,
			       pool, domain);
	answer = xm_call(XEND_M_DOMAIN_LIST, xm_domain_params(domain), NULL);
	if (!answer)
		return XM_FAILED;
	json_object_put(answer);
	printf("Domain %s is in Pool-0.\n", domain);
	return XM_OK;
}
