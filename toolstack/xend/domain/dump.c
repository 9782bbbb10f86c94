/* SPDX-License-Identifier: MIT */
/* Dumps a domain's core: xend opens the file, the worker writes it. */
#include "xend/domain/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "xend/domain/domain.h"
#include "xend/domain/record.h"
#include "xend/domain/worker.h"
#include "xend/runtime/files.h"
#include "xend/runtime/task.h"

char *dump_default_path(const struct domain *domain)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m%d-%H%M.%S", &tm);
	return xasprintf("%s/%s-%s.%d.core", DUMP_DIRECTORY, when, domain->name, domain->domid);
}

static int make_directory(const char *path)
{
	return file_make_dirs(path, 0700, NULL);
}

static int write_core(struct domain *domain, const char *path, struct request *asker,
		      struct error **e)
{
	struct json_object *order, *result = NULL;
	int fd, rc = files_call(make_directory, DUMP_DIRECTORY);

	if (rc)
		return error_set(e, rc, "Cannot make the directory %s: %s.", DUMP_DIRECTORY,
				 files_error_text(rc));
	rc = files_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd);
	if (rc)
		return error_set(e, rc, "Cannot write the core of domain '%s' to %s: %s.",
				 domain->name, path, files_error_text(rc));
	order = json_new_object();
	json_set_string(order, "op", "dump");
	worker_name_domain(order, domain);
	json_set_int(order, "fd", 3);
	rc = worker_run(order, fd, asker, &result, e);
	files_close(fd);
	json_object_put(result);
	json_object_put(order);
	if (rc) {
		bool before = task_shield(true);

		error_prefix(e, "The core of domain '%s' cannot be written to %s: ", domain->name,
			     path);

		files_remove(path);
		task_shield(before);
	}
	return rc;
}

/*
 * Pauses the domain for a dump, unless it is paused already. The record says so first: the next
 * xend ends this pause, and no other.
 */
static int hold(struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	if (rc || info.paused)
		return rc;
	domain->held = true;
	rc = record_write(domain, e);
	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc == 0)
		rc = hv_domain_pause(domain_hv, (uint32_t)domain->domid, e);
	if (rc)
		domain->held = false;
	return rc;
}

static void let_go(struct domain *domain)
{
	struct hv_domain_info info;

	if (!domain->held)
		return;
	if (domain_info(domain, &info, NULL) == 0)
		hv_domain_unpause(domain_hv, (uint32_t)domain->domid, NULL);
	domain->held = false;
	record_write_anyway(domain);
}

int dump_core(struct domain *domain, const char *path, bool still, struct request *asker,
	      struct error **e)
{
	int rc = still ? hold(domain, e) : 0;

	if (rc == 0)
		rc = write_core(domain, path, asker, e);
	let_go(domain);
	return rc;
}
