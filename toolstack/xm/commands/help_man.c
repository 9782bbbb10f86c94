/* SPDX-License-Identifier: MIT */
/*
 * The parts of the manual pages that come from the tables, in mdoc: commands of xm(1), keys of
 * xm.cfg(5), settings of xend-config.sxp(5).
 */
#include "xm/commands/help.h"

#include <ctype.h>
#include <string.h>

#include "config/schema.h"
#include "config/xend_config.h"
#include "xm/command.h"

/*
 * Prints text with macros and escapes made harmless. As mdoc wants it, each sentence begins a new
 * line; so does each newline of the text.
 */
static void print_roff(const char *text, size_t length)
{
	bool begins = true;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (begins && (c == '.' || c == '\''))
			fputs("\\&", stdout);
		if (c == '\\')
			fputs("\\e", stdout);
		else if (c == '-')
			fputs("\\-", stdout);
		else if (c == ' ' && i > 0 && text[i - 1] == '.')
			putchar(c = '\n');
		else
			putchar(c);
		begins = c == '\n';
	}
}

static void print_line(const char *macro, const char *text)
{
	fputs(macro, stdout);
	print_roff(text, strlen(text));
	putchar('\n');
}

static void man_option(const struct xm_option *option)
{
	if (option->id < 256)
		printf(".It Fl %c , Fl -%s", option->id, option->name);
	else
		printf(".It Fl -%s", option->name);
	if (option->argument)
		printf(" Ns = Ns Ar %s", option->argument);
	print_line("\n", option->help);
}

static void man_examples(const char *examples)
{
	printf(".Pp\nExamples:\n.Bd -literal -compact -offset indent\n");
	while (*examples) {
		size_t line = strcspn(examples, "\n"), command = strcspn(examples, "\t\n");

		print_roff(examples, command);
		putchar('\n');
		examples += line + (examples[line] == '\n');
	}
	printf(".Ed\n");
}

static void man_command(const struct xm_command *command)
{
	printf(".It Xo\n.Cm ");
	print_roff(command->name, strlen(command->name));
	printf("%s\n", command->options ? "\n.Op Ar options" : "");
	if (*command->usage)
		print_line(".No ", command->usage);
	printf(".Xc\n");
	print_roff(command->summary, strlen(command->summary));
	printf(".\n");
	if (command->help)
		print_line("", command->help);
	if (command->options) {
		printf(".Bl -tag -width Ds\n");
		for (const struct xm_option *option = command->options; option->name; option++)
			man_option(option);
		printf(".El\n");
	}
	if (command->examples)
		man_examples(command->examples);
}

static void man_commands(void)
{
	for (const struct xm_group *group = xm_groups; group->title; group++) {
		printf(".Ss %s\n.Bl -tag -width Ds\n", group->title);
		for (const struct xm_command *command = group->commands; command->name; command++)
			man_command(command);
		printf(".El\n");
	}
}

static void print_default(const struct config_key *key)
{
	if (key->flags & KEY_REQUIRED)
		printf("It must be given.\n");
	else if (key->fallback && *key->fallback)
		print_line("Default: ", key->fallback);
}

static void print_values(const struct config_key *key)
{
	switch (key->kind) {
	case KEY_UINT:
	case KEY_MIB:
		printf("A number from %llu to %llu%s%s.\n", (unsigned long long)key->min,
		       (unsigned long long)key->max, key->unit ? " " : "",
		       key->unit ? key->unit : "");
		break;
	case KEY_BOOL:
		/* In xend's settings, booleans are words. */
		printf(key->fallback && isalpha((unsigned char)*key->fallback) ? "yes or no.\n" :
										 "0 or 1.\n");
		break;
	case KEY_WORD:
		printf("One of");
		for (size_t i = 0; key->words[i]; i++)
			printf("%s\n.Cm %s", i ? " ," : "", key->words[i]);
		printf(" .\n");
		break;
	case KEY_TEXTS:
		printf("A string, or a list of strings.\n");
		break;
	case KEY_RECORDS:
		printf("A list.\n");
		break;
	case KEY_TEXT:
		break;
	}
}

static void man_keys(const struct config_schema *schema)
{
	printf(".Bl -tag -width Ds\n");
	for (size_t i = 0; i < schema->nr; i++) {
		const struct config_key *key = &schema->keys[i];

		printf(".It Va %s\n", key->name);
		print_line("", key->doc);
		print_values(key);
		print_default(key);
	}
	printf(".El\n");
}

/* Lists the known keys that have no effect here; a file may contain them. */
static void man_foreign(const struct config_schema *schema)
{
	printf(".Bl -tag -width Ds\n");
	for (const struct config_foreign *foreign = schema->foreign; foreign && foreign->names;
	     foreign++) {
		print_line(".It ", foreign->names);
		printf("%s: ", foreign->kind == FOREIGN_REFUSED ? "An error" : "A warning");
		print_line("", foreign->why);
	}
	printf(".El\n");
}

static void man_domain(void)
{
	printf(".Ss The domain\n");
	man_keys(&config_domain_schema);
	printf(".Ss A disk\n");
	man_keys(&config_disk_schema);
	printf(".Ss A network card\n");
	man_keys(&config_vif_schema);
	printf(".Ss A screen\n");
	man_keys(&config_vfb_schema);
	printf(".Ss Keys that are known and not supported\n");
	man_foreign(&config_domain_schema);
}

static void man_settings(void)
{
	man_keys(&xend_config_schema);
	printf(".Ss Keys that are known and not supported\n");
	man_foreign(&xend_config_schema);
}

bool help_man(const char *part)
{
	if (strcmp(part, "commands") == 0)
		man_commands();
	else if (strcmp(part, "keys") == 0)
		man_domain();
	else if (strcmp(part, "settings") == 0)
		man_settings();
	else
		return false;
	return true;
}

void help_print_keys(void)
{
	for (size_t i = 0; i < config_domain_schema.nr; i++)
		puts(config_domain_schema.keys[i].name);
}
