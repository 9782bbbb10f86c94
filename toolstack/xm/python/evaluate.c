/* SPDX-License-Identifier: MIT */
/*
 * Starts the interpreter and hands it the program and the file. Both are in memory, so that there
 * is no temporary file that another could replace.
 */
#include "xm/python/evaluate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "xm/python/confine.h"
#include "xm/python/keeper.h"
#include "xm/python/program.h"
#include "xm/python/watch.h"

#define INTERPRETER "/usr/bin/python3"

static const char *interpreter(void)
{
	const char *other = getenv("XM_PYTHON");

	return other && *other ? other : INTERPRETER;
}

/* The first line says what to do; the file follows. */
static void print_request(const struct python_file *file, struct str *out)
{
	struct json_object *request = json_new_object(), *words = json_new_array();

	for (size_t i = 0; i < file->nr_words; i++)
		json_append(words, json_new_string(file->words[i]));
	json_set_string(request, "path", file->path);
	json_set(request, "words", words);
	json_set_bool(request, "help", file->help);
	json_set_int(request, "seconds", file->seconds);
	json_set_int(request, "memory", PYTHON_MEMORY_MIB);
	json_set_int(request, "processes", PYTHON_PROCESSES);
	json_print(request, out);
	json_object_put(request);
	str_add_char(out, '\n');
	str_add_bytes(out, str_text(file->text), file->text->len);
}

/* A file without a name, which holds the bytes. Returns its descriptor. */
static int memory_file(const char *name, const void *bytes, size_t len, struct error **e)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return error_set(e, errno, "Cannot make a file in memory: %s.", strerror(errno));
	rc = file_write_fd(fd, name, bytes, len, e);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = error_set(e, errno, "Cannot rewind a file in memory: %s.", strerror(errno));
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_files(const struct confine_files *files)
{
	close_if_open(files->input);
	close_if_open(files->output);
	close_if_open(files->request);
	close_if_open(files->answer);
	close_if_open(files->program);
	close_if_open(files->control);
}

/* The two ends of each channel: the child's, and ours. */
static int open_channels(struct confine_files *child, struct watch *watch, int *control,
			 struct error **e)
{
	int output[2], answer[2], sockets[2];

	if (pipe2(output, O_CLOEXEC))
		goto failed;
	child->output = output[1];
	watch->output = output[0];
	if (pipe2(answer, O_CLOEXEC))
		goto failed;
	child->answer = answer[1];
	watch->answer = answer[0];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		goto failed;
	child->control = sockets[1];
	*control = sockets[0];
	child->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (child->input >= 0)
		return 0;
failed:
	return error_set(e, errno, "Cannot open the files of a Python process: %s.",
			 strerror(errno));
}

static int open_files(const struct python_file *file, struct confine_files *child,
		      struct watch *watch, int *control, struct error **e)
{
	struct str request = STR_INIT;
	int rc = open_channels(child, watch, control, e);

	if (rc)
		return rc;
	child->program = memory_file("xm-evaluate.py", python_program, strlen(python_program), e);
	print_request(file, &request);
	if (child->program >= 0)
		child->request = memory_file("xm-request", request.text, request.len, e);
	str_free(&request);
	return child->program < 0 ? child->program : child->request < 0 ? child->request : 0;
}

static int start(const struct python_file *file, struct confine_files *child, struct watch *watch,
		 int control, struct error **e)
{
	const char *step;
	pid_t parent = getpid();
	int rc;

	/* Processes that the program leaves behind become children of this one, which ends them. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return error_set(e, errno, "Cannot become the parent of orphans: %s.",
				 strerror(errno));
	watch->pid = fork();
	if (watch->pid < 0)
		return error_set(e, errno, "Cannot start a Python process: %s.", strerror(errno));
	if (!watch->pid)
		confine_exec(interpreter(), child, file->seconds, parent, &watch->mask);
	close_files(child);
	*child = (struct confine_files){ -1, -1, -1, -1, -1, -1 };
	watch->notify = confine_receive(control, &step);
	if (watch->notify >= 0) {
		watch->process = (int)syscall(SYS_pidfd_open, watch->pid, 0);
		if (watch->process >= 0)
			return 0;
		return error_set(e, errno, "Cannot watch a Python process: %s.", strerror(errno));
	}
	rc = watch->notify;
	if (rc == -ENOENT)
		return error_set(
			e, rc,
			"%s is a Python program (it is not plain KEY = VALUE), and there is "
			"no %s to run it: apt-get install python3 installs it.",
			file->path, interpreter());
	return error_set(e, rc,
			 "%s is a Python program, and %s is not run, because xm failed %s: %s.",
			 file->path, interpreter(), step, strerror(-rc));
}

/* In the keeper's process. */
static int run(const struct python_file *file, struct json_object **answer, struct error **e)
{
	struct confine_files child = { -1, -1, -1, -1, -1, -1 };
	struct watch watch = { .path = file->path,
			       .seconds = file->seconds,
			       .pid = -1,
			       .output = -1,
			       .answer = -1,
			       .notify = -1,
			       .process = -1,
			       .signals = -1 };
	int control = -1;
	int rc = open_files(file, &child, &watch, &control, e);

	*answer = NULL;
	if (rc == 0)
		rc = watch_begin(&watch, e);
	if (rc == 0)
		rc = start(file, &child, &watch, control, e);
	if (rc == 0)
		rc = watch_run(&watch, answer, e);
	watch_end(&watch);
	close_files(&child);
	close_if_open(control);
	close_if_open(watch.output);
	close_if_open(watch.answer);
	close_if_open(watch.process);
	return rc;
}

int python_evaluate(const struct python_file *file, struct json_object **answer, struct error **e)
{
	return keeper_run(run, file, answer, e);
}
