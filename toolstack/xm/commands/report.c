/* SPDX-License-Identifier: MIT */
/* Error messages and warnings: sentences on stderr. */
#include "xm/command.h"
#include "xm/client/progress.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 0))) static void say(const char *kind, const char *format,
						      va_list words)
{
	progress_end();
	fflush(stdout);
	fputs(kind, stderr);
	vfprintf(stderr, format, words);
	fputc('\n', stderr);
}

int xm_fail(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say("Error: ", format, words);
	va_end(words);
	return XM_FAILED;
}

void xm_warn(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say("Warning: ", format, words);
	va_end(words);
}

int xm_usage_error(const struct xm_command *command, const char *format, ...)
{
	char usage[512];
	va_list words;

	va_start(words, format);
	say("Error: ", format, words);
	va_end(words);
	fprintf(stderr, "Usage: %s\n", xm_usage_line(command, usage, sizeof(usage)));
	return XM_USAGE;
}
