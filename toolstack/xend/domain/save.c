/* SPDX-License-Identifier: MIT */
/*
 * Saves and restores domains. A save suspends the guest, then writes the file. Until the record
 * says otherwise the file counts as partial, and every failure lets the guest run on.
 */
#include "xend/domain/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/sched.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/freeze.h"
#include "xend/domain/layout.h"
#include "xend/domain/measure.h"
#include "xend/domain/record.h"
#include "xend/runtime/files.h"
#include "xend/runtime/offload.h"
#include "xend/domain/save_header.h"
#include "xend/runtime/store.h"
#include "xend/domain/worker.h"

/*
 * Beside a file that is replaced: the new one, as long as it is not complete. Its name has the
 * domain's UUID, because two domains may be saved to one path at the same time.
 */
#define DRAFT_SUFFIX ".part"

#define PAGES_PER_MIB 256

/* A member beside the configuration's. */
#define SUSPEND_CANCEL "suspend_cancel"

/* --- the file --- */

static int refuse_path(const char *path, int rc, struct error **e)
{
	return error_set(e, rc, "Cannot save to %s: %s.%s", path, files_error_text(rc),
			 rc == -EEXIST ? " Remove it first." : "");
}

/* 0: nothing is there. -EEXIST: a saved domain, which is replaced. -EPERM: something else. */
static int look_at(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return S_ISREG(st.st_mode) && save_header_is_saved(path) ? -EEXIST : -EPERM;
	return errno == ENOENT ? 0 : -errno;
}

static int remove_if_saved(const char *path)
{
	if (!save_header_begins(path))
		return 0;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/*
 * Where the domain is written to: to the path itself or, if a saved domain is there, beside it,
 * until the new one is complete. *file is to be freed.
 */
static int choose_file(const struct domain *domain, const char *path, char **file, struct error **e)
{
	char uuid[UUID_TEXT];
	int rc;

	*file = NULL;
	if (path[0] != '/')
		return error_set(e, EINVAL, "The path '%s' does not begin with '/'.", path);
	rc = files_call(look_at, path);
	if (rc == -EPERM)
		return error_set(e, EEXIST,
				 "Cannot save to %s: it is there already, and is not the file of a "
				 "saved domain. Remove it, or take another name.",
				 path);
	if (rc && rc != -EEXIST)
		return refuse_path(path, rc, e);
	if (!rc) {
		*file = xstrdup(path);
		return 0;
	}
	uuid_to_text(domain->uuid, uuid);
	*file = xasprintf("%s.%s%s", path, uuid, DRAFT_SUFFIX);
	/* A xend that was killed may have left a draft of this domain. */
	return files_call(remove_if_saved, *file);
}

/* The complete draft takes the file's place. */
static int rename_draft(const char *draft)
{
	const size_t tail = sizeof(".") - 1 + UUID_TEXT - 1 + sizeof(DRAFT_SUFFIX) - 1;
	char *path = xstrndup(draft, strlen(draft) - tail);
	int rc = rename(draft, path) ? -errno : 0;

	free(path);
	return rc;
}

static int create_file(const char *path, int *fd, struct error **e)
{
	/* A thread that goes on after a cancelled wait would leave the file behind. */
	bool before = task_shield(true);
	int rc = files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, fd);

	task_shield(before);
	return rc ? refuse_path(path, rc, e) : 0;
}

static int write_memory(struct domain *domain, int fd, const char *path, struct request *asker,
			struct error **e)
{
	struct hv_domain_info info;
	struct json_object *order = json_new_object(), *result = NULL;
	int rc;

	json_set_string(order, "op", "save");
	worker_name_domain(order, domain);
	json_set_int(order, "fd", 3);
	rc = worker_run(order, fd, asker, &result, e);
	json_object_put(result);
	json_object_put(order);
	if (rc)
		error_prefix(e, "Domain '%s' (%llu MiB) cannot be saved to %s: ", domain->name,
			     (unsigned long long)(domain_info(domain, &info, NULL) ?
							  config_maxmem(domain->config) :
							  info.pages / PAGES_PER_MIB),
			     path);
	return rc;
}

/* Writes the present configuration: memory and vCPUs may have changed since the start. */
static int write_header(struct domain *domain, int fd, const char *path, struct error **e)
{
	struct json_object *config;
	struct str header = STR_INIT;
	struct domain_size size;
	int rc = measure_domain(domain, &size, e);

	if (rc)
		return rc;
	config = domain_size_put(&size, domain->config);
	json_set_bool(config, SUSPEND_CANCEL, !domain->resumes_afresh);
	rc = save_header_make(config, path, &header, e);
	json_object_put(config);
	if (rc == 0) {
		rc = files_write(fd, header.text, header.len);
		if (rc)
			refuse_path(path, rc, e);
	}
	str_free(&header);
	return rc;
}

/* Writes `file`, and has it take the place of `path` if that is another one. */
static int write_file(struct domain *domain, int fd, const char *file, const char *path,
		      struct request *asker, struct error **e)
{
	int rc = write_header(domain, fd, path, e);
	bool before;

	if (rc == 0)
		rc = write_memory(domain, fd, path, asker, e);
	if (rc)
		return rc;
	/* The last step that can fail because the disk is full. */
	rc = files_sync(fd, file);
	if (rc == 0 && strcmp(file, path) != 0) {
		/* A thread that goes on after a cancelled wait would still replace the old file. */
		before = task_shield(true);
		rc = files_call(rename_draft, file);
		if (rc == 0)
			rc = files_sync(fd, path);
		task_shield(before);
	}
	return rc ? refuse_path(path, rc, e) : 0;
}

void save_remove_partial(struct domain *domain)
{
	bool before = task_shield(true);
	int rc = domain->saving_to ? files_call(remove_if_saved, domain->saving_to) : 0;

	task_shield(before);
	if (rc)
		log_error("Domain %s: the partial file %s cannot be removed: %s.", domain->name,
			  domain->saving_to, files_error_text(rc));
	else if (domain->saving_to)
		log_info("Domain %s: the partial file %s is removed.", domain->name,
			 domain->saving_to);
	free(domain->saving_to);
	domain->saving_to = NULL;
}

void save_take_back(struct domain *domain)
{
	struct error *e = NULL;

	save_remove_partial(domain);
	domain->goal = GOAL_REST;
	if (freeze_end(domain, &e))
		log_error("Domain %s: %s", domain->name, error_text(e));
	else
		log_info("Domain %s runs on; it was not saved.", domain->name);
	error_free(&e);
	record_write_anyway(domain);
}

/*
 * The file is complete. Let the domain run before its record says so: xend leaves a domain alone
 * whose record says "running", even if it stands still. If xend is killed in between, the next one
 * undoes the save; no client has been told of the file yet.
 */
static int keep_file_and_go_on(struct domain *domain, const char *file, const char *path,
			       struct error **e)
{
	struct error *why = NULL;
	int rc = freeze_end(domain, &why);

	free(domain->saving_to);
	domain->saving_to = NULL;
	if (rc) {
		/* The file is all that is left of the domain; keep it. */
		record_write_anyway(domain);
		error_prefix(&why,
			     "Domain '%s' is saved to %s, but does not run on: ", domain->name,
			     path);
		error_move(e, &why);
		return rc;
	}
	rc = record_write(domain, e);
	if (rc) {
		/*
		 * The record still calls the file partial, so the next xend would remove it. Remove
		 * it now, and say so.
		 */
		error_prefix(e, "Domain '%s' runs on, but is not saved: ", domain->name);
		domain->saving_to = xstrdup(file);
		save_take_back(domain);
	}
	return rc;
}

/* The file is complete. From here on nobody can cancel the save. */
static int end_save(struct domain *domain, const char *file, const char *path,
		    enum save_after after, struct error **e)
{
	int rc;

	if (after == SAVE_THEN_GO_ON)
		return keep_file_and_go_on(domain, file, path, e);
	/* Recovery must not remove the file any more. */
	free(domain->saving_to);
	domain->saving_to = NULL;
	/*
	 * Until the record says so, recovery counts the file as partial, and the domain must not
	 * go.
	 */
	domain_set_state(domain, DOMAIN_DYING);
	rc = record_write(domain, e);
	if (rc) {
		domain->saving_to = xstrdup(file);
		save_take_back(domain);
		return rc;
	}
	return domain_tear_down(domain, e);
}

/* Saves it, with the choice of its file made: rc says whether that worked. */
static int save_to(struct domain *domain, const char *file, const char *path, int rc,
		   enum save_after after, struct request *asker, struct error **e)
{
	bool before;
	int fd = -1;

	if (rc == 0) {
		/* Write the record first, so that the next xend removes a partial file. */
		domain_set_state(domain, DOMAIN_SAVING);
		free(domain->saving_to);
		domain->saving_to = xstrdup(file);
		rc = record_write(domain, e);
		if (rc == 0)
			rc = create_file(file, &fd, e);
	}
	if (rc) {
		free(domain->saving_to);
		domain->saving_to = NULL;
		domain->goal = GOAL_REST;
		domain_set_state(domain, DOMAIN_RUNNING);
		record_write_anyway(domain);
		return rc;
	}
	rc = freeze_domain(domain, e);
	if (rc == 0)
		rc = write_file(domain, fd, file, path, asker, e);
	files_close(fd);
	if (rc) {
		save_take_back(domain);
		return rc;
	}
	before = task_shield(true);
	rc = end_save(domain, file, path, after, e);
	task_shield(before);
	return rc;
}

int domain_save(struct domain *domain, const char *path, enum save_after after,
		struct request *asker, struct error **e)
{
	char *file = NULL;
	int rc = layout_check_known(domain, e);

	if (rc == 0)
		rc = freeze_check(domain, e);
	if (rc == 0)
		rc = choose_file(domain, path, &file, e);
	rc = save_to(domain, file, path, rc, after, asker, e);
	free(file);
	return rc;
}

/* What a thread reads of a saved domain. */
struct opening {
	char *path;
	int fd;
	struct json_object *saved;
	bool ours;
	struct error *e;
};

static void opening_run(void *arg)
{
	struct opening *opening = arg;

	opening->fd = save_header_open(opening->path, &opening->saved, &opening->ours, &opening->e);
}

static void opening_free(void *arg)
{
	struct opening *opening = arg;

	files_close(opening->fd);
	json_object_put(opening->saved);
	error_free(&opening->e);
	free(opening->path);
	free(opening);
}

int save_open(const char *path, struct saved *saved, struct error **e)
{
	struct opening *opening = xcalloc(1, sizeof(*opening));
	bool cancels = true;
	int rc;

	*saved = (struct saved){ .fd = -1 };

	opening->path = xstrdup(path);
	opening->fd = -1;
	rc = offload(opening_run, opening_free, opening, task_deadline(FILES_PATIENCE));
	if (rc)
		return error_set(e, rc, "Cannot open the saved domain %s: %s.", path,
				 files_error_text(rc));
	rc = error_move(e, &opening->e);
	/* Files of before do not say it; their kernels were always let run on that way. */
	if (rc == 0)
		rc = json_opt_bool(opening->saved, SUSPEND_CANCEL, true, &cancels, e);
	if (rc == 0) {
		json_object_object_del(opening->saved, SUSPEND_CANCEL);
		saved->config = domain_size_take(opening->saved, &saved->size, e);
		rc = saved->config ? 0 : -EBADMSG;
	}
	if (rc == 0) {
		saved->fd = opening->fd;
		saved->ours = opening->ours;
		saved->resumes_afresh = !cancels;
		opening->fd = -1;
	}
	opening_free(opening);
	return rc;
}
