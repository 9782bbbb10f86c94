/* SPDX-License-Identifier: MIT */
/* Commands about the host and its hypervisor. */
#include "xm/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/str.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/commands/cpupool.h"
#include "xm/commands/guests.h"
#include "xm/commands/network_setup.h"
#include "xm/doctor/doctor.h"
#include "xm/format.h"

/* The members of `xm info`, in their traditional order. */
static const char *const info_keys[] = {
	"system",
	"host",
	"release",
	"version",
	"machine",
	"nr_cpus",
	"nr_nodes",
	"cores_per_socket",
	"threads_per_core",
	"cpu_mhz",
	"hw_caps",
	"virt_caps",
	"total_memory",
	"free_memory",
	"free_cpus",
	"xen_major",
	"xen_minor",
	"xen_extra",
	"xen_caps",
	"xen_scheduler",
	"xen_pagesize",
	"platform_params",
	"xen_changeset",
	"xen_commandline",
	"cc_compiler",
	"cc_compile_by",
	"cc_compile_domain",
	"cc_compile_date",
	"xend_config_format",
};

/* Members after those, shown when xend sends them. */
static const char *const info_further_keys[] = { "cpu_faults" };

static void print_cpus(struct json_object *answer)
{
	size_t count;
	struct json_object *cpus = xm_array(answer, "cpus", &count);

	format_cpu_header(stdout);
	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_array_get_idx(cpus, i);
		struct cpu_row row = { xm_int(o, "cpu", -1), xm_int(o, "core", -1),
				       xm_int(o, "socket", -1), xm_int(o, "node", -1) };

		format_cpu_row(stdout, &row);
	}
}

static void print_nodes(struct json_object *answer)
{
	size_t count, nr;
	struct json_object *nodes = xm_array(answer, "nodes", &count);

	format_node_header(stdout);
	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_array_get_idx(nodes, i);
		struct json_object *distances = xm_array(o, "distances", &nr);
		struct node_row row = { xm_int(o, "node", -1), xm_int(o, "memsize", 0),
					xm_int(o, "memfree", 0), NULL };
		struct str text = STR_INIT;

		for (size_t j = 0; j < nr; j++)
			str_printf(&text, "%s%lld", j ? "," : "",
				   (long long)json_object_get_int64(
					   json_object_array_get_idx(distances, j)));
		row.distances = str_text(&text);
		format_node_row(stdout, &row);
		str_free(&text);
	}
}

static int print_topology(void)
{
	struct json_object *answer = xm_call(XEND_M_HOST_TOPOLOGY, NULL, NULL);

	if (!answer)
		return XM_FAILED;
	print_cpus(answer);
	print_nodes(answer);
	json_object_put(answer);
	return XM_OK;
}

static int info_run(const struct xm_args *args)
{
	struct json_object *answer = xm_call(XEND_M_HOST_INFO, NULL, NULL);
	int status = XM_OK;

	if (!answer)
		return XM_FAILED;
	if (xm_args_has(args, XM_OPTION_JSON)) {
		xm_print_json(answer);
	} else {
		for (size_t i = 0; i < sizeof(info_keys) / sizeof(info_keys[0]); i++) {
			struct json_object *value = json_find(answer, info_keys[i]);

			format_info(stdout, info_keys[i],
				    value ? json_object_get_string(value) : "");
		}
		for (size_t i = 0; i < sizeof(info_further_keys) / sizeof(info_further_keys[0]);
		     i++) {
			struct json_object *value = json_find(answer, info_further_keys[i]);

			if (value)
				format_info(stdout, info_further_keys[i],
					    json_object_get_string(value));
		}
		if (xm_args_has(args, 'n'))
			status = print_topology();
	}
	json_object_put(answer);
	return status;
}

/* "0,1,2" */
static char *list_of_cpus(struct json_object *cpus)
{
	struct str text = STR_INIT;

	for (size_t i = 0; i < json_object_array_length(cpus); i++)
		str_printf(&text, "%s%lld", i ? "," : "",
			   (long long)json_object_get_int64(json_object_array_get_idx(cpus, i)));
	return str_steal(&text);
}

static void print_pool(struct json_object *pool, bool with_cpus)
{
	size_t count;
	struct json_object *cpus = xm_array(pool, "cpus", &count);
	char *list = with_cpus && cpus ? list_of_cpus(cpus) : NULL;
	struct pool_row row = { xm_string(pool, XEND_D_NAME, "?"), list, (int64_t)count,
				xm_string(pool, "scheduler", "?"), xm_int(pool, "domains", 0) };

	format_pool_row(stdout, &row);
	free(list);
}

static int cpupool_list_run(const struct xm_args *args)
{
	struct json_object *answer = xm_call(XEND_M_HOST_CPUPOOLS, NULL, NULL), *pools;
	const char *wanted = args->count ? args->operands[0] : NULL;
	bool found = !wanted, cpus = xm_args_has(args, 'c');
	size_t count;

	if (!answer)
		return XM_FAILED;
	pools = xm_array(answer, "pools", &count);
	for (size_t i = 0; wanted && i < count; i++)
		found |= strcmp(xm_string(json_object_array_get_idx(pools, i), XEND_D_NAME, ""),
				wanted) == 0;
	if (!found) {
		json_object_put(answer);
		return xm_fail("There is no pool of processors '%s'.", wanted);
	}
	if (xm_args_has(args, XM_OPTION_JSON))
		xm_print_json(pools);
	else
		format_pool_header(stdout, cpus);
	for (size_t i = 0; i < count && !xm_args_has(args, XM_OPTION_JSON); i++) {
		struct json_object *pool = json_object_array_get_idx(pools, i);

		if (!wanted || strcmp(xm_string(pool, XEND_D_NAME, ""), wanted) == 0)
			print_pool(pool, cpus);
	}
	json_object_put(answer);
	return XM_OK;
}

static int dmesg_run(const struct xm_args *args)
{
	struct json_object *params = json_new_object(), *answer;

	json_set_bool(params, XEND_P_CLEAR, xm_args_has(args, 'c'));
	answer = xm_call(XEND_M_HOST_DMESG, params, NULL);
	if (!answer)
		return XM_FAILED;
	if (xm_args_has(args, XM_OPTION_JSON))
		xm_print_json(answer);
	else
		fputs(xm_string(answer, "text", ""), stdout);
	json_object_put(answer);
	return XM_OK;
}

static int debug_keys_run(const struct xm_args *args)
{
	struct json_object *params = json_new_object();

	json_set_string(params, XEND_P_KEYS, args->operands[0]);
	return xm_order(XEND_M_HOST_DEBUG_KEYS, params, NULL);
}

static const struct xm_option pool_options[] = {
	{ 'c', "cpus", NULL, "with the numbers of its processors" },
	{ XM_OPTION_JSON, "json", NULL, "print what xend answered, as JSON" },
	{ 0 },
};

static const struct xm_option info_options[] = {
	{ 'n', "numa", NULL,
	  "also to which core, socket and node each processor belongs, and the nodes" },
	{ XM_OPTION_JSON, "json", NULL, "print what xend answered, as JSON" },
	{ 0 },
};

static const struct xm_option dmesg_options[] = {
	{ 'c', "clear", NULL, "and empty the ring that holds them" },
	{ XM_OPTION_JSON, "json", NULL, "print what xend answered, as JSON" },
	{ 0 },
};

const struct xm_command xm_host_commands[] = {
	{ .name = "info",
	  .run = info_run,
	  .usage = "",
	  .summary = "Show what the host and its hypervisor are",
	  .help = "Memory is in MiB. On Xenolith, cpu_faults names the faults of the processor by "
		  "which guests may "
		  "read what is not "
		  "theirs, and which the hypervisor does not guard against yet; `xm dmesg' says "
		  "what each one does. "
		  "While there "
		  "are any, run no strangers' guests.",
	  .examples = "xm info\tshow all\nxm info | grep free_memory\tshow how much memory is left "
		      "for new domains",
	  .options = info_options },
	{ .name = "doctor",
	  .run = doctor_run,
	  .usage = "",
	  .summary = "Look what this machine lacks to run guests",
	  .help = "A line for each check: ok, advice (guests run all the same), or fault. The "
		  "commands that mend "
		  "it stand below. It also works where no hypervisor and no xend runs, before the "
		  "first "
		  "boot. The exit status is 1 if there is a fault.",
	  .examples = "xm doctor\tlook at this machine\nxm doctor --json\tthe same for programs",
	  .options = doctor_options },
	{ .name = "network-setup",
	  .run = network_setup_run,
	  .usage = "",
	  .summary = "Make the bridge for guests' network interfaces, for good",
	  .help = "The program that runs the host's network gets the bridge as its own "
		  "configuration: NetworkManager, systemd-networkd or ifupdown, whichever has the "
		  "card. The bridge takes over the card's addresses. If the host does not get its "
		  "network back within a minute, all is undone.",
	  .examples = "xm network-setup -n\tshow what would be done\nxm network-setup\tput "
		      "guests on the host's own network\nxm network-setup --nat\tgive guests a "
		      "network behind the host's address\nxm network-setup --undo\ttake the "
		      "bridge back",
	  .options = network_setup_options },
	{ .name = "cpupool-list",
	  .run = cpupool_list_run,
	  .usage = "[POOL]",
	  .summary = "List the pools of processors",
	  .help = "For each: how many processors it has, its scheduler, and how many domains use "
		  "it. "
		  "Xenolith has one, with all processors; none can be made or changed.",
	  .examples = "xm cpupool-list\tlist all\nxm cpupool-list -c Pool-0\tlist the processors "
		      "of Pool-0",
	  .options = pool_options,
	  .max_operands = 1 },
	{ .name = "cpupool-create",
	  .run = cpupool_change_run,
	  .usage = "[FILE] [KEY=VALUE...]",
	  .summary = "Make a pool of processors (not possible)",
	  .help = "It fails: there is one pool, Pool-0, with all processors. cpus in a domain's "
		  "file and `xm vcpu-pin' keep a domain on some.",
	  .examples = "xm cpupool-create name=fast\tsay what to do instead",
	  .min_operands = 0,
	  .max_operands = -1 },
	{ .name = "cpupool-destroy",
	  .run = cpupool_change_run,
	  .usage = "POOL",
	  .summary = "Remove a pool of processors (not possible)",
	  .help = "It fails: there is one pool, Pool-0, with all processors. cpus in a domain's "
		  "file and `xm vcpu-pin' keep a domain on some.",
	  .examples = "xm cpupool-destroy fast\tsay why there is none",
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "cpupool-rename",
	  .run = cpupool_change_run,
	  .usage = "POOL NAME",
	  .summary = "Give a pool of processors another name (not possible)",
	  .help = "It fails: there is one pool, Pool-0, with all processors. cpus in a domain's "
		  "file and `xm vcpu-pin' keep a domain on some.",
	  .examples = "xm cpupool-rename Pool-0 all\tsay why it keeps its name",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "cpupool-cpu-add",
	  .run = cpupool_change_run,
	  .usage = "POOL CPUS",
	  .summary = "Give processors to a pool (not possible)",
	  .help = "It fails: there is one pool, Pool-0, with all processors. cpus in a domain's "
		  "file and `xm vcpu-pin' keep a domain on some.",
	  .examples = "xm cpupool-cpu-add Pool-0 3\tsay why it has them already",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "cpupool-cpu-remove",
	  .run = cpupool_change_run,
	  .usage = "POOL CPUS",
	  .summary = "Take processors out of a pool (not possible)",
	  .help = "It fails: there is one pool, Pool-0, with all processors. cpus in a domain's "
		  "file and `xm vcpu-pin' keep a domain on some.",
	  .examples = "xm cpupool-cpu-remove Pool-0 3\tsay what to do instead",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "cpupool-migrate",
	  .run = cpupool_migrate_run,
	  .usage = "DOMAIN POOL",
	  .summary = "Put a domain into a pool of processors",
	  .help = "Every domain is in Pool-0.",
	  .examples = "xm cpupool-migrate web1 Pool-0\twhere it is anyway",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "cpupool-numa-split",
	  .run = cpupool_change_run,
	  .usage = "",
	  .summary = "Make a pool of each node (not possible)",
	  .help = "It fails: there is one pool, Pool-0, with all processors. cpus in a domain's "
		  "file and `xm vcpu-pin' keep a domain on some.",
	  .examples = "xm cpupool-numa-split\tsay what to do instead",
	  .min_operands = 0,
	  .max_operands = 0 },
	{ .name = "dmesg",
	  .run = dmesg_run,
	  .usage = "",
	  .summary = "Print the hypervisor's messages",
	  .help = "What guests write to the hypervisor's console is not among them: `xm debug-keys "
		  "G' adds it.",
	  .examples = "xm dmesg\tprint them\nxm dmesg -c\tprint them and forget them",
	  .options = dmesg_options },
	{ .name = "guests",
	  .run = guests_run,
	  .usage = "start|stop|status",
	  .summary = "Start or end all guests with the host",
	  .help = "The service xenolith-guests runs it; xend(8) says what becomes of which guest. "
		  "start "
		  "resumes what was suspended with the host, starts managed domains with "
		  "on_xend_start, "
		  "then the files of /etc/xen/auto. In one boot of the host each is started once, "
		  "unless "
		  "stop came in between. stop suspends the guests or shuts them down. Both wait, "
		  "and "
		  "go on when xend is restarted meanwhile.",
	  .examples = "xm guests status\tshow what the last start or stop did with each guest\n"
		      "xm guests stop\tend all guests as the host's end does",
	  .options = guests_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "debug-keys",
	  .run = debug_keys_run,
	  .usage = "KEYS",
	  .summary = "Send debug keys to the hypervisor",
	  .help = "Each letter makes it print something; h lists the letters. The output is in `xm "
		  "dmesg'.",
	  .examples = "xm debug-keys h\tlist the keys",
	  .min_operands = 1,
	  .max_operands = 1 },
	{ 0 },
};
