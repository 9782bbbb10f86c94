/* SPDX-License-Identifier: MIT */
/* xm's command line: names, older names, prefixes, options, operands. */
/* links: toolstack/xm/command.c toolstack/xm/args.c toolstack/lib/str.c toolstack/lib/alloc.c */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"
#include "xm/command.h"

static char said[512];

/* Keeps xm's message for the test. */
int xm_usage_error(const struct xm_command *command, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	vsnprintf(said, sizeof(said), format, words);
	va_end(words);
	return XM_USAGE;
}

static const struct xm_option options[] = {
	{ 'l', "long", NULL, "" },
	{ 'n', "lines", "N", "" },
	{ XM_OPTION_STATE, "state", "STATE", "" },
	{ 0 },
};

const struct xm_command xm_lifecycle_commands[] = {
	{ .name = "pause" }, { .name = "save" }, { .name = "start" }, { 0 }
};
const struct xm_command xm_managed_commands[] = { { 0 } };
const struct xm_command xm_query_commands[] = {
	{ .name = "list", .options = options, .min_operands = 1, .max_operands = 2 },
	{ .name = "log", .max_operands = -1 },
	{ 0 },
};
const struct xm_command xm_resource_commands[] = { { .name = "mem-set" },
						   { .name = "mem-max" },
						   { 0 } };
const struct xm_command xm_host_commands[] = { { 0 } };
const struct xm_command xm_device_commands[] = { { .name = "network-list" }, { 0 } };
const struct xm_command xm_help_commands[] = { { .name = "help" }, { 0 } };

static const char *found(const char *word, enum xm_find_result expected)
{
	const struct xm_command *command;

	assert_int_equal(xm_find(word, &command, said, sizeof(said)), expected);
	return command ? command->name : NULL;
}

static void test_names_are_found(void **state)
{
	assert_string_equal(found("list", XM_FOUND), "list");
	assert_string_equal(found("mem-set", XM_FOUND), "mem-set");
	assert_string_equal(found("help", XM_FOUND), "help");
	assert_null(found("lists", XM_NOT_FOUND));
	assert_null(found("", XM_NOT_FOUND));
}

static void test_prefixes_of_two_letters_are_enough_if_unique(void **state)
{
	assert_string_equal(found("li", XM_FOUND), "list");
	assert_string_equal(found("mem-s", XM_FOUND), "mem-set");
	assert_null(found("mem", XM_AMBIGUOUS));
	assert_string_equal(said, "mem-set, mem-max");
	assert_null(found("l", XM_NOT_FOUND));
	/* Unique, but one letter. */
	assert_null(found("h", XM_NOT_FOUND));
}

static void test_older_names(void **state)
{
	assert_string_equal(found("balloon", XM_FOUND_ALIAS), "mem-set");
	assert_string_equal(found("maxmem", XM_FOUND_ALIAS), "mem-max");
	assert_string_equal(found("vif-list", XM_FOUND_ALIAS), "network-list");
	assert_null(found("vif", XM_NOT_FOUND));
}

static int parse(struct xm_args *args, bool *help, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	said[0] = '\0';
	return xm_args_parse(args, &xm_query_commands[0], argc, argv, help);
}

#define PARSE(...) parse(&args, &help, (char *[]){ "list", __VA_ARGS__, NULL })

static void test_options_and_operands_in_any_order(void **state)
{
	struct xm_args args;
	bool help;

	assert_int_equal(PARSE("a", "-ln", "5", "--state=x", "b"), XM_OK);
	assert_true(xm_args_has(&args, 'l'));
	assert_string_equal(xm_args_value(&args, 'n'), "5");
	assert_string_equal(xm_args_value(&args, XM_OPTION_STATE), "x");
	assert_int_equal(args.count, 2);
	assert_string_equal(args.operands[0], "a");
	assert_string_equal(args.operands[1], "b");
	assert_false(help);
	assert_int_equal(PARSE("a"), XM_OK);
	assert_false(xm_args_has(&args, 'l'));
	assert_null(xm_args_value(&args, 'n'));
	assert_false(xm_args_has(&args, 'z'));
}

static void test_after_two_dashes_all_is_operand(void **state)
{
	struct xm_args args;
	bool help;

	assert_int_equal(PARSE("--", "-l", "--help"), XM_OK);
	assert_int_equal(args.count, 2);
	assert_string_equal(args.operands[0], "-l");
}

static void test_help_is_an_option_of_every_command(void **state)
{
	struct xm_args args;
	bool help;

	assert_int_equal(PARSE("--help"), XM_OK);
	assert_true(help);
	assert_int_equal(PARSE("-h", "a", "b", "c"), XM_OK);
	assert_true(help);
}

static void test_wrong_options_are_named(void **state)
{
	struct xm_args args;
	bool help;

	assert_int_equal(PARSE("a", "-z"), XM_USAGE);
	assert_string_equal(said, "unknown option -z");
	assert_int_equal(PARSE("a", "-lz"), XM_USAGE);
	assert_string_equal(said, "unknown option -z");
	assert_int_equal(PARSE("a", "--wrong=1"), XM_USAGE);
	assert_string_equal(said, "unknown option --wrong=1");
	assert_int_equal(PARSE("a", "-n"), XM_USAGE);
	assert_string_equal(said, "option -n needs a value");
	assert_int_equal(PARSE("a", "--state"), XM_USAGE);
	assert_string_equal(said, "option --state needs a value");
	assert_int_equal(PARSE("a", "--long=1"), XM_USAGE);
	assert_string_equal(said, "unknown option --long=1");
}

static void test_operands_are_counted(void **state)
{
	struct xm_args args;
	bool help;

	assert_int_equal(PARSE("-l"), XM_USAGE);
	assert_string_equal(said, "list needs at least 1 argument, 0 given");
	assert_int_equal(PARSE("a", "b", "c"), XM_USAGE);
	assert_string_equal(said, "list takes at most 2 arguments, 3 given");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_found),
		cmocka_unit_test(test_prefixes_of_two_letters_are_enough_if_unique),
		cmocka_unit_test(test_older_names),
		cmocka_unit_test(test_options_and_operands_in_any_order),
		cmocka_unit_test(test_after_two_dashes_all_is_operand),
		cmocka_unit_test(test_help_is_an_option_of_every_command),
		cmocka_unit_test(test_wrong_options_are_named),
		cmocka_unit_test(test_operands_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
