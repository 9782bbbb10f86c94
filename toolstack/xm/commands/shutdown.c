/* SPDX-License-Identifier: MIT */
/* `xm shutdown` and `xm reboot`: requests go out in batches, and only then are answers awaited. */
#include "xm/commands/shutdown.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/commands/list.h"
#include "xm/client/progress.h"

/* xend limits its clients; leave room for others. */
enum { AT_ONCE = XEND_MAX_CLIENTS / 4 };

/*
 * A request for one of several domains. Each has its own connection, so that all domains shut down
 * at the same time.
 */
struct order {
	char *domain;
	struct client *client; /* NULL: the request could not be sent */
};

static void show_progress(void *domain, const char *stage, uint64_t done, uint64_t total,
			  struct json_object *numbers)
{
	progress_show(domain, stage, done, total);
}

static int send_order(struct order *order, const char *method, bool wait)
{
	struct json_object *params;
	struct error *error = NULL;
	int status = XM_OK;

	if (client_open(&order->client, &error) == 0) {
		params = xm_domain_params(order->domain);
		json_set_bool(params, XEND_P_WAIT, wait);
		client_send(order->client, method, params, &error);
	}
	if (error) {
		status = xm_fail("%s", error_text(error));
		client_close(order->client);
		order->client = NULL;
	}
	error_free(&error);
	return status;
}

static int finish_order(struct order *order, const char *method, bool say)
{
	struct json_object *result = NULL;
	struct error *error = NULL;
	int status = XM_OK;

	if (!order->client)
		return XM_FAILED;
	if (client_wait(order->client, method, show_progress, order->domain, &result, &error)) {
		status = xm_fail("%s", error_text(error));
	} else {
		progress_end();
		if (say)
			printf("Domain %s %s\n", order->domain,
			       json_find(result, XEND_D_ID) ? "runs again" : "terminated");
	}
	json_object_put(result);
	error_free(&error);
	client_close(order->client);
	return status;
}

/* Sends all requests, then waits for the answers. */
static int run_orders(struct order *orders, size_t count, const char *method, bool wait)
{
	int status = XM_OK;

	for (size_t i = 0; i < count; i++) {
		if (send_order(&orders[i], method, wait) != XM_OK)
			status = XM_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		if (finish_order(&orders[i], method, wait && count > 1) != XM_OK)
			status = XM_FAILED;
		free(orders[i].domain);
	}
	return status;
}

/* The names of all running domains except Domain-0. */
static int all_domains(struct order **orders, size_t *count)
{
	struct json_object *domains;
	int status = list_domains(NULL, 0, false, &domains);
	size_t total = domains ? json_object_array_length(domains) : 0;

	*count = 0;
	*orders = xcalloc(total + 1, sizeof(**orders));
	for (size_t i = 0; i < total; i++) {
		struct json_object *domain = json_object_array_get_idx(domains, i);

		if (xm_int(domain, XEND_D_ID, -1) > 0)
			(*orders)[(*count)++].domain = xstrdup(xm_string(domain, XEND_D_NAME, ""));
	}
	json_object_put(domains);
	return status;
}

static int run(const struct xm_args *args, const char *method)
{
	bool all = xm_args_has(args, 'a'), wait = xm_args_has(args, 'w');
	struct order *orders = NULL;
	size_t count = 0;
	int status = XM_OK;

	if (all && args->count)
		return xm_usage_error(args->command, "either --all or names of domains");
	if (!all && !args->count)
		return xm_usage_error(args->command, "%s needs a domain, or --all",
				      args->command->name);
	if (!xm_can_ask())
		return XM_FAILED;
	if (all) {
		status = all_domains(&orders, &count);
	} else {
		orders = xcalloc((size_t)args->count, sizeof(*orders));
		for (; count < (size_t)args->count; count++)
			orders[count].domain = xstrdup(args->operands[count]);
	}
	for (size_t i = 0; i < count; i += AT_ONCE) {
		if (run_orders(orders + i, count - i < AT_ONCE ? count - i : AT_ONCE, method,
			       wait) != XM_OK)
			status = XM_FAILED;
	}
	if (status == XM_OK && all && wait)
		puts("All domains terminated");
	free(orders);
	return status;
}

int shutdown_run(const struct xm_args *args)
{
	return run(args, xm_args_has(args, 'R') ? XEND_M_DOMAIN_REBOOT : XEND_M_DOMAIN_SHUTDOWN);
}

int reboot_run(const struct xm_args *args)
{
	return run(args, XEND_M_DOMAIN_REBOOT);
}
