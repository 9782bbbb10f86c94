/* SPDX-License-Identifier: MIT */
/* One job for a thread at a time per record; those whose callers gave up are waited for. */
#include "xend/domain/record_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "xend/domain/record.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"

/* Milliseconds for the disk to answer. */
#define PATIENCE 30000

struct job {
	TAILQ_ENTRY(job) link;
	char *directory;
	struct str text; /* empty: the record is removed */
	struct error *e;
};

static struct {
	TAILQ_HEAD(, job) jobs; /* a thread works on them */
	struct cond changed;
} files = { TAILQ_HEAD_INITIALIZER(files.jobs), { TAILQ_HEAD_INITIALIZER(files.changed.waiters) } };

/* --- in the thread --- */

static void write_record(struct job *job)
{
	char *path = xasprintf("%s/config.json", job->directory);

	if (file_make_dirs(job->directory, 0700, &job->e) == 0)
		file_write_atomic(path, job->text.text, job->text.len, 0600, &job->e);
	free(path);
}

static void remove_record(struct job *job)
{
	char *path = xasprintf("%s/config.json", job->directory);
	char *image = xasprintf("%s/memory.save", job->directory);

	/* Remove the image first: without the record nobody would know whose it is. */
	if (file_remove(image, &job->e) == 0 && file_remove(path, &job->e) == 0 &&
	    (access(job->directory, F_OK) || file_sync_directory_of(path, &job->e) == 0) &&
	    rmdir(job->directory) && errno != ENOENT && errno != ENOTEMPTY)
		error_set(&job->e, errno, "Cannot remove the directory %s: %s.", job->directory,
			  strerror(errno));
	free(image);
	free(path);
}

static void work(void *arg)
{
	struct job *job = arg;

	if (job->text.len)
		write_record(job);
	else
		remove_record(job);
}

/* --- in the loop --- */

static void job_end(void *arg)
{
	struct job *job = arg;

	TAILQ_REMOVE(&files.jobs, job, link);
	cond_wake(&files.changed);
	error_free(&job->e);
	str_free(&job->text);
	free(job->directory);
	free(job);
}

static bool is_busy(const char *directory)
{
	struct job *job;

	TAILQ_FOREACH(job, &files.jobs, link)
		if (strcmp(job->directory, directory) == 0)
			return true;
	return false;
}

static int say_why(const char *directory, int rc, struct error **e)
{
	if (rc == -ETIMEDOUT)
		return error_set(e, ETIMEDOUT,
				 "Cannot change the record in %s: its disk does not answer within "
				 "%d s.",
				 directory, PATIENCE / 1000);
	return error_set(e, rc, "Cannot change the record in %s: no thread can be had.", directory);
}

/* `text` NULL: the record is removed. */
static int change(const char *uuid, const struct str *text, struct error **e)
{
	char *directory = xasprintf("%s/%s", RECORD_DIRECTORY, uuid);
	uint64_t deadline = task_deadline(PATIENCE);
	bool before = task_shield(true);
	struct job *job;
	int rc = 0;

	while (rc == 0 && is_busy(directory))
		rc = cond_wait(&files.changed, deadline);
	if (rc == 0) {
		job = xcalloc(1, sizeof(*job));
		job->directory = xstrdup(directory);
		if (text)
			str_add_bytes(&job->text, text->text, text->len);
		TAILQ_INSERT_TAIL(&files.jobs, job, link);
		rc = offload(work, job_end, job, deadline);
		if (rc == 0) {
			rc = -error_errno(job->e);
			error_move(e, &job->e);
			job_end(job);
		} else {
			say_why(directory, rc, e);
		}
	} else {
		say_why(directory, rc, e);
	}
	task_shield(before);
	free(directory);
	return rc;
}

int record_file_write(const char *uuid, const struct str *text, struct error **e)
{
	return change(uuid, text, e);
}

int record_file_remove(const char *uuid, struct error **e)
{
	return change(uuid, NULL, e);
}
