/* SPDX-License-Identifier: MIT */
/*
 * `xm evacuate`: moves all domains of this host to others. A few at a time, because they share the
 * network; those that write most come last, when the others no longer do.
 */
#include "xm/commands/evacuate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/client/client.h"
#include "xm/client/progress.h"
#include "xm/commands/list.h"
#include "xm/number.h"

#define PORT_MAX    65535
#define AT_ONCE	    2
#define AT_ONCE_MAX 16

const struct xm_option evacuate_options[] = {
	{ 'p', "port", "PORT", "port of the other hosts' xends (8002)" },
	{ 's', "ssl", NULL, "over TLS, to hosts that are trusted" },
	{ 'n', "at-once", "N", "so many at a time (2)" },
	{ 0 },
};

struct leaver {
	char *name;
	int64_t rate;	       /* bytes a second that it writes; 0: not known */
	size_t host, tried;    /* where it goes; hosts that have refused it */
	struct client *client; /* while it moves */
};

struct evacuation {
	char *const *hosts;
	size_t nr_hosts;
	int64_t port; /* 0: xend's own */
	bool ssl;
};

/* Not every hypervisor can tell. */
static int64_t ask_rate(const char *name)
{
	struct json_object *result = NULL;
	int64_t rate = 0;

	if (client_call(xm_client(), XEND_M_WRITE_RATE, xm_domain_params(name), NULL, NULL, &result,
			NULL) == 0)
		rate = xm_int(result, XEND_MN_WRITE_RATE, 0);
	json_object_put(result);
	return rate;
}

static int by_rate(const void *a, const void *b)
{
	int64_t x = ((const struct leaver *)a)->rate, y = ((const struct leaver *)b)->rate;

	return x < y ? -1 : x > y;
}

/* All that run, but for Domain-0 and those of other toolstacks, which xend cannot move. */
static struct leaver *find_leavers(size_t *count, size_t *others)
{
	struct json_object *domains;
	struct leaver *leavers;
	size_t total;

	*count = *others = 0;
	list_domains(NULL, 0, false, &domains);
	if (!domains)
		return NULL;
	total = json_object_array_length(domains);
	leavers = xcalloc(total + 1, sizeof(*leavers));
	for (size_t i = 0; i < total; i++) {
		struct json_object *domain = json_object_array_get_idx(domains, i);
		struct json_object *ours = json_find(domain, XEND_D_OURS);

		if (xm_int(domain, XEND_D_ID, -1) <= 0)
			continue;
		if (ours && json_object_get_boolean(ours))
			leavers[(*count)++].name = xstrdup(xm_string(domain, XEND_D_NAME, ""));
		else
			(*others)++;
	}
	json_object_put(domains);
	return leavers;
}

static void start(const struct evacuation *e, struct leaver *leaver)
{
	struct json_object *params = xm_domain_params(leaver->name);
	struct error *error = NULL;

	json_set_string(params, XEND_P_HOST, e->hosts[leaver->host]);
	if (e->port)
		json_set_int(params, XEND_P_PORT, e->port);
	if (e->ssl)
		json_set_bool(params, XEND_P_SSL, true);
	if (client_open(&leaver->client, &error) ||
	    client_send(leaver->client, XEND_M_DOMAIN_MIGRATE, params, &error)) {
		xm_fail("%s", error_text(error));
		client_close(leaver->client);
		leaver->client = NULL;
	}
	error_free(&error);
}

static void show(void *name, const char *stage, uint64_t done, uint64_t total,
		 struct json_object *numbers)
{
	progress_show(name, stage, done, total);
}

/* Waits until it has moved, or no host is left to ask. False: it is still here. */
static bool finish(const struct evacuation *e, struct leaver *leaver)
{
	while (leaver->client) {
		struct json_object *result = NULL;
		struct error *error = NULL;
		int rc = client_wait(leaver->client, XEND_M_DOMAIN_MIGRATE, show, leaver->name,
				     &result, &error);

		progress_end();
		client_close(leaver->client);
		leaver->client = NULL;
		if (rc == 0)
			printf("Domain '%s' is at %s now; it stood still for %.2f s.\n",
			       leaver->name, e->hosts[leaver->host],
			       (double)xm_int(result, XEND_MV_DOWNTIME_MS, 0) / 1000);
		else
			xm_fail("%s", error_text(error));
		fflush(stdout);
		json_object_put(result);
		error_free(&error);
		if (rc == 0)
			return true;
		if (++leaver->tried < e->nr_hosts) {
			leaver->host = (leaver->host + 1) % e->nr_hosts;
			start(e, leaver);
		}
	}
	return false;
}

static size_t move_all(const struct evacuation *e, struct leaver *leavers, size_t count,
		       size_t at_once)
{
	size_t left = 0;

	for (size_t first = 0; first < count; first += at_once) {
		size_t end = first + at_once < count ? first + at_once : count;

		for (size_t i = first; i < end; i++) {
			leavers[i].host = i % e->nr_hosts;
			start(e, &leavers[i]);
		}
		for (size_t i = first; i < end; i++)
			left += !finish(e, &leavers[i]);
	}
	return left;
}

int evacuate_run(const struct xm_args *args)
{
	struct evacuation e = { .hosts = args->operands,
				.nr_hosts = (size_t)args->count,
				.ssl = xm_args_has(args, 's') };
	size_t count, others, left;
	struct leaver *leavers;
	int64_t at_once = AT_ONCE;

	if (xm_args_value(args, 'p') &&
	    !number_parse(xm_args_value(args, 'p'), 1, PORT_MAX, &e.port))
		return xm_usage_error(args->command, "'%s' is not the number of a port",
				      xm_args_value(args, 'p'));
	if (xm_args_value(args, 'n') &&
	    !number_parse(xm_args_value(args, 'n'), 1, AT_ONCE_MAX, &at_once))
		return xm_usage_error(args->command, "--at-once is 1 to %d, not '%s'", AT_ONCE_MAX,
				      xm_args_value(args, 'n'));
	if (!xm_can_ask())
		return XM_FAILED;
	leavers = find_leavers(&count, &others);
	if (!leavers)
		return XM_FAILED;
	for (size_t i = 0; i < count; i++)
		leavers[i].rate = ask_rate(leavers[i].name);
	qsort(leavers, count, sizeof(*leavers), by_rate);
	left = move_all(&e, leavers, count, (size_t)at_once);
	for (size_t i = 0; i < count; i++)
		free(leavers[i].name);
	free(leavers);
	if (left + others)
		return xm_fail("%zu domains are still here%s.", left + others,
			       others ? "; those of other toolstacks are not xend's to move" : "");
	printf("No domain is left here: %zu have moved.\n", count);
	return XM_OK;
}
