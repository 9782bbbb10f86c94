/* SPDX-License-Identifier: MIT */
/*
 * One worker process per job: the order goes in as a line of JSON, progress and the result come
 * back as lines.
 */
#include "xend/domain/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/log.h"
#include "lib/str.h"
#include "xend/domain/domain.h"
#include "xend/runtime/proc.h"
#include "xend/runtime/request.h"
#include "xend/runtime/task.h"

/* Milliseconds for a worker to undo its work after SIGTERM. */
#define TERM_PATIENCE 5000

/* The most bytes of the name of a request. */
#define REQUEST_MAX 32

struct conversation {
	struct request *asker;
	struct proc *proc;
	char wanted[REQUEST_MAX]; /* what it asks for; empty: nothing */
	struct json_object *last; /* the latest line that is no progress: the result or the error */
};

static void pass_progress(const struct conversation *talk, struct json_object *progress)
{
	struct json_object *numbers = NULL;
	const char *stage;
	int64_t done, total;

	if (talk->asker && json_object_is_type(progress, json_type_object) &&
	    json_get_string(progress, "stage", &stage, NULL) == 0 &&
	    json_opt_int(progress, "done", 0, INT64_MAX, 0, &done, NULL) == 0 &&
	    json_opt_int(progress, "total", 0, INT64_MAX, 0, &total, NULL) == 0 &&
	    json_opt_typed(progress, "numbers", json_type_object, &numbers, NULL) == 0)
		request_progress_numbers(talk->asker, stage, (uint64_t)done, (uint64_t)total,
					 numbers);
}

static void on_line(void *arg, char *line)
{
	struct conversation *talk = arg;
	struct json_object *o = json_parse_object(line, strlen(line), NULL), *progress;
	const char *wanted;

	if (!o) {
		log_warning("The worker said what xend does not understand: %.200s", line);
		return;
	}
	progress = json_find(o, "progress");
	if (progress) {
		pass_progress(talk, progress);
		json_object_put(o);
		return;
	}
	if (json_get_string(o, "request", &wanted, NULL) == 0) {
		snprintf(talk->wanted, sizeof(talk->wanted), "%s", wanted);
		proc_interrupt_wait(talk->proc);
		json_object_put(o);
		return;
	}
	json_object_put(talk->last);
	talk->last = o;
}

static int judge(struct conversation *talk, int status, struct json_object **result,
		 struct error **e)
{
	struct json_object *found = talk->last ? json_find(talk->last, "result") : NULL;
	const char *sentence;
	int64_t errnum;

	if (found && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		*result = json_object_get(found);
		return 0;
	}
	if (talk->last && json_get_string(talk->last, "error", &sentence, NULL) == 0) {
		if (json_opt_int(talk->last, "errno", 1, 4095, ENOEXEC, &errnum, NULL))
			errnum = ENOEXEC;
		/* Only these errnos mean the same to a client as to the worker. */
		if (errnum != ENOMEM && errnum != ECANCELED && errnum != ETIMEDOUT &&
		    errnum != EOPNOTSUPP)
			errnum = ENOEXEC;
		return error_set(e, (int)errnum, "%s", sentence);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return error_set(e, ENOMEM,
				 "The worker was killed. If Domain-0 ran out of memory, its "
				 "kernel's log says so: give "
				 "it more.");
	return error_set(e, ENOEXEC, "The worker %s ended with %s %d and said nothing.",
			 WORKER_PATH, WIFEXITED(status) ? "status" : "signal",
			 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

void worker_name_domain(struct json_object *order, const struct domain *domain)
{
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	json_set_int(order, "domid", domain->domid);
	json_set_string(order, "uuid", uuid);
}

/* Waits for its end, and helps meanwhile. -EINTR: `help` failed, and *e says why. */
static int wait_and_help(struct conversation *talk, worker_help_fn *help, void *arg, int *status,
			 struct error **e)
{
	for (;;) {
		int rc = proc_wait(talk->proc, TASK_FOREVER, status);

		if (rc != -EINTR)
			return rc;
		rc = help ? help(arg, talk->wanted, e) :
			    error_set(e, EPROTO, "The worker asks for '%s'.", talk->wanted);
		if (rc)
			return -EINTR;
		proc_send(talk->proc, "done\n", 5);
	}
}

static void stop(struct proc *proc)
{
	bool before = task_shield(true);
	int status;

	proc_kill(proc, SIGTERM);
	while (proc_wait(proc, task_deadline(TERM_PATIENCE), &status) == -EINTR)
		;
	task_shield(before);
}

int worker_run_with_help(struct json_object *order, int fd, struct request *asker,
			 worker_help_fn *help, void *arg, struct json_object **result,
			 struct error **e)
{
	const char *path = getenv(WORKER_PATH_ENV);
	const char *argv[] = { path ? path : WORKER_PATH, NULL };
	struct conversation talk = { .asker = asker };
	struct proc_spec spec = { .argv = argv, .fd = fd, .on_line = on_line, .arg = &talk };
	struct str text = STR_INIT;
	int status, rc = proc_start(&spec, &talk.proc, e);

	if (rc)
		return rc;
	json_print(order, &text);
	str_add_char(&text, '\n');
	proc_send(talk.proc, text.text, text.len);
	if (!help)
		proc_end_input(talk.proc);
	str_free(&text);
	rc = wait_and_help(&talk, help, arg, &status, e);
	if (rc == -EINTR) {
		stop(talk.proc);
		rc = e && *e ? -error_errno(*e) : -EIO;
	} else if (rc) {
		stop(talk.proc);
		error_set(e, rc, "The work was cancelled.");
	} else {
		rc = judge(&talk, status, result, e);
	}
	proc_free(talk.proc);
	json_object_put(talk.last);
	return rc;
}

int worker_run(struct json_object *order, int fd, struct request *asker,
	       struct json_object **result, struct error **e)
{
	return worker_run_with_help(order, fd, asker, NULL, NULL, result, e);
}
