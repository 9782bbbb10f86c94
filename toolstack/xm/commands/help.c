/* SPDX-License-Identifier: MIT */
/*
 * `xm help` in the forms for people, the man page and completion, all from the tables of commands.
 */
#include "xm/command.h"
#include "xm/commands/help.h"
#include "xm/commands/only_xl.h"

#include <stdio.h>
#include <string.h>

#define WIDTH	    78
#define NAME_COLUMN 18

/* The commands that `xm help` shows without --long. */
static const char *const common[] = { "console",  "create",   "destroy",      "help",
				      "info",	  "list",     "mem-set",      "new",
				      "pause",	  "reboot",   "restore",      "save",
				      "shutdown", "start",    "top",	      "unpause",
				      "uptime",	  "vcpu-set", "block-attach", "network-list" };

const char *xm_usage_line(const struct xm_command *command, char *buffer, size_t size)
{
	snprintf(buffer, size, "xm %s%s%s%s", command->name, command->options ? " [OPTIONS]" : "",
		 command->usage[0] ? " " : "", command->usage);
	return buffer;
}

/* Print text wrapped at WIDTH, each line after `indent` blanks; a newline in the text is kept. */
static void print_wrapped(const char *text, int indent)
{
	int column = 0;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column && column + 1 + (int)word > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (word) {
			column += column ? printf(" %.*s", (int)word, text) :
					   printf("%*s%.*s", indent, "", (int)word, text);
			text += word;
		}
		if (*text == '\n') {
			putchar('\n');
			column = 0;
		}
		if (*text)
			text++;
	}
	putchar('\n');
}

static void option_words(const struct xm_option *option, char *buffer, size_t size)
{
	char letter[8] = "    ";

	if (option->id < 256)
		snprintf(letter, sizeof(letter), "-%c, ", option->id);
	snprintf(buffer, size, "%s--%s%s%s", letter, option->name, option->argument ? "=" : "",
		 option->argument ? option->argument : "");
}

/* Calls print for each line of examples: the command, a tab, its description. */
static void each_example(const char *examples, void (*print)(const char *, int, const char *, int))
{
	while (examples && *examples) {
		size_t line = strcspn(examples, "\n");
		size_t words = strcspn(examples, "\t\n");

		print(examples, (int)words, examples + words + (words < line),
		      (int)(line - words - (words < line)));
		examples += line + (examples[line] == '\n');
	}
}

static void print_example(const char *command, int length, const char *text, int text_length)
{
	printf("  # %.*s\n      %.*s\n", text_length, text, length, command);
}

void xm_help_command(const struct xm_command *command)
{
	char text[512];

	printf("Usage: %s\n\n", xm_usage_line(command, text, sizeof(text)));
	print_wrapped(command->summary, 0);
	if (command->help) {
		putchar('\n');
		print_wrapped(command->help, 0);
	}
	if (command->options) {
		printf("\nOptions:\n");
		for (const struct xm_option *option = command->options; option->name; option++) {
			option_words(option, text, sizeof(text));
			printf("  %-26s %s\n", text, option->help);
		}
	}
	if (command->examples) {
		printf("\nExamples:\n");
		each_example(command->examples, print_example);
	}
}

static void print_summary(const struct xm_command *command)
{
	printf("  %-*s %s\n", NAME_COLUMN, command->name, command->summary);
}

void help_short(FILE *out)
{
	const struct xm_command *command;

	fprintf(out, "Usage: xm COMMAND [OPTIONS] [ARGUMENTS]\n\nManages the domains of this host. "
		     "Common commands:\n\n");
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		if (xm_find(common[i], &command, NULL, 0) == XM_FOUND)
			fprintf(out, "  %-*s %s\n", NAME_COLUMN, command->name, command->summary);
	}
	fprintf(out, "\nA DOMAIN is named by its name, its ID or its UUID. A command may be cut "
		     "short as long as no other\n"
		     "begins so. `xm help --long' shows all commands, `xm help COMMAND' one of "
		     "them with examples.\n");
}

bool help_only_xl(const char *word)
{
	const char *why = only_xl(word);

	if (why)
		xm_fail("there is no command '%s': %s", word, why);
	return why != NULL;
}

static void help_long(void)
{
	printf("Usage: xm COMMAND [OPTIONS] [ARGUMENTS]\n");
	for (const struct xm_group *group = xm_groups; group->title; group++) {
		printf("\n%s:\n", group->title);
		for (const struct xm_command *command = group->commands; command->name; command++)
			print_summary(command);
	}
	printf("\nOlder names (balloon, maxmem, set-vcpus, vif-list, vbd-create and others) still "
	       "work, with a "
	       "warning.\n"
	       "`xm help COMMAND' explains one command; see xm(1), xm.cfg(5) and xend(8), too.\n");
}

static void help_names(void)
{
	for (const struct xm_group *group = xm_groups; group->title; group++) {
		for (const struct xm_command *command = group->commands; command->name; command++) {
			printf("%s", command->name);
			for (const struct xm_option *o = command->options; o && o->name; o++)
				printf(" --%s%s", o->name, o->argument ? "=" : "");
			putchar('\n');
		}
	}
}

static int help_run(const struct xm_args *args)
{
	const char *man = xm_args_value(args, XM_OPTION_MAN);
	const struct xm_command *command;
	char candidates[512];

	if (xm_args_has(args, XM_OPTION_NAMES)) {
		help_names();
	} else if (xm_args_has(args, XM_OPTION_KEYS)) {
		help_print_keys();
	} else if (man) {
		if (!help_man(man))
			return xm_usage_error(args->command,
					      "'%s' is not one of commands, keys, settings", man);
	} else if (args->count && help_only_xl(args->operands[0])) {
		return XM_USAGE;
	} else if (args->count) {
		switch (xm_find(args->operands[0], &command, candidates, sizeof(candidates))) {
		case XM_FOUND:
		case XM_FOUND_ALIAS:
			xm_help_command(command);
			break;
		case XM_AMBIGUOUS:
			return xm_usage_error(args->command, "'%s' may be any of: %s",
					      args->operands[0], candidates);
		case XM_NOT_FOUND:
			return xm_usage_error(args->command, "there is no command '%s'",
					      args->operands[0]);
		}
	} else if (xm_args_has(args, XM_OPTION_LONG_HELP)) {
		help_long();
	} else {
		help_short(stdout);
	}
	return XM_OK;
}

static const struct xm_option help_options[] = {
	{ XM_OPTION_LONG_HELP, "long", NULL, "show all commands" },
	{ XM_OPTION_NAMES, "names", NULL,
	  "print the names and options of all commands, for scripts" },
	{ XM_OPTION_KEYS, "keys", NULL, "print the keys of a domain's file, for scripts" },
	{ XM_OPTION_MAN, "man", "PART",
	  "print a part of the manual in mdoc: commands, keys (of a domain) or settings (of "
	  "xend)" },
	{ 0 },
};

const struct xm_command xm_help_commands[] = {
	{ .name = "help",
	  .run = help_run,
	  .usage = "[COMMAND]",
	  .summary = "Explain xm, or one of its commands",
	  .examples = "xm help create\texplain how to create a domain\nxm help --long\tlist every "
		      "command",
	  .options = help_options,
	  .max_operands = 1 },
	{ 0 },
};
