/* SPDX-License-Identifier: MIT */
/* The keeper's result is one JSON object, through a pipe: an answer, or an error. */
#include "xm/python/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/str.h"
#include "xm/python/watch.h"

struct keeper {
	pid_t pid;
	int result;    /* -1: all of it is read */
	int signals;   /* a signalfd, for those that end xm */
	sigset_t mask; /* the signals that were blocked before */
	struct str text;
};

static void send_result(int fd, int rc, struct json_object *answer, const struct error *e)
{
	struct json_object *result = json_new_object();
	struct str text = STR_INIT;
	size_t done = 0;

	if (rc == 0) {
		json_set(result, "answer", answer);
	} else {
		json_set_string(result, "error", error_text(e));
		json_set_int(result, "errno", -rc);
	}
	json_print(result, &text);
	while (done < text.len) {
		ssize_t n = write(fd, text.text + done, text.len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	str_free(&text);
	json_object_put(result);
}

/* The work has its own way with signals. If xm dies, SIGTERM ends the work. */
static _Noreturn void keep(const struct keeper *keeper, keeper_work *work,
			   const struct python_file *file, int fd, pid_t parent)
{
	struct json_object *answer = NULL;
	struct error *e = NULL;
	int rc;

	sigprocmask(SIG_SETMASK, &keeper->mask, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	rc = work(file, &answer, &e);
	send_result(fd, rc, answer, e);
	fflush(NULL);
	_exit(EXIT_SUCCESS);
}

static void read_some(struct keeper *keeper)
{
	char *room = str_reserve(&keeper->text, 65536);
	ssize_t n = read(keeper->result, room, 65536);

	if (n > 0) {
		keeper->text.len += (size_t)n;
		room[n] = '\0';
	} else if (n == 0 || errno != EINTR) {
		close(keeper->result);
		keeper->result = -1;
	}
}

static void wait_for_result(struct keeper *keeper)
{
	bool told = false;

	while (keeper->result >= 0) {
		struct pollfd files[] = { { keeper->result, POLLIN, 0 },
					  { told ? -1 : keeper->signals, POLLIN, 0 } };

		if (poll(files, 2, -1) <= 0)
			continue;
		if (files[1].revents) {
			/* xm's signal stays pending, and ends xm when all is cleaned up. */
			kill(keeper->pid, SIGTERM);
			told = true;
		}
		if (files[0].revents)
			read_some(keeper);
	}
}

static int judge(struct keeper *keeper, struct json_object **answer, struct error **e)
{
	struct json_object *result =
		json_parse_object(str_text(&keeper->text), keeper->text.len, NULL);
	struct json_object *found = result ? json_find(result, "answer") : NULL;
	int64_t errnum = EIO;
	const char *text;
	int rc = 0;

	if (found) {
		*answer = json_object_get(found);
	} else if (result && json_get_string(result, "error", &text, NULL) == 0) {
		json_opt_int(result, "errno", 1, 4095, EIO, &errnum, NULL);
		rc = error_set(e, (int)errnum, "%s", text);
	} else {
		rc = error_set(e, EIO, "The process that keeps a Python program was killed.");
	}
	json_object_put(result);
	return rc;
}

int keeper_run(keeper_work *work, const struct python_file *file, struct json_object **answer,
	       struct error **e)
{
	struct keeper keeper = { .text = STR_INIT };
	pid_t parent = getpid();
	int ends[2], rc;

	*answer = NULL;
	if (pipe2(ends, O_CLOEXEC))
		return error_set(e, errno, "Cannot start a process: %s.", strerror(errno));
	fflush(NULL);
	keeper.signals = watch_hold_signals(&keeper.mask);
	keeper.result = ends[0];
	keeper.pid = fork();
	rc = keeper.pid < 0 ? error_set(e, errno, "Cannot start a process: %s.", strerror(errno)) :
			      0;
	if (!keeper.pid)
		keep(&keeper, work, file, ends[1], parent);
	close(ends[1]);
	if (rc == 0) {
		wait_for_result(&keeper);
		while (waitpid(keeper.pid, NULL, 0) < 0 && errno == EINTR)
			;
		rc = judge(&keeper, answer, e);
	} else {
		close(keeper.result);
	}
	str_free(&keeper.text);
	if (keeper.signals >= 0)
		close(keeper.signals);
	/* A signal that has waited ends xm here. */
	sigprocmask(SIG_SETMASK, &keeper.mask, NULL);
	return rc;
}
