/* SPDX-License-Identifier: MIT */
/* One line of progress that is overwritten in place. */
#include "xm/client/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

static bool shown;

/* Percent, without overflow and never above 100, whatever was received. */
static unsigned int percent(uint64_t done, uint64_t total)
{
	if (done >= total)
		return 100;
	return (unsigned int)((double)done / (double)total * 100);
}

void progress_show(const char *what, const char *stage, uint64_t done, uint64_t total)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (strcmp(stage, "recovery") == 0)
		stage = "waiting for xend, which first takes back what was left half done,";
	fprintf(stderr, ERASE_LINE "%s: %s", what, stage);
	if (total)
		fprintf(stderr, " %u%%", percent(done, total));
	fflush(stderr);
	shown = true;
}

void progress_end(void)
{
	if (shown)
		fputs(ERASE_LINE, stderr);
	fflush(stderr);
	shown = false;
}
