/* SPDX-License-Identifier: MIT */
/* Commands that change a domain's share of the host's memory and CPUs. */
#include "xm/command.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/cpus.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/format.h"
#include "xm/number.h"

#define KIB_PER_MIB 1024
#define KIB_MAX	    ((uint64_t)1 << 53)

enum { VCPUS_MAX = 8192, WEIGHT_MAX = 65535 };

static int memory_order(const struct xm_args *args, const char *method)
{
	struct json_object *params;
	uint64_t kib;

	if (config_size_parse(args->operands[1], KIB_PER_MIB, &kib, NULL) || kib == 0 ||
	    kib > KIB_MAX)
		return xm_usage_error(args->command,
				      "'%s' is not a size of memory: a number of MiB, or one with "
				      "k, m or g behind it",
				      args->operands[1]);
	params = xm_domain_params(args->operands[0]);
	json_set_int(params, XEND_P_KB, (int64_t)kib);
	return xm_order(method, params, args->operands[0]);
}

static int mem_set_run(const struct xm_args *args)
{
	return memory_order(args, XEND_M_MEMORY_SET);
}

static int mem_max_run(const struct xm_args *args)
{
	return memory_order(args, XEND_M_MEMORY_MAX);
}

static int vcpu_set_run(const struct xm_args *args)
{
	struct json_object *params;
	int64_t count;

	if (!number_parse(args->operands[1], 1, VCPUS_MAX, &count))
		return xm_usage_error(args->command, "'%s' is not a number of virtual CPUs",
				      args->operands[1]);
	params = xm_domain_params(args->operands[0]);
	json_set_int(params, XEND_P_COUNT, count);
	return xm_order(XEND_M_VCPU_SET, params, NULL);
}

static int vcpu_pin_run(const struct xm_args *args)
{
	struct json_object *params;
	bool all = strcmp(args->operands[1], "all") == 0;
	int64_t vcpu = 0;

	if (!all && !number_parse(args->operands[1], 0, VCPUS_MAX - 1, &vcpu))
		return xm_usage_error(args->command,
				      "'%s' is neither the number of a virtual CPU nor `all'",
				      args->operands[1]);
	/* xend checks which of the CPUs the host has. */
	if (cpus_check(args->operands[2], NULL))
		return xm_usage_error(args->command,
				      "'%s' is not a list of CPUs, as 0-3,5,^1, nodes:0 or `all'",
				      args->operands[2]);
	params = xm_domain_params(args->operands[0]);
	if (all)
		json_set_string(params, XEND_P_VCPU, "all");
	else
		json_set_int(params, XEND_P_VCPU, vcpu);
	json_set_string(params, XEND_P_CPUS, args->operands[2]);
	return xm_order(XEND_M_VCPU_PIN, params, NULL);
}

/* sched-credit has always meant whatever scheduler with weights there is; sched-credit2 one. */
static bool is_other_scheduler(const struct xm_args *args, struct json_object *answer)
{
	const char *scheduler = xm_string(answer, "scheduler", "unknown");

	if (strcmp(args->command->name, "sched-credit2") != 0 || strcmp(scheduler, "credit2") == 0)
		return false;
	xm_fail("This host's scheduler is %s, not credit2. `xm sched-credit' shows and sets "
		"weights and caps.",
		scheduler);
	return true;
}

static int sched_show(const struct xm_args *args, const char *domain)
{
	struct json_object *answer =
		xm_call(XEND_M_SCHED_GET, domain ? xm_domain_params(domain) : NULL, NULL);
	struct json_object *domains;
	size_t count;

	if (!answer)
		return XM_FAILED;
	domains = xm_array(answer, "domains", &count);
	if (is_other_scheduler(args, answer)) {
		json_object_put(answer);
		return XM_FAILED;
	}
	if (xm_args_has(args, XM_OPTION_JSON)) {
		xm_print_json(answer);
	} else {
		format_sched_header(stdout);
		for (size_t i = 0; i < count; i++) {
			struct json_object *d = json_object_array_get_idx(domains, i);
			struct sched_row row = { xm_string(d, XEND_D_NAME, ""),
						 xm_int(d, XEND_D_ID, -1),
						 xm_int(d, XEND_P_WEIGHT, 0),
						 xm_int(d, XEND_P_CAP, 0) };

			format_sched_row(stdout, &row);
		}
	}
	json_object_put(answer);
	return XM_OK;
}

/* Copies an option's number into `params`, if the option was given. */
static int sched_param(const struct xm_args *args, int option, const char *key, int64_t min,
		       int64_t max, struct json_object *params)
{
	const char *text = xm_args_value(args, option);
	int64_t number;

	if (!text)
		return XM_OK;
	if (!number_parse(text, min, max, &number))
		return xm_usage_error(args->command, "'%s' is not a %s: a number from %lld to %lld",
				      text, key, (long long)min, (long long)max);
	json_set_int(params, key, number);
	return XM_OK;
}

static int sched_credit_run(const struct xm_args *args)
{
	const char *domain = xm_args_value(args, 'd');
	struct json_object *params;
	int status;

	/* Older scripts give the domain without -d. */
	if (args->count && domain)
		return xm_usage_error(args->command, "'%s' is one argument too many",
				      args->operands[0]);
	if (args->count)
		domain = args->operands[0];
	if (!xm_args_has(args, 'w') && !xm_args_has(args, 'c'))
		return sched_show(args, domain);
	if (!domain)
		return xm_usage_error(args->command,
				      "whose weight or cap? Name the domain with -d");
	if (strcmp(args->command->name, "sched-credit2") == 0) {
		struct json_object *answer =
			xm_call(XEND_M_SCHED_GET, xm_domain_params(domain), NULL);
		bool other = !answer || is_other_scheduler(args, answer);

		json_object_put(answer);
		if (other)
			return XM_FAILED;
	}
	params = xm_domain_params(domain);
	status = sched_param(args, 'w', XEND_P_WEIGHT, 1, WEIGHT_MAX, params);
	if (status == XM_OK)
		status = sched_param(args, 'c', XEND_P_CAP, 0, (int64_t)100 * VCPUS_MAX, params);
	if (status == XM_OK)
		return xm_order(XEND_M_SCHED_SET, params, NULL);
	json_object_put(params);
	return status;
}

static const struct xm_option sched_options[] = {
	{ 'd', "domain", "DOMAIN", "which domain; without it, all are shown" },
	{ 'w', "weight", "WEIGHT", "its share compared with others': 1 to 65535, 256 is usual" },
	{ 'c', "cap", "CAP", "at most so many per cent of one CPU; 0: no cap" },
	{ XM_OPTION_JSON, "json", NULL, "print what xend answered, as JSON" },
	{ 0 },
};

const struct xm_command xm_resource_commands[] = {
	{ .name = "mem-set",
	  .run = mem_set_run,
	  .usage = "DOMAIN MEM",
	  .summary = "Set how much memory a domain has now",
	  .help = "MEM is in MiB, or has k, m or g behind it. The domain gives memory back, or "
		  "takes more, in its own "
		  "time; it "
		  "cannot have more than mem-max allows.",
	  .examples = "xm mem-set web1 512\tgive web1 512 MiB\nxm mem-set web1 1g\tgive it 1 GiB",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "mem-max",
	  .run = mem_max_run,
	  .usage = "DOMAIN MEM",
	  .summary = "Set how much memory a domain may have",
	  .examples = "xm mem-max web1 2g\tallow web1 2 GiB",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "vcpu-set",
	  .run = vcpu_set_run,
	  .usage = "DOMAIN COUNT",
	  .summary = "Set how many virtual CPUs of a domain are online",
	  .examples = "xm vcpu-set web1 2\tlet web1 use two",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "vcpu-pin",
	  .run = vcpu_pin_run,
	  .usage = "DOMAIN VCPU|all CPUS",
	  .summary = "Set on which CPUs virtual CPUs may run",
	  .help = "CPUS is `all', or numbers and ranges with commas between them; ^ takes one away "
		  "again.",
	  .examples = "xm vcpu-pin web1 0 2\tlet web1's first run on CPU 2 only\n"
		      "xm vcpu-pin web1 all 0-3,^1\tlet all of them run on 0, 2 and 3\n"
		      "xm vcpu-pin web1 all all\tlet them run anywhere again",
	  .min_operands = 3,
	  .max_operands = 3 },
	{ .name = "sched-credit",
	  .run = sched_credit_run,
	  .usage = "",
	  .summary = "Show or set domains' share of CPU time",
	  .examples = "xm sched-credit\tshow all domains' weights and caps\n"
		      "xm sched-credit -d web1 -w 512\tgive web1 twice the usual share\n"
		      "xm sched-credit -d web1 -c 50\tand half a CPU at most",
	  .options = sched_options,
	  .max_operands = 1 },
	{ .name = "sched-credit2",
	  .run = sched_credit_run,
	  .usage = "",
	  .summary = "The same on a host whose scheduler is credit2",
	  .help = "xen_scheduler of `xm info' says which one the host has. Xenolith's is credit.",
	  .examples = "xm sched-credit2 -d web1 -w 512\tgive web1 twice the usual share",
	  .options = sched_options,
	  .max_operands = 1 },
	{ 0 },
};
