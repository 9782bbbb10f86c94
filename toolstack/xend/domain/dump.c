/* SPDX-License-Identifier: MIT */
/* Dumps a domain's core: xend opens the file, the worker writes it. */
#include "xend/domain/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "xend/domain/domain.h"
#include "xend/domain/worker.h"

char *dump_default_path(const struct domain *domain)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m%d-%H%M.%S", &tm);
	return xasprintf("%s/%s-%s.%d.core", DUMP_DIRECTORY, when, domain->name, domain->domid);
}

int dump_core(struct domain *domain, const char *path, struct request *asker, struct error **e)
{
	struct json_object *order, *result = NULL;
	int fd, rc = file_make_dirs(DUMP_DIRECTORY, 0700, e);

	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(e, errno, "Cannot write the core of domain '%s' to %s: %s.",
				 domain->name, path, strerror(errno));
	order = json_new_object();
	json_set_string(order, "op", "dump");
	worker_name_domain(order, domain);
	json_set_int(order, "fd", 3);
	rc = worker_run(order, fd, asker, &result, e);
	if (rc)
		unlink(path);
	close(fd);
	json_object_put(result);
	json_object_put(order);
	return rc;
}
