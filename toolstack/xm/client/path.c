/* SPDX-License-Identifier: MIT */
/* Makes the paths of a command absolute. */
#include "xm/client/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "xm/command.h"

#define CORE_DIRECTORY "/var/lib/xen/dump"

char *path_absolute(const char *path)
{
	char *directory, *whole;

	if (*path == '/')
		return xstrdup(path);
	directory = getcwd(NULL, 0);
	if (!directory) {
		xm_fail("The current directory is not known, so '%s' must be named with its whole "
			"path: %s.",
			path, strerror(errno));
		return NULL;
	}
	whole = xasprintf("%s%s%s", directory, strcmp(directory, "/") == 0 ? "" : "/", path);
	free(directory);
	return whole;
}

char *path_for_core(const char *domain)
{
	time_t now = time(NULL);
	struct tm local;
	char when[32];

	localtime_r(&now, &local);
	strftime(when, sizeof(when), "%Y-%m%d-%H%M.%S", &local);
	return xasprintf(CORE_DIRECTORY "/%s-%s.core", when, domain);
}
