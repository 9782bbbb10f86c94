/* SPDX-License-Identifier: MIT */
/*
 * One loop over poll(). Whatever the program does, it ends: it may take so long, start so many
 * processes, print so much and answer so much.
 */
#include "xm/python/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"
#include "xm/command.h"
#include "xm/python/confine.h"

enum {
	MAX_OUTPUT = 64 * 1024,
	MAX_ANSWER = 2 * 1024 * 1024,
	GRACE_MS = 1000, /* for the program to say in what line its time ended */
	END_MS = 2000,	 /* until killed processes are gone */
};

struct progress {
	struct str answer;
	size_t printed;
	uint64_t processes, threads; /* started, or asked for */
	bool too_much_output;
	bool too_many_processes;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Passes on what the program prints. Returns false at the end. */
static bool read_output(struct watch *watch, struct progress *progress)
{
	char bytes[4096];
	ssize_t count = read(watch->output, bytes, sizeof(bytes));
	size_t room = MAX_OUTPUT - progress->printed;

	if (count <= 0)
		return count < 0 && errno == EINTR;
	if ((size_t)count > room)
		progress->too_much_output = true;
	else
		room = (size_t)count;
	progress->printed += fwrite(bytes, 1, room, stderr);
	return true;
}

static bool read_answer(struct watch *watch, struct progress *progress)
{
	char *room = str_reserve(&progress->answer, 4096);
	ssize_t count = read(watch->answer, room, 4096);

	if (count <= 0)
		return count < 0 && errno == EINTR;
	progress->answer.len += (size_t)count;
	room[count] = '\0';
	return progress->answer.len <= MAX_ANSWER;
}

static bool is_thread(const struct seccomp_notif *request)
{
	return request->data.nr == SCMP_SYS(clone) && request->data.args[0] & CLONE_THREAD;
}

/* What counts the processes or threads that a request would start. */
static uint64_t *counter_of(struct progress *progress, const struct seccomp_notif *request)
{
	return is_thread(request) ? &progress->threads : &progress->processes;
}

/* Whether there may be one more process or thread, which is counted. */
static bool may_start(struct progress *progress, const struct seccomp_notif *request)
{
	uint64_t most = is_thread(request) ? PYTHON_THREADS : PYTHON_PROCESSES;

	if ((*counter_of(progress, request))++ < most)
		return true;
	if (!is_thread(request))
		progress->too_many_processes = true;
	return false;
}

/*
 * A fork() waits for our answer, and a signal interrupts that wait: in a pipeline of dash, whose
 * handler of SIGCHLD has no SA_RESTART, the end of one process made the start of the next one fail
 * with EINTR. So each handler of SIGCHLD gets that flag, in the memory of the process that sets it.
 * Whoever waits for children by sigsuspend() or pause() is woken as before.
 */
static void let_calls_restart(const struct watch *watch, const struct seccomp_notif *request)
{
	struct {
		uint64_t handler, flags; /* the beginning of the kernel's struct sigaction */
	} action;
	off_t at = (off_t)request->data.args[1];
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)request->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	/* The number may be another process's by now; then the request is no longer valid. */
	if (seccomp_notify_id_valid(watch->notify, request->id) == 0 &&
	    pread(fd, &action, sizeof(action), at) == sizeof(action)) {
		action.flags |= SA_RESTART;
		if (pwrite(fd, &action, sizeof(action), at) != sizeof(action))
			errno = 0; /* it stays as it was: memory that nobody may write */
	}
	close(fd);
}

/* Lets a process start another, or refuses it. Returns false when none of them is left. */
static bool answer_notification(struct watch *watch, struct progress *progress)
{
	struct seccomp_notif *request = NULL;
	struct seccomp_notif_resp *response = NULL;
	int rc = seccomp_notify_alloc(&request, &response);

	if (rc == 0)
		rc = seccomp_notify_receive(watch->notify, request);
	if (rc == 0) {
		response->id = request->id;
		if (request->data.nr == SCMP_SYS(rt_sigaction)) {
			let_calls_restart(watch, request);
			response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		} else if (may_start(progress, request)) {
			response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		} else {
			response->error = -EAGAIN;
		}
		/* It fails if the process has ended meanwhile, or a signal lets it ask again. */
		if (seccomp_notify_respond(watch->notify, response) &&
		    request->data.nr != SCMP_SYS(rt_sigaction))
			(*counter_of(progress, request))--;
	}
	if (request)
		seccomp_notify_free(request, response);
	return rc != -ENOMEM;
}

static void close_fd(int *fd)
{
	close(*fd);
	*fd = -1;
}

int watch_hold_signals(sigset_t *before)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;
	sigset_t ends;

	sigemptyset(&ends);
	/* One that is ignored, as by nohup, stays so. */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&ends, numbers[i]);
	sigprocmask(SIG_BLOCK, &ends, before);
	return signalfd(-1, &ends, SFD_CLOEXEC);
}

int watch_begin(struct watch *watch, struct error **e)
{
	watch->signals = watch_hold_signals(&watch->mask);
	if (watch->signals >= 0)
		return 0;
	return error_set(e, errno, "Cannot wait for signals: %s.", strerror(errno));
}

/* One wait. Returns false when the process has ended, or xm shall. */
static bool step(struct watch *watch, struct progress *progress, int64_t left)
{
	enum { OUTPUT, ANSWER, NOTIFY, PROCESS, SIGNALS, COUNT };
	struct pollfd files[COUNT] = { [OUTPUT] = { watch->output, POLLIN, 0 },
				       [ANSWER] = { watch->answer, POLLIN, 0 },
				       [NOTIFY] = { watch->notify, POLLIN, 0 },
				       [PROCESS] = { watch->process, POLLIN, 0 },
				       [SIGNALS] = { watch->signals, POLLIN, 0 } };

	if (poll(files, COUNT, (int)left) <= 0)
		return true;
	if (files[NOTIFY].revents & POLLIN && !answer_notification(watch, progress))
		close_fd(&watch->notify);
	else if (files[NOTIFY].revents & ~POLLIN)
		close_fd(&watch->notify);
	if (files[OUTPUT].revents && !read_output(watch, progress))
		close_fd(&watch->output);
	if (files[ANSWER].revents && !read_answer(watch, progress))
		close_fd(&watch->answer);
	if (files[SIGNALS].revents)
		watch->interrupted = true;
	return !files[PROCESS].revents && !watch->interrupted;
}

/*
 * What the pipes still hold when the process has ended. A process that it left behind may keep them
 * open.
 */
static void drain(struct watch *watch, struct progress *progress)
{
	if (watch->output >= 0) {
		fcntl(watch->output, F_SETFL, O_NONBLOCK);
		while (read_output(watch, progress) && !progress->too_much_output)
			;
	}
	if (watch->answer >= 0) {
		fcntl(watch->answer, F_SETFL, O_NONBLOCK);
		while (read_answer(watch, progress))
			;
	}
}

static void print_warnings(const struct watch *watch, const struct progress *progress)
{
	if (progress->too_much_output)
		xm_warn("%s printed more than %d KiB; the rest is not shown.", watch->path,
			MAX_OUTPUT / 1024);
	if (progress->too_many_processes)
		xm_warn("%s tried to start more than %d processes, and was not let.", watch->path,
			PYTHON_PROCESSES);
}

/* The sentence for a process that ended without an answer. */
static int no_answer(struct watch *watch, int status, struct error **e)
{
	if (WIFSIGNALED(status))
		return error_set(
			e, EINVAL,
			"%s: running it as Python ended by signal %d (%s), without a result.",
			watch->path, WTERMSIG(status), strsignal(WTERMSIG(status)));
	return error_set(
		e, EINVAL,
		"%s: running it as Python ended with exit status %d, before the end of the "
		"file. A file that describes a domain must run to its end.",
		watch->path, WEXITSTATUS(status));
}

static int finish(struct watch *watch, struct progress *progress, struct json_object **answer,
		  struct error **e)
{
	int status = 0;

	if (progress->answer.len > MAX_ANSWER)
		return error_set(e, EFBIG, "%s: it defines more than %d MiB.", watch->path,
				 MAX_ANSWER >> 20);
	waitpid(watch->pid, &status, 0);
	watch->pid = -1;
	*answer = json_parse_object(str_text(&progress->answer), progress->answer.len, NULL);
	return *answer ? 0 : no_answer(watch, status, e);
}

int watch_run(struct watch *watch, struct json_object **answer, struct error **e)
{
	struct progress progress = { .answer = STR_INIT };
	int64_t end = now_ms() + (int64_t)watch->seconds * 1000 + GRACE_MS;
	int64_t left = end - now_ms();
	bool running = true;
	int rc;

	while (running && left > 0 && progress.answer.len <= MAX_ANSWER) {
		running = step(watch, &progress, left);
		left = end - now_ms();
	}
	if (running && left <= 0) {
		rc = error_set(e, ETIMEDOUT, "%s: it did not end within %u s, and was ended.",
			       watch->path, watch->seconds);
	} else if (watch->interrupted) {
		rc = error_set(e, EINTR, "%s: running it as Python was interrupted.", watch->path);
	} else {
		drain(watch, &progress);
		rc = finish(watch, &progress, answer, e);
	}
	fflush(stderr);
	print_warnings(watch, &progress);
	str_free(&progress.answer);
	return rc;
}

/* Sends SIGKILL to each child. Returns whether there was one. */
static bool kill_children(void)
{
	char path[64];
	bool found = false;
	FILE *list;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &pid) == 1) {
		kill(pid, SIGKILL);
		found = true;
	}
	if (list)
		fclose(list);
	return found;
}

void watch_end(struct watch *watch)
{
	struct timespec pause = { 0, 1000000 };
	int64_t end = now_ms() + END_MS;

	/* Without this descriptor nobody lets a process start another: their number only falls. */
	if (watch->notify >= 0)
		close_fd(&watch->notify);
	if (watch->pid > 0)
		kill(watch->pid, SIGKILL);
	while (kill_children() && now_ms() < end) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		nanosleep(&pause, NULL);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (watch->signals < 0)
		return;
	/* A signal that has waited ends xm here. */
	close_fd(&watch->signals);
	sigprocmask(SIG_SETMASK, &watch->mask, NULL);
}
