/* SPDX-License-Identifier: MIT */
/*
 * Watches a confined program: reads what it writes, and joins its terminal to the socket of its
 * console. Nothing that either end does makes this wait beyond the program's time.
 */
#include "worker/confine.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COMPLAINT_MAX 1024
/* What a terminal may show in an interval (milliseconds); beyond it the program waits. */
#define BUDGET		(64 * 1024)
#define BUDGET_INTERVAL 250

enum { PROCESS, OUT, ERR, CONSOLE, COUNT };

struct watch {
	const struct confine_spec *spec;
	struct confine_result *result;
	struct pollfd files[COUNT];
	int64_t deadline;
	int64_t interval_start;
	size_t shown; /* in this interval */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void complain(struct str *complaint, const char *bytes, size_t length)
{
	str_add_bytes(complaint, bytes, length);
	if (complaint->len > COMPLAINT_MAX)
		str_drop(complaint, complaint->len - COMPLAINT_MAX);
}

static void read_out(struct watch *watch)
{
	char chunk[4096];
	ssize_t n = read(watch->files[OUT].fd, chunk, sizeof(chunk));

	if (n <= 0) {
		/* A terminal whose program has closed it. */
		if (watch->spec->console && (n == 0 || errno == EIO))
			watch->files[OUT].fd = -1;
		return;
	}
	if (!watch->spec->console) {
		str_add_bytes(&watch->result->said, chunk, (size_t)n);
		return;
	}
	watch->shown += (size_t)n;
	complain(&watch->result->complaint, chunk, (size_t)n);
	/* xend reads; if it does not, the screen is not worth waiting for. */
	send(watch->spec->console, chunk, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void read_err(struct watch *watch)
{
	char chunk[4096];
	ssize_t n = read(watch->files[ERR].fd, chunk, sizeof(chunk));

	if (n > 0)
		complain(&watch->result->complaint, chunk, (size_t)n);
}

/* Types what somebody has typed. The terminal drops what its program does not read. */
static void read_console(struct watch *watch)
{
	unsigned int seconds = watch->spec->seconds;
	char chunk[512];
	ssize_t n = recv(watch->spec->console, chunk, sizeof(chunk), MSG_DONTWAIT), written;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			watch->files[CONSOLE].fd = -1;
		return;
	}
	written = watch->files[OUT].fd < 0 ? 0 : write(watch->files[OUT].fd, chunk, (size_t)n);
	if (seconds < CONFINE_KEY_SECONDS)
		seconds = CONFINE_KEY_SECONDS;
	if (written <= 0)
		return;
	watch->deadline = now_ms() + seconds * 1000LL;
	watch->result->key_seconds = seconds;
}

/*
 * One wait, for `left` milliseconds at most. Returns whether the program has ended, and nothing of
 * it is left to read.
 */
static bool step(struct watch *watch, int64_t now, int64_t left)
{
	struct pollfd files[COUNT];
	bool full;

	if (now - watch->interval_start >= BUDGET_INTERVAL) {
		watch->interval_start = now;
		watch->shown = 0;
	}
	full = watch->shown >= BUDGET;
	memcpy(files, watch->files, sizeof(files));
	if (full) {
		files[OUT].fd = -1;
		left = left < BUDGET_INTERVAL ? left : BUDGET_INTERVAL;
	}
	if (poll(files, COUNT, (int)left) <= 0)
		return false;
	if (files[OUT].revents & (watch->spec->console ? POLLIN | POLLHUP : POLLIN))
		read_out(watch);
	if (files[ERR].revents & POLLIN)
		read_err(watch);
	if (files[CONSOLE].revents)
		read_console(watch);
	/* poll() reports a closed pipe forever: stop watching it. */
	for (int i = OUT; i <= ERR; i++)
		if (files[i].revents && !(files[i].revents & POLLIN))
			watch->files[i].fd = -1;
	return files[PROCESS].revents && !full &&
	       !((files[OUT].revents | files[ERR].revents) & POLLIN);
}

enum confine_end confine_watch(const struct confine_spec *spec, int pid, int out, int err,
			       struct confine_result *result)
{
	int64_t now = now_ms();
	struct watch watch = { .spec = spec,
			       .result = result,
			       .files = { [PROCESS] = { pid, POLLIN, 0 },
					  [OUT] = { out, POLLIN, 0 },
					  [ERR] = { err, POLLIN, 0 },
					  [CONSOLE] = { spec->console ? spec->console : -1, POLLIN,
							0 } },
			       .deadline = now + spec->seconds * 1000LL,
			       .interval_start = now };
	bool ended = false;

	while (!ended) {
		now = now_ms();
		if (now >= watch.deadline)
			return CONFINE_TOOK_TOO_LONG;
		ended = step(&watch, now, watch.deadline - now);
		if (result->said.len > CONFINE_SAID_MAX)
			return CONFINE_SAID_TOO_MUCH;
	}
	return CONFINE_ENDED;
}
