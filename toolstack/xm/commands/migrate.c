/* SPDX-License-Identifier: MIT */
/* `xm migrate`: asks xend to move a domain to another host, and reports how it went. */
#include "xm/commands/migrate.h"

#include <stdbool.h>
#include <stdio.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/answer.h"
#include "xm/client/call.h"
#include "xm/client/progress.h"
#include "xm/command.h"
#include "xm/number.h"

#define PORT_MAX     65535
#define DOWNTIME_MAX 600000
#define TIMEOUT_MAX  (7 * 24 * 3600)
#define RATE_MAX     1000000

const struct xm_option migrate_options[] = {
	{ 'l', "live", NULL, "rather not at all than standing still" },
	{ XM_OPTION_NO_LIVE, "no-live", NULL, "it stands still while its memory is sent" },
	{ XM_OPTION_DOWNTIME, "downtime", "MS", "stand still for at most so long at the end (60)" },
	{ XM_OPTION_TIMEOUT, "timeout", "SECONDS", "give up if that is not reached by then" },
	{ XM_OPTION_RATE, "rate", "MBIT", "send at most so much a second until the end" },
	{ XM_OPTION_NO_THROTTLE, "no-throttle", NULL, "never slow it" },
	{ 'p', "port", "PORT", "port of the other host's xend (8002; with --ssl 8003)" },
	{ 's', "ssl", NULL, "over TLS; see xm trust" },
	{ XM_OPTION_CHECK, "check", NULL, "only say whether it could move" },
	{ XM_OPTION_JSON, "json", NULL, "the report as JSON" },
	{ 0 },
};

/* --- progress --- */

static double mb(struct json_object *numbers, const char *key)
{
	return (double)xm_int(numbers, key, 0) / 1e6;
}

/* On a terminal. */
static void show_line(void *domain, const char *stage, uint64_t done, uint64_t total,
		      struct json_object *numbers)
{
	int64_t percent = numbers ? xm_int(numbers, XEND_MN_PERCENT, 100) : 100;
	char text[200], slowed[40] = "";

	if (!numbers || xm_int(numbers, XEND_MN_SEND_RATE, 0) == 0) {
		progress_show(domain, stage, done, total);
		return;
	}
	if (percent < 100)
		snprintf(slowed, sizeof(slowed), ", slowed to %lld%%", (long long)percent);
	snprintf(text, sizeof(text), "%s, %.1f MB left, %.1f MB/s are sent, it writes %.1f MB/s%s,",
		 stage, mb(numbers, XEND_MN_LEFT), mb(numbers, XEND_MN_SEND_RATE),
		 mb(numbers, XEND_MN_WRITE_RATE), slowed);
	progress_show(domain, text, done, total);
}

/* For programs: an object a line, on stderr. The report is one document on stdout. */
static void print_object(void *domain, const char *stage, uint64_t done, uint64_t total,
			 struct json_object *numbers)
{
	struct json_object *o = json_new_object();

	json_set_string(o, "stage", stage);
	json_set_int(o, "done", (int64_t)done);
	json_set_int(o, "total", (int64_t)total);
	if (numbers)
		json_set(o, XEND_F_NUMBERS, json_object_get(numbers));
	fprintf(stderr, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void end_line(bool done)
{
	progress_end();
}

/* --- the report --- */

static double seconds(struct json_object *result, const char *key)
{
	return (double)xm_int(result, key, 0) / 1000;
}

static int report(const struct xm_args *args, struct json_object *result)
{
	struct json_object *live = json_find(result, XEND_MV_LIVE);
	int64_t percent = xm_int(result, XEND_MV_PERCENT, 100);

	if (xm_args_has(args, XM_OPTION_JSON))
		return xm_print_json(result);
	if (xm_args_has(args, XM_OPTION_CHECK)) {
		printf("Domain '%s' can move to %s.\n", args->operands[0], args->operands[1]);
		return XM_OK;
	}
	printf("Domain '%s' is at %s now: it took %.1f s, and the domain stood still for %.2f s.\n",
	       args->operands[0], args->operands[1], seconds(result, XEND_MV_TOTAL_MS),
	       seconds(result, XEND_MV_DOWNTIME_MS));
	if (live && json_object_get_boolean(live))
		printf("%lld rounds sent %.1f MB, the last one %.1f MB.\n",
		       (long long)xm_int(result, XEND_MV_ROUNDS, 0), mb(result, XEND_MV_SENT),
		       mb(result, XEND_MV_LAST));
	else if (json_find(result, XEND_MV_WHY_NOT))
		printf("It stood still all the time: %s\n", xm_string(result, XEND_MV_WHY_NOT, ""));
	if (percent < 100)
		printf("It wrote faster than its memory could be sent, and was slowed to %lld%%.\n",
		       (long long)percent);
	return XM_OK;
}

/* --- the command --- */

/* Sets the parameter to the option's number, if it is given. False: it is none. */
static bool put_number(const struct xm_args *args, int option, int64_t max, const char *key,
		       struct json_object *params)
{
	const char *text = xm_args_value(args, option);
	int64_t number;

	if (!text)
		return true;
	if (!number_parse(text, option == XM_OPTION_DOWNTIME ? 0 : 1, max, &number))
		return false;
	json_set_int(params, key, number);
	return true;
}

/* NULL, or the option whose argument is no number in its range. */
static const char *put_options(const struct xm_args *args, struct json_object *params)
{
	if (!put_number(args, 'p', PORT_MAX, XEND_P_PORT, params))
		return "--port (1 to 65535)";
	if (!put_number(args, XM_OPTION_DOWNTIME, DOWNTIME_MAX, XEND_P_DOWNTIME, params))
		return "--downtime (milliseconds, up to 600000)";
	if (!put_number(args, XM_OPTION_TIMEOUT, TIMEOUT_MAX, XEND_P_TIMEOUT, params))
		return "--timeout (seconds, up to a week)";
	if (!put_number(args, XM_OPTION_RATE, RATE_MAX, XEND_P_RATE, params))
		return "--rate (megabits a second)";
	if (xm_args_has(args, 's'))
		json_set_bool(params, XEND_P_SSL, true);
	if (xm_args_has(args, 'l'))
		json_set_bool(params, XEND_P_LIVE, true);
	if (xm_args_has(args, XM_OPTION_NO_LIVE))
		json_set_bool(params, XEND_P_LIVE, false);
	if (xm_args_has(args, XM_OPTION_NO_THROTTLE))
		json_set_bool(params, XEND_P_THROTTLE, false);
	if (xm_args_has(args, XM_OPTION_CHECK))
		json_set_bool(params, XEND_P_CHECK, true);
	return NULL;
}

int migrate_run(const struct xm_args *args)
{
	static const struct xm_show line = { show_line, end_line };
	static const struct xm_show objects = { print_object, end_line };
	struct json_object *params, *result;
	const char *bad;
	int status;

	if (xm_args_has(args, 'l') && xm_args_has(args, XM_OPTION_NO_LIVE))
		return xm_usage_error(args->command, "--live and --no-live exclude each other");
	params = xm_domain_params(args->operands[0]);
	json_set_string(params, XEND_P_HOST, args->operands[1]);
	bad = put_options(args, params);
	if (bad) {
		json_object_put(params);
		return xm_usage_error(args->command, "%s needs a number", bad);
	}
	result = xm_call_showing(XEND_M_DOMAIN_MIGRATE, params, args->operands[0],
				 xm_args_has(args, XM_OPTION_JSON) ? &objects : &line);
	if (!result)
		return XM_FAILED;
	status = report(args, result);
	json_object_put(result);
	return status;
}

int migrate_cancel_run(const struct xm_args *args)
{
	return xm_order(XEND_M_MIGRATE_CANCEL, xm_domain_params(args->operands[0]), NULL);
}

int migrate_keep_run(const struct xm_args *args)
{
	return xm_order(XEND_M_MIGRATE_KEEP, xm_domain_params(args->operands[0]), NULL);
}
