/* SPDX-License-Identifier: MIT */
/* `xm list`: a table, S-expressions or JSON from xend's domain objects. */
#include "xm/commands/list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
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

/* Moves the domains of an answer to the array; false if the answer is an error. */
static bool take_domains(struct json_object *domains, struct json_object *answer)
{
	struct json_object *array;
	size_t count;

	if (!answer)
		return false;
	array = xm_array(answer, "domains", &count);
	for (size_t i = 0; i < count; i++)
		json_append(domains, json_object_get(json_object_array_get_idx(array, i)));
	json_object_put(answer);
	return true;
}

/*
 * The named domains, or all, as xend describes them if the parameter `key` has this value, which is
 * consumed. Returns as list_domains().
 */
static int ask(char *const *names, int count, const char *key, struct json_object *value,
	       struct json_object **domains)
{
	int status = XM_OK, answers = 0;

	*domains = json_new_array();
	for (int i = 0; i < (count ? count : 1) && xm_can_ask(); i++) {
		struct json_object *params = count ? xm_domain_params(names[i]) : json_new_object();

		if (value)
			json_set(params, key, json_object_get(value));
		if (take_domains(*domains, xm_call(XEND_M_DOMAIN_LIST, params, NULL)))
			answers++;
		else
			status = XM_FAILED;
	}
	json_object_put(value);
	if (answers)
		return status;
	json_object_put(*domains);
	*domains = NULL;
	return XM_FAILED;
}

int list_domains(char *const *names, int count, bool config, struct json_object **domains)
{
	return ask(names, count, XEND_P_CONFIG, config ? json_new_bool(true) : NULL, domains);
}

/* The columns of the table. Rows instead of objects: a host may have a thousand domains. */
enum { NAME, ID, MEMORY, VCPUS, STATE, TIME, STATUS, COLUMNS };
static const char *const columns[COLUMNS] = {
	[NAME] = XEND_D_NAME,	  [ID] = XEND_D_ID,	  [MEMORY] = XEND_D_MEMORY_KB,
	[VCPUS] = XEND_D_VCPUS,	  [STATE] = XEND_D_STATE, [TIME] = XEND_D_CPU_NS,
	[STATUS] = XEND_D_STATUS,
};

static struct json_object *cell(struct json_object *row, size_t column)
{
	return json_object_is_type(row, json_type_array) ? json_object_array_get_idx(row, column) :
							   NULL;
}

static int64_t number_at(struct json_object *row, size_t column)
{
	return json_object_get_int64(cell(row, column));
}

static const char *text_at(struct json_object *row, size_t column)
{
	const char *text = json_object_get_string(cell(row, column));

	return text ? text : "";
}

/* Prints the rows of domains with that status. */
static int print_table(char *const *names, int count, int status)
{
	struct json_object *wanted = json_new_array(), *rows;
	int result;
	size_t nr;

	/* The status decides who is in the table, and is not printed. */
	for (size_t i = 0; i < (status == ANY_STATUS ? STATUS : COLUMNS); i++)
		json_append(wanted, json_new_string(columns[i]));
	result = ask(names, count, XEND_P_COLUMNS, wanted, &rows);
	if (!rows)
		return result;
	format_list_header(stdout);
	nr = json_object_array_length(rows);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct list_row cells = { .name = text_at(row, NAME),
					  .id = number_at(row, ID),
					  .memory_kb = number_at(row, MEMORY),
					  .vcpus = number_at(row, VCPUS),
					  .state = text_at(row, STATE),
					  .cpu_ns = number_at(row, TIME) };

		if (status == ANY_STATUS || number_at(row, STATUS) == status)
			format_list_row(stdout, &cells);
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
