/* SPDX-License-Identifier: MIT */
/*
 * The log of a domain's console: appends to the file, and renames it when it would exceed the limit
 * of xend-config.sxp.
 */
#include "xend/console/console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/runtime/settings.h"

static void open_file(struct console_log *log)
{
	struct stat st;

	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0) {
		log_error("Cannot write the console's log %s: %s.", log->path, strerror(errno));
		return;
	}
	log->size = fstat(log->fd, &st) ? 0 : (size_t)st.st_size;
}

void console_log_open(struct console_log *log, const char *name)
{
	struct error *e = NULL;

	log->fd = -1;
	log->path = NULL;
	if (!settings->console_log)
		return;
	if (file_make_dirs(CONSOLE_LOG_DIRECTORY, 0755, &e)) {
		log_error("%s", error_text(e));
		error_free(&e);
		return;
	}
	log->path = xasprintf("%s/guest-%s.log", CONSOLE_LOG_DIRECTORY, name);
	open_file(log);
}

static void turn_over(struct console_log *log)
{
	char *old = xasprintf("%s.1", log->path);

	close(log->fd);
	log->fd = -1;
	if (rename(log->path, old))
		log_error("Cannot rename the console's log %s: %s.", log->path, strerror(errno));
	else
		open_file(log);
	free(old);
}

void console_log_write(struct console_log *log, const char *bytes, size_t length)
{
	if (log->fd < 0)
		return;
	if (log->size + length > settings->console_limit * 1024)
		turn_over(log);
	if (log->fd < 0)
		return;
	if (write(log->fd, bytes, length) != (ssize_t)length) {
		log_error("The console's log %s is not written any more: %s.", log->path,
			  strerror(errno));
		close(log->fd);
		log->fd = -1;
		return;
	}
	log->size += length;
}

void console_log_close(struct console_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	free(log->path);
	log->path = NULL;
}
