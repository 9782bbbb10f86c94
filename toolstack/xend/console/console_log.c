/* SPDX-License-Identifier: MIT */
/*
 * The log of a domain's console. It is renamed when it would exceed the limit of xend-config.sxp. A
 * thread writes it, so that a disk that does not answer stops neither xend nor a guest.
 */
#include "xend/console/console_log.h"

#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/log_file.h"
#include "lib/str.h"
#include "xend/console/console.h"
#include "xend/runtime/settings.h"

static void add_loss(struct str *text, uint64_t pieces, uint64_t bytes)
{
	str_printf(text, "\n[xend: %llu bytes are lost here: the log's disk did not take them.]\n",
		   (unsigned long long)bytes);
}

static void failed(const char *path, const char *what, int errnum)
{
	log_error("Cannot %s the console's log %s: %s. What does not fit is lost.", what, path,
		  strerror(errnum));
}

struct log_file *console_log_open(const char *name)
{
	struct log_file_spec spec = { .writer = LOG_WRITER_CONSOLES,
				      .fd = -1,
				      .mode = 0600,
				      .limit = settings->console_limit * 1024,
				      .add_loss = add_loss,
				      .failed = failed };
	struct log_file *log;
	char *path;

	if (!settings->console_log)
		return NULL;
	path = xasprintf("%s/guest-%s.log", CONSOLE_LOG_DIRECTORY, name);
	spec.path = path;
	log = log_file_new(&spec);
	free(path);
	return log;
}
