/* SPDX-License-Identifier: MIT */
/* xm: finds the command by its name and runs it. */
#include "xm/command.h"
#include "xm/commands/help.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int xm_run(const struct xm_command *command, int argc, char **argv)
{
	struct xm_args args;
	bool help;
	int status = xm_args_parse(&args, command, argc, argv, &help);

	if (status != XM_OK)
		return status;
	if (help) {
		xm_help_command(command);
		return XM_OK;
	}
	return command->run(&args);
}

/* Fails too when output could not be written (a full disk, a closed pipe). */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return status == XM_OK ? xm_fail("the output could not be written") : status;
}

static int usage(void)
{
	fputc('\n', stderr);
	help_short(stderr);
	return XM_USAGE;
}

int main(int argc, char **argv)
{
	const struct xm_command *command;
	char candidates[512];
	const char *word = argc > 1 ? argv[1] : NULL;

	signal(SIGPIPE, SIG_IGN);
	if (!word) {
		help_short(stderr);
		return XM_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		word = "help";
	if (help_only_xl(word))
		return XM_USAGE;
	switch (xm_find(word, &command, candidates, sizeof(candidates))) {
	case XM_FOUND_ALIAS:
		xm_warn("'%s' is an older name of '%s'; please use that.", word, command->name);
		break;
	case XM_FOUND:
		break;
	case XM_AMBIGUOUS:
		xm_fail("'%s' may be any of: %s", word, candidates);
		return XM_USAGE;
	case XM_NOT_FOUND:
		if (!candidates[0]) {
			xm_fail("there is no command '%s'.", word);
			return usage();
		}
		xm_fail("there is no command '%s'; did you mean %s?", word, candidates);
		return XM_USAGE;
	}
	return finish(xm_run(command, argc - 1, argv + 1));
}
