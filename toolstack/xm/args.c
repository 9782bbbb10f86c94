/* SPDX-License-Identifier: MIT */
/* Splits an argument list into options and operands, by getopt_long() and the command's table. */
#include "xm/command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Room for getopt's letters: a colon may follow each option. */
#define LETTERS (2 * XM_MAX_OPTIONS + 4)

static int option_row(const struct xm_command *command, int id)
{
	for (int i = 0; command->options && command->options[i].name; i++) {
		if (command->options[i].id == id)
			return i;
	}
	return -1;
}

/* Describes a table of options in getopt's two forms: a string of letters, and a table of names. */
static void describe(const struct xm_option *options, char *letters, struct option *names)
{
	int count = 0;

	*letters++ = ':';
	*letters++ = 'h';
	for (; options && options[count].name; count++) {
		const struct xm_option *option = &options[count];

		names[count] = (struct option){ option->name,
						option->argument ? required_argument : no_argument,
						NULL, option->id };
		if (option->id < 256) {
			*letters++ = (char)option->id;
			if (option->argument)
				*letters++ = ':';
		}
	}
	names[count++] = (struct option){ "help", no_argument, NULL, 'h' };
	names[count] = (struct option){ 0 };
	*letters = '\0';
}

/* Reports what getopt refused. `word` is the argument at which it stopped. */
static int bad_option(const struct xm_command *command, int problem, const char *word)
{
	if (problem == ':')
		return xm_usage_error(command, "option %s needs a value", word);
	if (strncmp(word, "--", 2) == 0)
		return xm_usage_error(command, "unknown option %s", word);
	return xm_usage_error(command, "unknown option -%c", optopt);
}

int xm_args_parse(struct xm_args *args, const struct xm_command *command, int argc, char **argv,
		  bool *help)
{
	struct option names[XM_MAX_OPTIONS + 2];
	char letters[LETTERS];
	int id;

	*args = (struct xm_args){ .command = command };
	*help = false;
	describe(command->options, letters, names);
	opterr = 0;
	optind = 0; /* glibc: start again */
	while ((id = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		int row = option_row(command, id);

		/* A command may have an -h of its own. */
		if (row >= 0) {
			args->value[row] = optarg ? optarg : "";
		} else if (id == 'h') {
			*help = true;
			return XM_OK;
		} else {
			return bad_option(command, id, argv[optind - 1]);
		}
	}
	args->operands = argv + optind;
	args->count = argc - optind;
	if (args->count < command->min_operands)
		return xm_usage_error(command, "%s needs %s%d argument%s, %d given", command->name,
				      command->max_operands == command->min_operands ? "" :
										       "at least ",
				      command->min_operands, command->min_operands == 1 ? "" : "s",
				      args->count);
	if (command->max_operands >= 0 && args->count > command->max_operands)
		return xm_usage_error(command, "%s takes %s%d argument%s, %d given", command->name,
				      command->max_operands == command->min_operands ? "" :
										       "at most ",
				      command->max_operands, command->max_operands == 1 ? "" : "s",
				      args->count);
	return XM_OK;
}

const char *xm_args_value(const struct xm_args *args, int id)
{
	int row = option_row(args->command, id);

	return row < 0 ? NULL : args->value[row];
}

bool xm_args_has(const struct xm_args *args, int id)
{
	return xm_args_value(args, id) != NULL;
}
