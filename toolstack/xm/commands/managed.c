/* SPDX-License-Identifier: MIT */
/* Commands for managed domains: xend keeps their configuration while they do not run. */
#include "xm/command.h"

#include <stdio.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/commands/boot_menu.h"
#include "xm/commands/console.h"
#include "xm/commands/create.h"

static int start_run(const struct xm_args *args)
{
	struct json_object *params = xm_domain_params(args->operands[0]), *result;

	json_set_bool(params, XEND_P_PAUSED, xm_args_has(args, 'p'));
	if (!xm_args_has(args, 'c'))
		return xm_order(XEND_M_DOMAIN_START, params, args->operands[0]);
	result = boot_menu_call(XEND_M_DOMAIN_START, params, args->operands[0]);
	if (!result)
		return XM_FAILED;
	json_object_put(result);
	return boot_menu_attach(args->operands[0], CONSOLE_SCROLLBACK);
}

static int suspend_run(const struct xm_args *args)
{
	return xm_order(XEND_M_DOMAIN_SUSPEND, xm_domain_params(args->operands[0]),
			args->operands[0]);
}

static int resume_run(const struct xm_args *args)
{
	struct json_object *params = xm_domain_params(args->operands[0]);

	json_set_bool(params, XEND_P_PAUSED, xm_args_has(args, 'p'));
	return xm_order(XEND_M_DOMAIN_RESUME, params, args->operands[0]);
}

static int delete_run(const struct xm_args *args)
{
	int status = XM_OK;

	if (!xm_can_ask())
		return XM_FAILED;
	for (int i = 0; i < args->count; i++) {
		struct json_object *params = xm_domain_params(args->operands[i]);

		/* Send it only when it is set: an older xend refuses unknown parameters. */
		if (xm_args_has(args, 'f'))
			json_set_bool(params, XEND_P_FORCE, true);
		if (xm_order(XEND_M_DOMAIN_DELETE, params, NULL) != XM_OK)
			status = XM_FAILED;
	}
	return status;
}

static const struct xm_option start_options[] = {
	{ 'c', "console", NULL, "go to its console" },
	{ 'p', "paused", NULL, "leave it paused" },
	{ 0 },
};

static const struct xm_option resume_options[] = {
	{ 'p', "paused", NULL, "leave it paused" },
	{ 0 },
};

static const struct xm_option delete_options[] = {
	{ 'f', "force", NULL, "even if it is suspended: its saved memory is lost" },
	{ 0 },
};

const struct xm_command xm_managed_commands[] = {
	{ .name = "new",
	  .run = new_run,
	  .usage = "FILE [KEY=VALUE...]",
	  .summary = "Make a domain known to xend without starting it",
	  .help = "xend keeps what the file says: the file is not read again. A managed domain is "
		  "listed when it does "
		  "not run, "
		  "too, until it is deleted.",
	  .examples = "xm new web1\tlet xend keep what /etc/xen/web1 describes\nxm start web1\tand "
		      "start it",
	  .options = new_options,
	  .max_operands = -1 },
	{ .name = "start",
	  .run = start_run,
	  .usage = "DOMAIN",
	  .summary = "Start a managed domain",
	  .examples = "xm start web1\tstart web1\nxm start -c web1\tand go to its console",
	  .options = start_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "suspend",
	  .run = suspend_run,
	  .usage = "DOMAIN",
	  .summary = "Save a managed domain to xend's own files and end it",
	  .examples = "xm suspend web1\tput web1 to sleep; `xm resume web1' goes on",
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "resume",
	  .run = resume_run,
	  .usage = "DOMAIN",
	  .summary = "Go on with a domain that was suspended",
	  .examples = "xm resume web1\tgo on with web1",
	  .options = resume_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "delete",
	  .run = delete_run,
	  .usage = "DOMAIN...",
	  .summary = "Let xend forget a managed domain that does not run",
	  .help = "The memory of a suspended domain is lost with it, so xend forgets such a domain "
		  "only with --force. `xm list --state=suspended' shows them.",
	  .examples = "xm delete web1\tforget web1; its disks stay",
	  .options = delete_options,
	  .min_operands = 1,
	  .max_operands = -1 },
	{ 0 },
};
