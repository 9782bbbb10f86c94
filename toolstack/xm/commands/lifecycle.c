/* SPDX-License-Identifier: MIT */
/* Commands that start, change and end domains. */
#include "xm/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/commands/create.h"
#include "xm/client/path.h"
#include "xm/commands/evacuate.h"
#include "xm/commands/migrate.h"
#include "xm/commands/trust.h"
#include "xm/commands/shutdown.h"
#include "xm/number.h"

/* Sends the same request for each named domain; goes on after a failure. */
static int each_domain(const struct xm_args *args, const char *method)
{
	int status = XM_OK;

	if (!xm_can_ask())
		return XM_FAILED;
	for (int i = 0; i < args->count; i++) {
		if (xm_order(method, xm_domain_params(args->operands[i]), args->operands[i]) !=
		    XM_OK)
			status = XM_FAILED;
	}
	return status;
}

static int destroy_run(const struct xm_args *args)
{
	return each_domain(args, XEND_M_DOMAIN_DESTROY);
}

static int pause_run(const struct xm_args *args)
{
	return each_domain(args, XEND_M_DOMAIN_PAUSE);
}

static int unpause_run(const struct xm_args *args)
{
	return each_domain(args, XEND_M_DOMAIN_UNPAUSE);
}

static int reset_run(const struct xm_args *args)
{
	return each_domain(args, XEND_M_DOMAIN_RESET);
}

static int save_run(const struct xm_args *args)
{
	struct json_object *params = xm_domain_params(args->operands[0]);
	char *path = path_absolute(args->operands[1]);

	if (!path) {
		json_object_put(params);
		return XM_FAILED;
	}
	json_set_string(params, XEND_P_PATH, path);
	json_set_bool(params, XEND_P_CONTINUE, xm_args_has(args, 'c'));
	free(path);
	return xm_order(XEND_M_DOMAIN_SAVE, params, args->operands[0]);
}

static int restore_run(const struct xm_args *args)
{
	struct json_object *params = json_new_object();
	char *path = path_absolute(args->operands[0]);

	if (!path) {
		json_object_put(params);
		return XM_FAILED;
	}
	json_set_string(params, XEND_P_PATH, path);
	json_set_bool(params, XEND_P_PAUSED, xm_args_has(args, 'p'));
	/* Send it only when it is set: an older xend refuses unknown parameters. */
	if (xm_args_has(args, 't'))
		json_set_bool(params, XEND_P_TRUST, true);
	free(path);
	return xm_order(XEND_M_DOMAIN_RESTORE, params, args->operands[0]);
}

static int rename_run(const struct xm_args *args)
{
	struct json_object *params = xm_domain_params(args->operands[0]);

	json_set_string(params, XEND_P_NAME, args->operands[1]);
	return xm_order(XEND_M_DOMAIN_RENAME, params, NULL);
}

static int sysrq_run(const struct xm_args *args)
{
	struct json_object *params;

	if (strlen(args->operands[1]) != 1)
		return xm_usage_error(args->command, "'%s' is not one letter or digit",
				      args->operands[1]);
	params = xm_domain_params(args->operands[0]);
	json_set_string(params, XEND_P_KEY, args->operands[1]);
	return xm_order(XEND_M_DOMAIN_SYSRQ, params, NULL);
}

static int trigger_run(const struct xm_args *args)
{
	static const char *const triggers[] = { "nmi", "reset", "init", "power", "sleep" };
	struct json_object *params;
	int64_t vcpu = 0;
	size_t i = 0;

	while (i < sizeof(triggers) / sizeof(triggers[0]) &&
	       strcasecmp(triggers[i], args->operands[1]) != 0)
		i++;
	if (i == sizeof(triggers) / sizeof(triggers[0]))
		return xm_usage_error(args->command,
				      "'%s' is not a trigger: nmi, reset, init, power or sleep",
				      args->operands[1]);
	if (args->count > 2 && !number_parse(args->operands[2], 0, INT32_MAX, &vcpu))
		return xm_usage_error(args->command, "'%s' is not the number of a virtual CPU",
				      args->operands[2]);
	params = xm_domain_params(args->operands[0]);
	json_set_string(params, XEND_P_TRIGGER, triggers[i]);
	json_set_int(params, XEND_P_VCPU, vcpu);
	return xm_order(XEND_M_DOMAIN_TRIGGER, params, NULL);
}

static int dump_core_run(const struct xm_args *args)
{
	struct json_object *params = xm_domain_params(args->operands[0]), *result;
	char *path = args->count > 1 ? path_absolute(args->operands[1]) :
				       path_for_core(args->operands[0]);

	if (!path) {
		json_object_put(params);
		return XM_FAILED;
	}
	json_set_string(params, XEND_P_PATH, path);
	json_set_bool(params, XEND_P_LIVE, xm_args_has(args, 'L'));
	json_set_bool(params, XEND_P_CRASH, xm_args_has(args, 'C'));
	free(path);
	result = xm_call(XEND_M_DOMAIN_DUMP_CORE, params, args->operands[0]);
	if (!result)
		return XM_FAILED;
	printf("The memory of domain '%s' is in %s\n", args->operands[0],
	       xm_string(result, XEND_P_PATH, "?"));
	json_object_put(result);
	return XM_OK;
}

static const struct xm_option shutdown_options[] = {
	{ 'a', "all", NULL, "all domains but Domain-0" },
	{ 'w', "wait", NULL, "until they are gone" },
	{ 'R', "reboot", NULL, "as `xm reboot'" },
	{ 'H', "halt", NULL, "as without it (accepted for older scripts)" },
	{ 0 },
};

static const struct xm_option reboot_options[] = {
	{ 'a', "all", NULL, "all domains but Domain-0" },
	{ 'w', "wait", NULL, "until they run again" },
	{ 0 },
};

static const struct xm_option save_options[] = {
	{ 'c', "checkpoint", NULL, "let the domain go on running afterwards" },
	{ 0 },
};

static const struct xm_option restore_options[] = {
	{ 'p', "paused", NULL, "leave it paused" },
	{ 't', "trust", NULL, "although this host did not save it" },
	{ 0 },
};

static const struct xm_option dump_options[] = {
	{ 'L', "live", NULL, "while it runs: the dump is not of one moment" },
	{ 'C', "crash", NULL, "and destroy the domain then" },
	{ 0 },
};

const struct xm_command xm_lifecycle_commands[] = {
	{ .name = "create",
	  .run = create_run,
	  .usage = "FILE [KEY=VALUE...]",
	  .summary = "Create a domain from a file and start it",
	  .help = "FILE is looked for as it is named and then in /etc/xen. Each KEY=VALUE takes "
		  "the place of the "
		  "file's; see "
		  "xm.cfg(5) for the keys. A file that is not plain KEY = VALUE is run as a Python "
		  "program, as you, in a process with limits; KEY=VALUE are its variables, too. "
		  "The domain is forgotten when it ends; `xm new' makes "
		  "one that stays.",
	  .examples = "xm create web1\tstart what /etc/xen/web1 describes\n"
		      "xm create -c web1\tand go to its console\n"
		      "xm create web1 memory=512 name=web1big\twith other memory and another name\n"
		      "xm create rack number=3\tfrom a Python file with a variable\n"
		      "xm create -n web1\tshow what would be created\n"
		      "xm create --example\twrite /etc/xen/example, a first guest of this host's "
		      "own kernel",
	  .options = create_options,
	  .max_operands = -1 },
	{ .name = "shutdown",
	  .run = shutdown_run,
	  .usage = "DOMAIN...",
	  .summary = "Ask domains to shut down",
	  .help = "The domain's system does it, in its own time. on_poweroff of its file says what "
		  "comes then.",
	  .examples = "xm shutdown -w web1\tshut web1 down and wait for its end\nxm shutdown -a "
		      "-w\tshut all domains down",
	  .options = shutdown_options,
	  .max_operands = -1 },
	{ .name = "reboot",
	  .run = reboot_run,
	  .usage = "DOMAIN...",
	  .summary = "Ask domains to reboot",
	  .help = "The domain's system ends in its own time, then the domain is created anew. "
		  "on_reboot of its file "
		  "may say "
		  "otherwise.",
	  .examples = "xm reboot web1\treboot web1",
	  .options = reboot_options,
	  .max_operands = -1 },
	{ .name = "destroy",
	  .run = destroy_run,
	  .usage = "DOMAIN...",
	  .summary = "End domains at once",
	  .help = "As if the power was cut: what the domain has not written is lost.",
	  .examples = "xm destroy web1\tend web1",
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "pause",
	  .run = pause_run,
	  .usage = "DOMAIN...",
	  .summary = "Stop domains where they are",
	  .examples = "xm pause web1\tstop web1, which keeps its memory",
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "unpause",
	  .run = unpause_run,
	  .usage = "DOMAIN...",
	  .summary = "Let paused domains go on",
	  .examples = "xm unpause web1\tlet web1 go on",
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "save",
	  .run = save_run,
	  .usage = "DOMAIN FILE",
	  .summary = "Save a domain to a file and end it",
	  .examples = "xm save web1 /var/lib/xen/web1.save\tsave web1\n"
		      "xm save -c web1 /backup/web1.save\tsave it and let it go on",
	  .options = save_options,
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "restore",
	  .run = restore_run,
	  .usage = "FILE",
	  .summary = "Go on with a domain from a file of `xm save'",
	  .help = "The file says which programs, kernels and disks of this host the domain uses. "
		  "One that this host "
		  "did not "
		  "save, or that was changed, is refused; the error names them. --trust has it "
		  "restored all the same.",
	  .examples = "xm restore /var/lib/xen/web1.save\tgo on with web1\n"
		      "xm restore --trust /tmp/web1.save\tgo on with web1, which came from another "
		      "host",
	  .options = restore_options,
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "migrate",
	  .run = migrate_run,
	  .usage = "DOMAIN HOST",
	  .summary = "Move a domain to another host",
	  .help = "The other host's xend must let this one in: xend-relocation-server and "
		  "xend-relocation-hosts-allow in its xend-config.sxp. Both must have the "
		  "domain's disks, under the same names, and its bridges. The other host says "
		  "first what is missing, all at once; --check stops there. "
		  "Without --ssl nothing is encrypted: use a network of your own then. With it "
		  "both hosts must know each other's certificates: xm trust. "
		  "The domain runs while its memory is sent, and what it writes meanwhile is sent "
		  "again, round by round. It stands still for a moment at the end, when the rest "
		  "is "
		  "so little that it fits into --downtime. A domain that writes faster than that "
		  "gets less and less of the processors until it does; progress and report say so. "
		  "Without --downtime up to a second is taken before the move is given up. "
		  "Ctrl-C and `xm migrate-cancel' take the move back, up to the moment at which "
		  "the "
		  "other host has everything. "
		  "A hypervisor that cannot tell what a domain writes (Debian's Xen) lets it stand "
		  "still from the start; the report says so, and with --live the domain stays "
		  "where it is.",
	  .examples = "xm migrate --check web1 host2\tcan web1 move to host2?\n"
		      "xm migrate web1 host2\tmove it\n"
		      "xm migrate --ssl web1 host2\tmove it over TLS\n"
		      "xm migrate --rate 500 --downtime 200 web1 host2\tgently",
	  .options = migrate_options,
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "evacuate",
	  .run = evacuate_run,
	  .usage = "HOST...",
	  .summary = "Move all domains of this host to others",
	  .help = "Two at a time (--at-once), while they run, to the hosts in turn. Those that "
		  "write "
		  "most to their memory come last. What one host refuses is tried at the next; the "
		  "errors say why. The exit status is 0 only if no domain is left here but "
		  "Domain-0. After Ctrl-C the moves that are under way go on; `xm migrate-cancel' "
		  "takes them back.",
	  .examples = "xm evacuate host2 host3\tbefore this host is switched off",
	  .options = evacuate_options,
	  .min_operands = 1,
	  .max_operands = -1 },
	{ .name = "migrate-cancel",
	  .run = migrate_cancel_run,
	  .usage = "DOMAIN",
	  .summary = "Take back the move of a domain that is under way",
	  .help = "The domain goes on here, and the other host forgets what it has of it. When the "
		  "other host has everything it is too late; the error says so.",
	  .examples = "xm migrate-cancel web1\tlet web1 stay here",
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "trust",
	  .run = trust_run,
	  .usage = "[HOST]",
	  .summary = "Trust another host's certificate, for `xm migrate --ssl'",
	  .help = "Shows this host's certificate and the other one's, by their fingerprints, and "
		  "trusts the other one for good after a yes. Compare them with what `xm trust "
		  "--list' shows there: who sits between the hosts could show a certificate of "
		  "its own. Both hosts must trust each other; the one that takes domains needs "
		  "xend-relocation-ssl-server in its xend-config.sxp. A host that has tried in "
		  "vain is in the list of the one that refused it, under the name by which that "
		  "one knows it. --remove ends the trust.",
	  .examples = "xm trust host2\tlook at host2's certificate, and take it\n"
		      "xm trust --list\tthis host's fingerprint, and whom it trusts\n"
		      "xm trust --remove host2\ttrust host2 no longer",
	  .options = trust_options,
	  .max_operands = 1 },
	{ .name = "migrate-keep",
	  .run = migrate_keep_run,
	  .usage = "DOMAIN",
	  .summary = "Let a domain between two hosts go on at this one",
	  .help = "A domain that was being handed over when the hosts lost each other stands still "
		  "at both, until they reach each other again. If the other host is gone for good, "
		  "this lets the domain go on here. Be certain: a domain that runs on two hosts "
		  "destroys its disks.",
	  .examples = "xm migrate-keep web1\tlet web1 go on here",
	  .min_operands = 1,
	  .max_operands = 1 },
	{ .name = "rename",
	  .run = rename_run,
	  .usage = "DOMAIN NAME",
	  .summary = "Give a domain another name",
	  .examples = "xm rename web1 web2\tcall web1 web2 from now on",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "sysrq",
	  .run = sysrq_run,
	  .usage = "DOMAIN LETTER",
	  .summary = "Send a magic system request to a domain",
	  .examples = "xm sysrq web1 t\tlet web1's kernel list its tasks on its console",
	  .min_operands = 2,
	  .max_operands = 2 },
	{ .name = "trigger",
	  .run = trigger_run,
	  .usage = "DOMAIN nmi|reset|init|power|sleep [VCPU]",
	  .summary = "Send a trigger to a domain",
	  .examples = "xm trigger web1 power\tpress its power button\nxm trigger web1 nmi 1\tsend "
		      "an NMI to its second CPU",
	  .min_operands = 2,
	  .max_operands = 3 },
	{ .name = "dump-core",
	  .run = dump_core_run,
	  .usage = "DOMAIN [FILE]",
	  .summary = "Write a domain's memory to a file",
	  .help = "Without FILE it goes to /var/lib/xen/dump. The domain is paused while it is "
		  "written, but for "
		  "--live.",
	  .examples = "xm dump-core web1\twrite it to /var/lib/xen/dump\nxm dump-core -C web1 "
		      "/tmp/core\tand end web1 then",
	  .options = dump_options,
	  .min_operands = 1,
	  .max_operands = 2 },
	{ .name = "reset",
	  .run = reset_run,
	  .usage = "DOMAIN...",
	  .summary = "Reset domains, as a button would",
	  .help = "The domain is ended at once and created again.",
	  .examples = "xm reset web1\treset web1",
	  .min_operands = 1,
	  .max_operands = -1 },
	{ 0 },
};
