/* SPDX-License-Identifier: MIT */
/*
 * xend-worker (see worker.h): reads a request, runs its operation, prints the result. All input is
 * in the request; the worker never touches xenstore.
 */
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/limits.h"

/* Bytes; a configuration has some KiB. */
#define REQUEST_MAX (1u << 20)

struct op {
	const char *name;
	worker_op_fn *fn;
};

static const struct op ops[] = {
	{ "build", op_build }, { "save", op_save },	{ "restore", op_restore },
	{ "dump", op_dump },   { "screen", op_screen }, { "resume", op_resume },
};

/* Writes a line to stdout in one write(), so that a reader never sees parts of two lines mixed. */
static void say(struct json_object *line)
{
	struct str text = STR_INIT;
	size_t done = 0;

	json_print(line, &text);
	str_add_char(&text, '\n');
	while (done < text.len) {
		ssize_t n = write(STDOUT_FILENO, text.text + done, text.len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	str_free(&text);
	json_object_put(line);
}

void worker_progress(const char *stage, uint64_t done, uint64_t total)
{
	static const char *last_stage;
	static uint64_t last_step;
	/* At most a hundred steps in a stage, and one at its start. */
	uint64_t step = total > 0 ? done * 100 / total : 0;

	if (last_stage == stage && step == last_step)
		return;
	last_stage = stage;
	last_step = step;
	worker_progress_numbers(stage, done, total, NULL);
}

void worker_progress_numbers(const char *stage, uint64_t done, uint64_t total,
			     struct json_object *numbers)
{
	struct json_object *line = json_new_object(), *progress = json_new_object();

	json_set_string(progress, "stage", stage);
	json_set_int(progress, "done", (int64_t)done);
	json_set_int(progress, "total", (int64_t)total);
	if (numbers)
		json_set(progress, "numbers", numbers);
	json_set(line, "progress", progress);
	say(line);
}

/*
 * Reads one line from stdin, without its newline. -EPIPE at the end of input, -E2BIG past `limit`.
 * Nobody else reads stdin, so what was read too far waits here for the next line.
 */
static int read_line(struct str *line, size_t limit)
{
	static char buffer[4096];
	static size_t at, end;

	for (;;) {
		const char *newline = memchr(buffer + at, '\n', end - at);
		size_t size = newline ? (size_t)(newline - (buffer + at)) : end - at;
		ssize_t n;

		if (size > limit - line->len)
			return -E2BIG;
		str_add_bytes(line, buffer + at, size);
		at += size;
		if (newline) {
			at++;
			return 0;
		}
		n = read(STDIN_FILENO, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		at = 0;
		end = (size_t)n;
	}
}

int worker_ask(const char *what, struct error **e)
{
	struct json_object *line = json_new_object();
	struct str answer = STR_INIT;
	int rc;

	json_set_string(line, "request", what);
	say(line);
	rc = read_line(&answer, 64);
	if (rc == 0 && strcmp(str_text(&answer), "done") != 0)
		rc = -ECANCELED;
	str_free(&answer);
	return rc ? error_set(e, rc, "The request to %s the domain was not fulfilled.", what) : 0;
}

/* The request: one line, or all input up to its end. */
static struct json_object *read_request(struct error **e)
{
	struct str text = STR_INIT;
	struct json_object *request = NULL;
	int rc = read_line(&text, REQUEST_MAX);

	if (rc == -E2BIG)
		error_set(e, E2BIG, "The request is longer than %u bytes.", REQUEST_MAX);
	else
		request = json_parse_object(str_text(&text), text.len, e);
	str_free(&text);
	return request;
}

static int run(struct json_object *request, struct json_object *result, struct error **e)
{
	const char *name;
	int rc = json_get_string(request, "op", &name, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			return ops[i].fn(request, result, e);
	return error_set(e, EINVAL, "There is no operation \"%s\".", name);
}

int main(void)
{
	struct json_object *line = json_new_object();
	struct json_object *result = json_new_object();
	struct json_object *request;
	struct error *e = NULL;
	int rc = -EINVAL;

	/* If xend is gone, nobody reads stdout, but the work still gets finished. */
	signal(SIGPIPE, SIG_IGN);
	limits_be_first_to_go();
	request = read_request(&e);
	if (request)
		rc = run(request, result, &e);
	if (rc == 0) {
		json_set(line, "result", json_object_get(result));
	} else {
		json_set_string(line, "error", error_text(e));
		json_set_int(line, "errno", error_errno(e));
	}
	say(line);
	json_object_put(result);
	json_object_put(request);
	error_free(&e);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
