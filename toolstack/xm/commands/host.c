/* SPDX-License-Identifier: MIT */
/* Commands about the host and its hypervisor. */
#include "xm/command.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/commands/guests.h"
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

static int info_run(const struct xm_args *args)
{
	struct json_object *answer = xm_call(XEND_M_HOST_INFO, NULL, NULL);

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

static const struct xm_option info_options[] = {
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
