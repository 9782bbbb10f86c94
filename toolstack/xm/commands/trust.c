/* SPDX-License-Identifier: MIT */
/* `xm trust`: whose certificates this host takes when domains move over TLS. */
#include "xm/commands/trust.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/answer.h"
#include "xm/client/call.h"
#include "xm/number.h"

#define PORT_MAX 65535

const struct xm_option trust_options[] = {
	{ 'l', "list", NULL, "show this host's certificate, and the hosts that are trusted" },
	{ 'r', "remove", NULL, "trust the host no longer" },
	{ 'f', "fingerprint", "DIGITS",
	  "of the host's certificate: take it without asking the host" },
	{ 'y', "yes", NULL, "take what the host shows; somebody in between could show another" },
	{ 'p', "port", "PORT", "port of the host's xend for TLS (8003)" },
	{ XM_OPTION_JSON, "json", NULL, "with --list: as JSON" },
	{ 0 },
};

static struct json_object *host_params(const char *host)
{
	struct json_object *params = json_new_object();

	json_set_string(params, XEND_P_HOST, host);
	return params;
}

static size_t count(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static const char *text_of(struct json_object *o, const char *name)
{
	const char *text;

	return json_object_is_type(o, json_type_object) &&
			       json_get_string(o, name, &text, NULL) == 0 ?
		       text :
		       "?";
}

/* --- the list --- */

static void print_hosts(struct json_object *list, const char *how)
{
	for (size_t i = 0; i < count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("%-64s  %s%s\n", text_of(o, XEND_P_FINGERPRINT), text_of(o, XEND_P_HOST),
		       how);
	}
}

static int show_list(const struct xm_args *args)
{
	struct json_object *result = xm_call(XEND_M_TRUST_LIST, NULL, NULL);

	if (!result)
		return XM_FAILED;
	if (xm_args_has(args, XM_OPTION_JSON)) {
		xm_print_json(result);
	} else {
		printf("%-64s  %s\n", "Fingerprint", "Host");
		printf("%-64s  this host\n", text_of(result, XEND_TR_OWN));
		print_hosts(json_find(result, XEND_TR_HOSTS), "");
		print_hosts(json_find(result, XEND_TR_ASKED), " has asked, and is not trusted");
	}
	json_object_put(result);
	return XM_OK;
}

/* --- a host --- */

static int add(const char *host, const char *fingerprint)
{
	struct json_object *params = host_params(host);

	json_set_string(params, XEND_P_FINGERPRINT, fingerprint);
	if (xm_order(XEND_M_TRUST_ADD, params, NULL) != XM_OK)
		return XM_FAILED;
	printf("The host '%s' is trusted.\n", host);
	return XM_OK;
}

/* A host that has asked lately, and may itself take no domains. NULL: it has not. */
static const char *asked_fingerprint(struct json_object *list, const char *host)
{
	struct json_object *asked = json_find(list, XEND_TR_ASKED);

	for (size_t i = 0; i < count(asked); i++) {
		struct json_object *o = json_object_array_get_idx(asked, i);

		if (strcmp(text_of(o, XEND_P_HOST), host) == 0)
			return text_of(o, XEND_P_FINGERPRINT);
	}
	return NULL;
}

static bool confirm(const struct xm_args *args, const char *host)
{
	char word[16] = "";

	if (xm_args_has(args, 'y'))
		return true;
	printf("Are they the same there? Only \"yes\" trusts the host: ");
	fflush(stdout);
	if (fgets(word, sizeof(word), stdin) && strcmp(word, "yes\n") == 0)
		return true;
	xm_fail("The host '%s' is not trusted.", host);
	return false;
}

static int show_and_add(const struct xm_args *args, const char *host, const char *own,
			const char *theirs)
{
	if (!xm_args_has(args, 'y') && !isatty(STDIN_FILENO))
		return xm_fail("The host '%s' is not trusted: nobody is there to compare its "
			       "certificate, %s. Give that as --fingerprint, or --yes.",
			       host, theirs);
	printf("This host's certificate: %s\n%s's certificate: %s\n"
	       "`xm trust --list' on %s shows both, if nobody is in between.\n",
	       own, host, theirs, host);
	return confirm(args, host) ? add(host, theirs) : XM_FAILED;
}

static int look_and_add(const struct xm_args *args, const char *host, int64_t port)
{
	struct json_object *list = xm_call(XEND_M_TRUST_LIST, NULL, NULL), *seen = NULL, *params;
	const char *asked = list ? asked_fingerprint(list, host) : NULL;
	int status = XM_FAILED;

	if (asked) {
		status = show_and_add(args, host, text_of(list, XEND_TR_OWN), asked);
	} else if (list) {
		params = host_params(host);
		if (port)
			json_set_int(params, XEND_P_PORT, port);
		seen = xm_call(XEND_M_TRUST_LOOK, params, host);
		if (seen)
			status = show_and_add(args, host, text_of(seen, XEND_TR_OWN),
					      text_of(seen, XEND_P_FINGERPRINT));
	}
	json_object_put(seen);
	json_object_put(list);
	return status;
}

int trust_run(const struct xm_args *args)
{
	const char *host = args->count ? args->operands[0] : NULL;
	int64_t port = 0;

	if (xm_args_value(args, 'p') && !number_parse(xm_args_value(args, 'p'), 1, PORT_MAX, &port))
		return xm_usage_error(args->command, "'%s' is not the number of a port",
				      xm_args_value(args, 'p'));
	if (xm_args_has(args, 'l') != !host)
		return xm_usage_error(args->command,
				      host ? "--list takes no host" : "give a host, or --list");
	if (!host)
		return show_list(args);
	if (xm_args_has(args, 'r'))
		return xm_order(XEND_M_TRUST_REMOVE, host_params(host), NULL);
	if (xm_args_has(args, 'f'))
		return add(host, xm_args_value(args, 'f'));
	return look_and_add(args, host, port);
}
