/* SPDX-License-Identifier: MIT */
/* `xm migrate`: asks xend to move a domain to another host, and reports how it went. */
#include "xm/commands/migrate.h"

#include <stdbool.h>
#include <stdio.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/answer.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/number.h"

#define PORT_MAX 65535

const struct xm_option migrate_options[] = {
	{ 'l', "live", NULL, "while it runs, if the hypervisor can" },
	{ 'p', "port", "PORT", "port of the other host's xend (8002)" },
	{ 's', "ssl", NULL, "over TLS (not there yet)" },
	{ XM_OPTION_CHECK, "check", NULL, "only say whether it could move" },
	{ XM_OPTION_JSON, "json", NULL, "the report as JSON" },
	{ 0 },
};

static double seconds(struct json_object *result, const char *key)
{
	return (double)xm_int(result, key, 0) / 1000;
}

static int report(const struct xm_args *args, struct json_object *result)
{
	struct json_object *live = json_find(result, XEND_MV_LIVE);

	if (xm_args_has(args, XM_OPTION_JSON))
		return xm_print_json(result);
	if (xm_args_has(args, XM_OPTION_CHECK)) {
		printf("Domain '%s' can move to %s.\n", args->operands[0], args->operands[1]);
		return XM_OK;
	}
	printf("Domain '%s' is at %s now: it took %.1f s, and the domain stood still for %.1f s.\n",
	       args->operands[0], args->operands[1], seconds(result, XEND_MV_TOTAL_MS),
	       seconds(result, XEND_MV_DOWNTIME_MS));
	if (xm_args_has(args, 'l') && live && !json_object_get_boolean(live))
		printf("It was not live: this host cannot yet send a domain that runs.\n");
	return XM_OK;
}

int migrate_run(const struct xm_args *args)
{
	struct json_object *params, *result;
	int64_t port = 0;
	int status;

	if (xm_args_value(args, 'p') && !number_parse(xm_args_value(args, 'p'), 1, PORT_MAX, &port))
		return xm_usage_error(args->command, "'%s' is not the number of a port",
				      xm_args_value(args, 'p'));
	if (xm_args_has(args, 's'))
		return xm_fail("Domain '%s' was not moved: this release cannot do it over TLS yet. "
			       "Without --ssl its memory crosses the network as it is: use a "
			       "network of your own for that.",
			       args->operands[0]);
	params = xm_domain_params(args->operands[0]);
	json_set_string(params, XEND_P_HOST, args->operands[1]);
	if (port)
		json_set_int(params, XEND_P_PORT, port);
	if (xm_args_has(args, 'l'))
		json_set_bool(params, XEND_P_LIVE, true);
	if (xm_args_has(args, XM_OPTION_CHECK))
		json_set_bool(params, XEND_P_CHECK, true);
	result = xm_call(XEND_M_DOMAIN_MIGRATE, params, args->operands[0]);
	if (!result)
		return XM_FAILED;
	status = report(args, result);
	json_object_put(result);
	return status;
}

int migrate_keep_run(const struct xm_args *args)
{
	return xm_order(XEND_M_MIGRATE_KEEP, xm_domain_params(args->operands[0]), NULL);
}
