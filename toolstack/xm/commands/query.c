/* SPDX-License-Identifier: MIT */
/* Commands that only ask for information. */
#include "xm/command.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/commands/console.h"
#include "xm/format.h"
#include "xm/commands/list.h"
#include "xm/commands/listings.h"
#include "xm/commands/vncviewer.h"
#include "xm/number.h"
#include "xm/top/top.h"

#define JSON_OPTION                                                               \
	{                                                                         \
		XM_OPTION_JSON, "json", NULL, "print what xend answered, as JSON" \
	}

static const struct xm_option json_options[] = { JSON_OPTION, { 0 } };

/* The domain with that name or id, with its facts. It belongs to *list, which the caller puts. */
static struct json_object *one_domain(const char *domain, struct json_object **list)
{
	struct json_object *array;
	size_t count;

	*list = xm_call(XEND_M_DOMAIN_LIST, xm_domain_params(domain), NULL);
	if (!*list)
		return NULL;
	array = xm_array(*list, "domains", &count);
	if (count == 1)
		return json_object_array_get_idx(array, 0);
	xm_fail("Domain '%s' does not exist.", domain);
	json_object_put(*list);
	*list = NULL;
	return NULL;
}

static int domid_run(const struct xm_args *args)
{
	struct json_object *list, *domain = one_domain(args->operands[0], &list);
	int64_t id;
	int status = XM_OK;

	if (!domain)
		return XM_FAILED;
	id = xm_int(domain, XEND_D_ID, -1);
	if (xm_args_has(args, XM_OPTION_JSON))
		xm_print_json(json_find(domain, XEND_D_ID));
	else if (id >= 0)
		printf("%lld\n", (long long)id);
	else
		status = xm_fail("Domain '%s' does not run: it has no ID.", args->operands[0]);
	json_object_put(list);
	return status;
}

static int domname_run(const struct xm_args *args)
{
	struct json_object *list, *domain = one_domain(args->operands[0], &list);

	if (!domain)
		return XM_FAILED;
	if (xm_args_has(args, XM_OPTION_JSON))
		xm_print_json(json_find(domain, XEND_D_NAME));
	else
		puts(xm_string(domain, XEND_D_NAME, ""));
	json_object_put(list);
	return XM_OK;
}

/* The state of a running domain, in the words that scripts look for. */
static const char *state_word(struct json_object *domain)
{
	const char *state = xm_string(domain, XEND_D_STATE, "");
	int64_t status = xm_int(domain, XEND_D_STATUS, -1);

	if (status == LIST_RUNNING)
		return strchr(state, 'r') ? "running" : strchr(state, 'b') ? "idle" : "running";
	return list_status_name(status);
}

static int domstate_run(const struct xm_args *args)
{
	struct json_object *list, *domain = one_domain(args->operands[0], &list);

	if (!domain)
		return XM_FAILED;
	if (xm_args_has(args, XM_OPTION_JSON)) {
		struct json_object *word = json_new_string(state_word(domain));

		xm_print_json(word);
		json_object_put(word);
	} else {
		puts(state_word(domain));
	}
	json_object_put(list);
	return XM_OK;
}

/*
 * Seconds since the domain started; -1 when not known. For Domain-0, in which xm runs, this host's
 * boot clock tells.
 */
static int64_t uptime_of(struct json_object *domain)
{
	int64_t started = xm_int(domain, XEND_D_START_TIME, 0), now = time(NULL);
	struct timespec since_boot;

	if (started > 0)
		return started <= now ? now - started : -1;
	if (xm_int(domain, XEND_D_ID, -1) != 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot))
		return -1;
	return since_boot.tv_sec;
}

static void uptime_print(struct json_object *domain, const char *clock)
{
	struct uptime_row row = { .name = xm_string(domain, XEND_D_NAME, ""),
				  .id = xm_int(domain, XEND_D_ID, -1),
				  .seconds = uptime_of(domain) };

	if (row.id >= 0 && clock)
		format_uptime_short(stdout, &row, clock);
	else if (row.id >= 0)
		format_uptime_row(stdout, &row);
}

static int uptime_run(const struct xm_args *args)
{
	struct json_object *domains;
	int status = list_domains(args->operands, args->count, false, &domains);
	size_t count = domains ? json_object_array_length(domains) : 0;
	bool brief = xm_args_has(args, 's');
	time_t now = time(NULL);
	char clock[16];

	if (!domains)
		return status;
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	if (xm_args_has(args, XM_OPTION_JSON)) {
		xm_print_json(domains);
	} else {
		if (!brief)
			format_uptime_header(stdout);
		for (size_t i = 0; i < count; i++)
			uptime_print(json_object_array_get_idx(domains, i), brief ? clock : NULL);
	}
	json_object_put(domains);
	return status;
}

static void vcpu_print(struct json_object *domain)
{
	size_t count;
	struct json_object *vcpus = xm_array(domain, "vcpus", &count);

	for (size_t i = 0; i < count; i++) {
		struct json_object *vcpu = json_object_array_get_idx(vcpus, i);
		struct vcpu_row row = { .name = xm_string(domain, XEND_D_NAME, ""),
					.id = xm_int(domain, XEND_D_ID, -1),
					.vcpu = xm_int(vcpu, XEND_V_VCPU, -1),
					.cpu = xm_int(vcpu, XEND_V_CPU, -1),
					.state = xm_string(vcpu, XEND_V_STATE, "---"),
					.cpu_ns = xm_int(vcpu, XEND_V_CPU_NS, 0),
					.affinity = xm_string(vcpu, XEND_V_AFFINITY, "-") };

		format_vcpu_row(stdout, &row);
	}
}

/*
 * The answer for each named domain, or one answer for all domains, as an array. Goes on after a
 * name that is refused, and returns XM_FAILED then; *answers is NULL if all were.
 */
static int vcpu_answers(const struct xm_args *args, struct json_object **answers)
{
	int status = XM_OK;

	*answers = json_new_array();
	for (int i = 0; i < (args->count ? args->count : 1) && xm_can_ask(); i++) {
		struct json_object *params =
			args->count ? xm_domain_params(args->operands[i]) : NULL;
		struct json_object *answer = xm_call(XEND_M_VCPU_LIST, params, NULL);

		if (answer)
			json_append(*answers, answer);
		else
			status = XM_FAILED;
	}
	if (json_object_array_length(*answers))
		return status;
	json_object_put(*answers);
	*answers = NULL;
	return XM_FAILED;
}

static int vcpu_list_run(const struct xm_args *args)
{
	struct json_object *answers;
	int status = vcpu_answers(args, &answers);

	if (!answers)
		return status;
	if (xm_args_has(args, XM_OPTION_JSON)) {
		xm_print_json(args->count > 1 ? answers : json_object_array_get_idx(answers, 0));
	} else {
		format_vcpu_header(stdout);
		for (size_t i = 0; i < json_object_array_length(answers); i++) {
			size_t count;
			struct json_object *domains =
				xm_array(json_object_array_get_idx(answers, i), "domains", &count);

			for (size_t j = 0; j < count; j++)
				vcpu_print(json_object_array_get_idx(domains, j));
		}
	}
	json_object_put(answers);
	return status;
}

/* Prints the text of an answer as it is. */
static int print_text(struct json_object *answer, const struct xm_args *args)
{
	if (!answer)
		return XM_FAILED;
	if (xm_args_has(args, XM_OPTION_JSON))
		xm_print_json(answer);
	else
		fputs(xm_string(answer, "text", ""), stdout);
	json_object_put(answer);
	return XM_OK;
}

static int log_run(const struct xm_args *args)
{
	struct json_object *params = json_new_object();
	const char *lines = xm_args_value(args, 'n');
	int64_t count = 1000;

	if (lines && !number_parse(lines, 1, 1000000, &count)) {
		json_object_put(params);
		return xm_usage_error(args->command, "'%s' is not a number of lines", lines);
	}
	json_set_int(params, XEND_P_LINES, count);
	return print_text(xm_call(XEND_M_LOG, params, NULL), args);
}

static const struct xm_option uptime_options[] = {
	{ 's', "short", NULL, "in one line for each, without a header" },
	JSON_OPTION,
	{ 0 },
};

static const struct xm_option list_options[] = {
	{ 'l', "long", NULL, "all that is known of each, as S-expressions" },
	{ XM_OPTION_STATE, "state", "STATE",
	  "only those that are running, paused, halted, suspended, shutdown or crashed" },
	JSON_OPTION,
	{ 0 },
};

static const struct xm_option console_options[] = {
	{ 'q', "quiet", NULL, "do not say how to leave" },
	{ 's', "scrollback", NULL, "show the last 64 KiB of its output first" },
	{ 0 },
};

static const struct xm_option vncviewer_options[] = {
	{ 'a', "autopass", NULL, "give vncviewer the password (its option -autopass)" },
	{ 0 },
};

static const struct xm_option top_options[] = {
	{ 'b', "batch", NULL, "print tables to stdout, for files and pipes" },
	{ 'd', "delay", "SECONDS", "time between two looks (3)" },
	{ 'i', "iterations", "N", "end after N tables" },
	{ 's', "sort", "KEY", "by cpu, mem, net, disk, name or id (cpu)" },
	{ 'v', "vcpus", NULL, "with a line for each vCPU" },
	JSON_OPTION,
	{ 0 },
};

static const struct xm_option log_options[] = {
	{ 'n', "lines", "N", "how many (1000)" },
	JSON_OPTION,
	{ 0 },
};

const struct xm_command xm_query_commands[] = {
	{ .name = "list",
	  .run = list_run,
	  .usage = "[DOMAIN...]",
	  .summary = "List domains",
	  .help = "For each domain: its name, its ID (blank, as the state, when it does not run), "
		  "memory in MiB, "
		  "virtual CPUs that are "
		  "online, "
		  "state, and CPU time in seconds. The six letters of the state stand for running, "
		  "blocked (idle), "
		  "paused, "
		  "shut down, crashed, dying; each has its place, where `-' says that it does not "
		  "hold.",
	  .examples = "xm list\tlist all domains\n"
		      "xm list --state=paused\tlist those that are paused\n"
		      "xm list -l web1\tshow all that is known of web1\n"
		      "xm list --json | python3 -m json.tool\tgive the list to a program",
	  .options = list_options,
	  .max_operands = -1 },
	{ .name = "vm-list",
	  .run = vm_list_run,
	  .usage = "",
	  .summary = "List the guests that run, with their UUIDs",
	  .examples = "xm vm-list\tshow the UUID, the ID and the name of each guest",
	  .options = json_options },
	{ .name = "claims",
	  .run = claims_run,
	  .usage = "",
	  .summary = "List domains with the memory that is set aside for them",
	  .help = "A domain that is being filled has a claim on the memory that it does not have "
		  "yet, in MiB. "
		  "Otherwise Claimed is 0.",
	  .examples = "xm claims\tshow all domains and their claims",
	  .options = json_options },
	{ .name = "domid",
	  .run = domid_run,
	  .usage = "DOMAIN",
	  .summary = "Print the ID of a domain",
	  .examples = "xm domid web1\tprint web1's ID",
	  .options = json_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "domname",
	  .run = domname_run,
	  .usage = "ID",
	  .summary = "Print the name of a domain",
	  .examples = "xm domname 3\tprint the name of the domain with ID 3",
	  .options = json_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "domstate",
	  .run = domstate_run,
	  .usage = "DOMAIN",
	  .summary = "Print the state of a domain as a word",
	  .help = "One of running, idle (all its CPUs wait), paused, halted, suspended, shutdown, "
		  "crashed.",
	  .examples = "xm domstate web1\tprint what web1 does",
	  .options = json_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "uptime",
	  .run = uptime_run,
	  .usage = "[DOMAIN...]",
	  .summary = "Print how long domains have been running",
	  .examples = "xm uptime\tshow all running domains",
	  .options = uptime_options,
	  .max_operands = -1 },
	{ .name = "vcpu-list",
	  .run = vcpu_list_run,
	  .usage = "[DOMAIN...]",
	  .summary = "List the virtual CPUs of domains",
	  .help = "For each: the CPU it ran on last (- when it is offline), whether it runs (r--), "
		  "waits (-b-) or is "
		  "offline "
		  "(--p), its time in seconds, and on which CPUs it may run.",
	  .examples = "xm vcpu-list\tlist all\nxm vcpu-list web1\tlist web1's",
	  .options = json_options,
	  .max_operands = -1 },
	{ .name = "top",
	  .run = top_run,
	  .usage = "",
	  .summary = "Watch what domains use",
	  .help = "Shows CPU, memory, network and disk of each domain, and refreshes it. Keys: c, "
		  "m, n, d, a, i sort "
		  "by CPU, "
		  "memory, network, disk, name or ID; r reverses; v shows or hides virtual CPUs; "
		  "arrows scroll; + and "
		  "- change "
		  "the delay; q ends.",
	  .examples = "xm top\twatch\nxm top -b -i 2 -d 10\tprint two tables, ten seconds apart",
	  .options = top_options },
	{ .name = "console",
	  .run = console_run,
	  .usage = "DOMAIN",
	  .summary = "Attach to a domain's console",
	  .help = "What is typed goes to the domain, but for Ctrl-], which leaves the console. "
		  "Several may be attached "
		  "at once.",
	  .examples = "xm console web1\twork at web1's console\n"
		      "xm console --scrollback web1\tsee what it said before, too",
	  .options = console_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "vncviewer",
	  .run = vncviewer_run,
	  .usage = "DOMAIN",
	  .summary = "Show a domain's screen in a window",
	  .help = "Starts the program vncviewer, which has to be installed. The domain needs a "
		  "vfb.",
	  .examples = "xm vncviewer web1\tsee web1's screen, and type there",
	  .options = vncviewer_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "log",
	  .run = log_run,
	  .usage = "",
	  .summary = "Print xend's log",
	  .examples = "xm log\tprint the last 1000 lines\nxm log -n 20\tprint the last 20",
	  .options = log_options },
	{ 0 },
};
