/* SPDX-License-Identifier: MIT */
/*
 * A command of xm: one row of a table that drives dispatch, options, help, the man page and
 * completion.
 */
#ifndef XM_COMMAND_H
#define XM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses; every command returns one of them. */
enum xm_status { XM_OK = 0, XM_FAILED = 1, XM_USAGE = 2 };

/* The status with which xm exits when Ctrl-C has ended a command: 128 and the signal's number. */
enum { XM_INTERRUPTED = 130 };

/* Options without a letter. */
enum {
	XM_OPTION_JSON = 256,
	XM_OPTION_STATE,
	XM_OPTION_STRICT,
	XM_OPTION_LONG_HELP,
	XM_OPTION_NAMES,
	XM_OPTION_KEYS,
	XM_OPTION_MAN,
	XM_OPTION_PATH,
	XM_OPTION_NO_PYTHON,
	XM_OPTION_PYTHON_TIME,
	XM_OPTION_HELP_CONFIG,
	XM_OPTION_BRIEF,
	XM_OPTION_ROOT,
	XM_OPTION_NAT,
	XM_OPTION_ADDRESS,
	XM_OPTION_UNDO,
	XM_OPTION_EXAMPLE,
	XM_OPTION_CHECK,
	XM_OPTION_NO_LIVE,
	XM_OPTION_DOWNTIME,
	XM_OPTION_TIMEOUT,
	XM_OPTION_RATE,
	XM_OPTION_NO_THROTTLE,
};

enum { XM_MAX_OPTIONS = 13 };

/* One option of a command. A row whose name is NULL ends the table. */
struct xm_option {
	int id; /* its letter, or one of XM_OPTION_* */
	const char *name;
	const char *argument; /* the name of its argument in help; NULL: it takes none */
	const char *help;
};

struct xm_args;

struct xm_command {
	const char *name;
	int (*run)(const struct xm_args *args); /* returns an enum xm_status */
	const char *usage;			/* its operands, as in help */
	const char *summary;			/* one line */
	const char *help;     /* paragraphs, not wrapped, with blank lines between them */
	const char *examples; /* lines "COMMAND\tDESCRIPTION" */
	const struct xm_option *options; /* NULL: none but --help */
	int min_operands;
	int max_operands; /* -1: any number */
};

/* Commands that help shows under one title. */
struct xm_group {
	const char *title;
	const struct xm_command *commands; /* a row whose name is NULL ends the table */
};

/* All groups. A group whose title is NULL ends the table. */
extern const struct xm_group xm_groups[];

/* The tables of the groups, each in the file with its commands. */
extern const struct xm_command xm_lifecycle_commands[];
extern const struct xm_command xm_managed_commands[];
extern const struct xm_command xm_query_commands[];
extern const struct xm_command xm_resource_commands[];
extern const struct xm_command xm_host_commands[];
extern const struct xm_command xm_device_commands[];
extern const struct xm_command xm_help_commands[];

/* The arguments after a command's name. */
struct xm_args {
	const struct xm_command *command;
	/* By row of command->options. NULL: not given; "": given, and it takes no argument. */
	const char *value[XM_MAX_OPTIONS];
	char **operands;
	int count; /* number of operands */
};

enum xm_find_result { XM_FOUND, XM_FOUND_ALIAS, XM_NOT_FOUND, XM_AMBIGUOUS };

/*
 * Find a command by its name, an older name, or a unique prefix of two letters or more. *command is
 * set when it is found. If `candidates` is not NULL, it receives text for a message: the names with
 * that prefix, or names that are spelt alike.
 */
enum xm_find_result xm_find(const char *word, const struct xm_command **command, char *candidates,
			    size_t size);

/*
 * Split the arguments after a command's name into options and operands, in place. Returns XM_OK, or
 * XM_USAGE after an error message on stderr. *help is set when help was asked for.
 */
int xm_args_parse(struct xm_args *args, const struct xm_command *command, int argc, char **argv,
		  bool *help);

/* True if the option was given. */
bool xm_args_has(const struct xm_args *args, int id);

/* The argument of an option; NULL when the option was not given. */
const char *xm_args_value(const struct xm_args *args, int id);

/* Run a command with its arguments, which do not include its name. */
int xm_run(const struct xm_command *command, int argc, char **argv);

/* Put "xm NAME [options] OPERANDS" into `buffer`, and return it. */
const char *xm_usage_line(const struct xm_command *command, char *buffer, size_t size);

/* Print help for one command. */
void xm_help_command(const struct xm_command *command);

/* Print "Error: SENTENCE" and the command's usage to stderr. Returns XM_USAGE. */
int xm_usage_error(const struct xm_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print "Error: SENTENCE" to stderr. Returns XM_FAILED. */
int xm_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print "Warning: SENTENCE" to stderr. */
void xm_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
