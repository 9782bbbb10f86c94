/* SPDX-License-Identifier: MIT */
/* `xm list`: a table, S-expressions or JSON from xend's domain objects. */
#include "xm/commands/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/format.h"

enum { KB_PER_MB = 1024, ANY_STATUS = -1, BAD_STATUS = -2 };

static const char *const status_names[] = {
	[LIST_HALTED] = "halted",	[LIST_PAUSED] = "paused",     [LIST_RUNNING] = "running",
	[LIST_SUSPENDED] = "suspended", [LIST_SHUTDOWN] = "shutdown", [LIST_CRASHED] = "crashed",
};

enum { STATUSES = sizeof(status_names) / sizeof(status_names[0]) };

const char *list_status_name(int64_t status)
{
	return status >= 0 && status < STATUSES ? status_names[status] : "unknown";
}

static int status_of_name(const char *name)
{
	if (!name || strcasecmp(name, "all") == 0)
		return ANY_STATUS;
	for (int i = 0; i < STATUSES; i++) {
		if (strcasecmp(name, status_names[i]) == 0)
			return i;
	}
	return BAD_STATUS;
}

/* Moves what the answer lists under the key to the array; false if the answer is an error. */
static bool take_list(struct json_object *list, struct json_object *answer, const char *key)
{
	struct json_object *array;
	size_t count;

	if (!answer)
		return false;
	array = xm_array(answer, key, &count);
	for (size_t i = 0; i < count; i++)
		json_append(list, json_object_get(json_object_array_get_idx(array, i)));
	json_object_put(answer);
	return true;
}

/* Asks for a domain, NULL: for all, and adds what xend says to the array; false: it has refused. */
typedef bool ask_function(const char *name, const void *how, struct json_object *list);

/* The named domains, or all, by ask_one(name, how). Returns as list_domains(). */
static int ask(char *const *names, int count, ask_function *ask_one, const void *how,
	       struct json_object **list)
{
	int status = XM_OK, answers = 0;

	*list = json_new_array();
	for (int i = 0; i < (count ? count : 1) && xm_can_ask(); i++) {
		if (ask_one(count ? names[i] : NULL, how, *list))
			answers++;
		else
			status = XM_FAILED;
	}
	if (answers)
		return status;
	json_object_put(*list);
	*list = NULL;
	return XM_FAILED;
}

static struct json_object *params_of(const char *name)
{
	return name ? xm_domain_params(name) : json_new_object();
}

static bool ask_objects(const char *name, const void *how, struct json_object *list)
{
	struct json_object *params = params_of(name);

	if (*(const bool *)how)
		json_set(params, XEND_P_CONFIG, json_new_bool(true));
	return take_list(list, xm_call(XEND_M_DOMAIN_LIST, params, NULL), "domains");
}

int list_domains(char *const *names, int count, bool config, struct json_object **domains)
{
	return ask(names, count, ask_objects, &config, domains);
}

/* The columns of the table, in the order of a row. The name is the last: it may have blanks. */
enum { ID, MEMORY, VCPUS, STATE, TIME, STATUS, NAME, COLUMNS };
static const char *const columns[COLUMNS] = {
	[ID] = XEND_D_ID,	[MEMORY] = XEND_D_MEMORY_KB, [VCPUS] = XEND_D_VCPUS,
	[STATE] = XEND_D_STATE, [TIME] = XEND_D_CPU_NS,	     [STATUS] = XEND_D_STATUS,
	[NAME] = XEND_D_NAME,
};

static struct json_object *params_of_table(const char *name)
{
	struct json_object *params = params_of(name), *wanted = json_new_array();

	for (size_t i = 0; i < COLUMNS; i++)
		json_append(wanted, json_new_string(columns[i]));
	json_set(params, XEND_P_COLUMNS, wanted);
	return params;
}

/* On stderr: programs read the table. */
static void say_between(struct json_object *answer)
{
	size_t count;
	struct json_object *waiting = xm_array(answer, XEND_D_BETWEEN, &count);

	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_array_get_idx(waiting, i);

		xm_warn("Domain '%s' waits between two hosts: %s", xm_string(o, XEND_D_NAME, ""),
			xm_string(o, XEND_D_REASON, ""));
	}
}

/*
 * A string for each domain, or a list of values from a xend that does not know domain.table. A host
 * may have a thousand domains.
 */
static bool ask_rows(const char *name, const void *how, struct json_object *list)
{
	struct json_object *answer;
	struct error *error = NULL;
	int rc = client_call(xm_client(), XEND_M_DOMAIN_TABLE, params_of_table(name), NULL, NULL,
			     &answer, &error);

	(void)how;
	if (rc && rc != -ENOSYS)
		xm_fail("%s", error_text(error));
	error_free(&error);
	if (rc == -ENOSYS)
		return take_list(list, xm_call(XEND_M_DOMAIN_LIST, params_of_table(name), NULL),
				 "domains");
	if (answer && !name)
		say_between(answer);
	return take_list(list, answer, "rows");
}

/* The texts of a row's values; those of `text` are cut out of it. */
static void split_text(char *text, const char *cells[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		char *end = i < COLUMNS - 1 ? strchr(text, ' ') : NULL;

		cells[i] = text;
		text = end ? end + 1 : strchr(text, '\0');
		if (end)
			*end = '\0';
	}
}

static void split_list(struct json_object *row, const char *cells[COLUMNS])
{
	bool is_list = json_object_is_type(row, json_type_array);

	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text =
			is_list ? json_object_get_string(json_object_array_get_idx(row, i)) : NULL;

		cells[i] = text ? text : "";
	}
}

static void print_row(const char *const cells[COLUMNS], int status)
{
	struct list_row row = { .name = cells[NAME],
				.id = strtoll(cells[ID], NULL, 10),
				.memory_kb = strtoll(cells[MEMORY], NULL, 10),
				.vcpus = strtoll(cells[VCPUS], NULL, 10),
				.state = cells[STATE],
				.cpu_ns = strtoll(cells[TIME], NULL, 10) };

	if (status == ANY_STATUS || strtoll(cells[STATUS], NULL, 10) == status)
		format_list_row(stdout, &row);
}

/* Prints the rows of domains with that status. */
static int print_table(char *const *names, int count, int status)
{
	const char *cells[COLUMNS];
	struct json_object *rows;
	int result = ask(names, count, ask_rows, NULL, &rows);
	size_t nr;

	if (!rows)
		return result;
	format_list_header(stdout);
	nr = json_object_array_length(rows);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		char *text = json_object_is_type(row, json_type_string) ?
				     xstrdup(json_object_get_string(row)) :
				     NULL;

		if (text)
			split_text(text, cells);
		else
			split_list(row, cells);
		print_row(cells, status);
		free(text);
	}
	json_object_put(rows);
	return result;
}

/* The known facts of a domain without a configuration of xend's: one that xl made, or Domain-0. */
static struct sexp *sexp_of_facts(struct json_object *domain, const struct config_live *live)
{
	struct sexp *sexp = sexp_new("domain");

	sexp_set_printf(sexp, "domid", "%d", live->domid);
	sexp_set(sexp, "name", xm_string(domain, XEND_D_NAME, ""));
	sexp_set(sexp, "uuid", xm_string(domain, XEND_D_UUID, NULL));
	sexp_set_printf(sexp, "vcpus", "%lld", (long long)xm_int(domain, XEND_D_MAX_VCPUS, 0));
	sexp_set_printf(sexp, "memory", "%llu", (unsigned long long)live->memory_mb);
	sexp_set_printf(sexp, "maxmem", "%lld",
			(long long)xm_int(domain, XEND_D_MAXMEM_KB, 0) / KB_PER_MB);
	sexp_set_printf(sexp, "status", "%u", live->status);
	sexp_set(sexp, "state", live->state);
	sexp_set_printf(sexp, "cpu_time", "%.9f", (double)live->cpu_ns / 1e9);
	sexp_set_printf(sexp, "online_vcpus", "%u", live->online_vcpus);
	return sexp;
}

static void print_sexp(struct json_object *domain)
{
	struct config_live live = { .domid = (int)xm_int(domain, XEND_D_ID, -1),
				    .memory_mb = (uint64_t)xm_int(domain, XEND_D_MEMORY_KB, 0) /
						 KB_PER_MB,
				    .online_vcpus = (unsigned int)xm_int(domain, XEND_D_VCPUS, 0),
				    .state = xm_string(domain, XEND_D_STATE, "------"),
				    .status = (unsigned int)xm_int(domain, XEND_D_STATUS, 0),
				    .cpu_ns = (uint64_t)xm_int(domain, XEND_D_CPU_NS, 0),
				    .start_time = (uint64_t)xm_int(domain, XEND_D_START_TIME, 0) };
	struct json_object *given = json_find(domain, XEND_D_CONFIG);
	struct config *config = given ? config_from_json(given, NULL) : NULL;
	struct sexp *sexp = config ? config_to_sexp(config, &live) : sexp_of_facts(domain, &live);
	struct str text = STR_INIT;

	sexp_print(sexp, &text);
	fputs(str_text(&text), stdout);
	str_free(&text);
	sexp_free(sexp);
	config_free(config);
}

/* Removes all domains with another status from the array. */
static void keep_status(struct json_object *domains, int status)
{
	size_t i = json_object_array_length(domains);

	while (i-- > 0) {
		struct json_object *domain = json_object_array_get_idx(domains, i);

		if (status != ANY_STATUS && xm_int(domain, XEND_D_STATUS, BAD_STATUS) != status)
			json_object_array_del_idx(domains, i, 1);
	}
}

int list_run(const struct xm_args *args)
{
	bool detailed = xm_args_has(args, 'l'), json = xm_args_has(args, XM_OPTION_JSON);
	const char *state = xm_args_value(args, XM_OPTION_STATE);
	int status = status_of_name(state), result;
	struct json_object *domains;
	size_t count;

	if (status == BAD_STATUS)
		return xm_usage_error(args->command,
				      "'%s' is no state: all, running, paused, halted, suspended, "
				      "shutdown or crashed",
				      state);
	if (!detailed && !json)
		return print_table(args->operands, args->count, status);
	result = list_domains(args->operands, args->count, detailed, &domains);
	if (!domains)
		return result;
	keep_status(domains, status);
	count = json_object_array_length(domains);
	if (json)
		xm_print_json(domains);
	for (size_t i = 0; i < count && !json; i++)
		print_sexp(json_object_array_get_idx(domains, i));
	json_object_put(domains);
	return result;
}
