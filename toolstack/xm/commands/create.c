/* SPDX-License-Identifier: MIT */
/* `xm create` and `xm new`: read the file here, and send xend the result. */
#include "xm/commands/create.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "lib/str.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/commands/boot_menu.h"
#include "xm/commands/console.h"
#include "xm/commands/create_xml.h"
#include "xm/commands/domain_file.h"
#include "xm/commands/example.h"
#include "xm/commands/foreground.h"
#include "xm/python/evaluate.h"

#define PYTHON_OPTIONS                                                                            \
	{ XM_OPTION_NO_PYTHON, "no-python", NULL, "refuse a file that is a Python program" },     \
		{ XM_OPTION_PYTHON_TIME, "python-time", "SECONDS",                                \
		  "how long a Python program may take, instead of 10" },                          \
	{                                                                                         \
		XM_OPTION_HELP_CONFIG, "help_config", NULL, "show the variables of a Python file" \
	}

const struct xm_option create_options[] = {
	{ 'c', "console", NULL, "go to its console" },
	{ 'F', "foreground", NULL, "stay until it has ended" },
	{ 'p', "paused", NULL, "leave it paused" },
	{ 'n', "dryrun", NULL, "show what would be created, and create nothing" },
	{ 'x', "xmldryrun", NULL, "the same as XML, as xm of Xen 3 had it" },
	{ 'q', "quiet", NULL, "say nothing when it works" },
	{ XM_OPTION_STRICT, "strict", NULL, "refuse a file that gives warnings" },
	{ 'f', "defconfig", "FILE", "the file, if it is not the first argument" },
	{ XM_OPTION_PATH, "path", "DIRECTORIES", "where to look for it, with colons between them" },
	PYTHON_OPTIONS,
	{ XM_OPTION_EXAMPLE, "example", NULL,
	  "write the file of a first guest, which needs no disk, and create nothing" },
	{ 0 },
};

const struct xm_option new_options[] = {
	{ 'n', "dryrun", NULL, "show what would be kept, and keep nothing" },
	{ 'q', "quiet", NULL, "say nothing when it works" },
	{ XM_OPTION_STRICT, "strict", NULL, "refuse a file that gives warnings" },
	{ 'f', "defconfig", "FILE", "the file, if it is not the first argument" },
	{ XM_OPTION_PATH, "path", "DIRECTORIES", "where to look for it, with colons between them" },
	PYTHON_OPTIONS,
	{ 0 },
};

static int print_config(const struct config *config)
{
	struct sexp *sexp = config_to_sexp(config, NULL);
	struct str text = STR_INIT;

	sexp_print(sexp, &text);
	fputs(str_text(&text), stdout);
	str_free(&text);
	sexp_free(sexp);
	return XM_OK;
}

static int print_xml(const struct config *config)
{
	struct str text = STR_INIT;

	create_xml(config, &text);
	fputs(str_text(&text), stdout);
	str_free(&text);
	return XM_OK;
}

static int read_options(const struct xm_args *args, struct domain_file_options *options)
{
	const char *seconds = xm_args_value(args, XM_OPTION_PYTHON_TIME);
	uint64_t value = PYTHON_SECONDS;

	if (seconds && !str_to_u64(seconds, 10, 1, PYTHON_MAX_SECONDS, &value))
		return xm_usage_error(
			args->command,
			"--python-time needs a number of seconds from 1 to %d, not '%s'",
			PYTHON_MAX_SECONDS, seconds);
	*options = (struct domain_file_options){
		.file = xm_args_value(args, 'f'),
		.strict = xm_args_has(args, XM_OPTION_STRICT),
		.path = xm_args_value(args, XM_OPTION_PATH),
		.no_python = xm_args_has(args, XM_OPTION_NO_PYTHON),
		.help = xm_args_has(args, XM_OPTION_HELP_CONFIG),
		.seconds = (unsigned int)value,
	};
	if (!options->file && args->count == 0)
		return xm_usage_error(args->command, "%s needs a configuration file",
				      args->command->name);
	return XM_OK;
}

/*
 * Read the file; for a dry run, print the result. After that, after help and after an error,
 * *config is NULL.
 */
static int read_config(const struct xm_args *args, struct config **config)
{
	struct domain_file_options options;
	int status = read_options(args, &options);
	char *path;

	*config = NULL;
	if (status != XM_OK)
		return status;
	status = domain_file_read(args->operands, args->count, &options, config, &path);
	/* XML is for programs. */
	if (*config && path && !xm_args_has(args, 'q') && !xm_args_has(args, 'x'))
		printf("Using config file \"%s\".\n", path);
	free(path);
	if (*config && (xm_args_has(args, 'n') || xm_args_has(args, 'x'))) {
		status = xm_args_has(args, 'x') ? print_xml(*config) : print_config(*config);
		config_free(*config);
		*config = NULL;
	}
	return status;
}

static struct json_object *config_params(const struct config *config)
{
	struct json_object *params = json_new_object();

	json_set(params, XEND_P_CONFIG, config_to_json(config));
	return params;
}

/* Whether its bootloader may show a menu. */
static bool has_menu(const struct config *config)
{
	return config->bootloader && !config->kernel;
}

int create_run(const struct xm_args *args)
{
	bool console = xm_args_has(args, 'c'), paused = xm_args_has(args, 'p'), waits;
	struct json_object *params, *result;
	struct config *config;
	char *uuid = NULL;
	char id[24];
	int status;

	if (xm_args_has(args, XM_OPTION_EXAMPLE))
		return example_write(args);
	status = read_config(args, &config);
	if (!config)
		return status;
	params = config_params(config);
	/*
	 * The console comes first, so a domain that ends at once shows why. A bootloader's console
	 * is the first of all.
	 */
	waits = console && !paused && !has_menu(config);
	json_set_bool(params, XEND_P_PAUSED, waits || paused);
	result = console && has_menu(config) ?
			 boot_menu_call(XEND_M_DOMAIN_CREATE, params, config->name) :
			 xm_call(XEND_M_DOMAIN_CREATE, params, config->name);
	if (result) {
		snprintf(id, sizeof(id), "%lld", (long long)xm_int(result, XEND_D_ID, -1));
		if (!xm_args_has(args, 'q'))
			printf("Started domain %s (id=%s)\n", xm_string(result, XEND_D_NAME, "?"),
			       id);
		uuid = xstrdup(xm_string(result, XEND_D_UUID, ""));
		json_object_put(result);
		/*
		 * Attach by id: if the domain has ended meanwhile, a new one of its name is another
		 * domain.
		 */
		status = console ? boot_menu_attach(id, CONSOLE_SCROLLBACK |
								(waits ? CONSOLE_UNPAUSE : 0)) :
				   XM_OK;
		if (status == XM_OK && xm_args_has(args, 'F'))
			status = foreground_wait(uuid, config->name);
	} else {
		status = XM_FAILED;
	}
	free(uuid);
	config_free(config);
	return status;
}

int new_run(const struct xm_args *args)
{
	struct json_object *result;
	struct config *config;
	int status = read_config(args, &config);

	if (!config)
		return status;
	result = xm_call(XEND_M_DOMAIN_NEW, config_params(config), config->name);
	config_free(config);
	if (!result)
		return XM_FAILED;
	if (!xm_args_has(args, 'q'))
		printf("Domain %s is known to xend now\n", xm_string(result, XEND_D_NAME, "?"));
	json_object_put(result);
	return XM_OK;
}
