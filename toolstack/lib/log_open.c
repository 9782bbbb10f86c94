/* SPDX-License-Identifier: MIT */
/* The log of a program in a file, which a thread writes. */
#include "lib/log_open.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/log_file.h"
#include "lib/str.h"

/* Milliseconds for the lines that are queued when the program ends. */
#define END_PATIENCE 2000

static struct log_file *in_file, *to_stderr;
/* A writer's thread, which hangs in its disk, may log something while the log is closed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void add_loss(struct str *line, uint64_t lines, uint64_t bytes)
{
	log_add_time(line);
	str_printf(line, "WARNING %llu lines are lost here: the log's disk did not take them.\n",
		   (unsigned long long)lines);
}

static void sink(bool for_stderr, const char *line, size_t length)
{
	pthread_mutex_lock(&lock);
	if (in_file)
		log_file_write(for_stderr ? to_stderr : in_file, line, length);
	pthread_mutex_unlock(&lock);
}

int log_open(const char *path, size_t limit, struct error **e)
{
	struct log_file_spec spec = { .writer = LOG_WRITER_OWN,
				      .path = path,
				      .mode = 0640,
				      .limit = limit,
				      .add_loss = add_loss };

	spec.fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, spec.mode);
	if (spec.fd < 0)
		return error_set(e, errno, "Cannot open the log file %s: %s.", path,
				 strerror(errno));
	log_close();
	pthread_mutex_lock(&lock);
	in_file = log_file_new(&spec);
	spec.fd = STDERR_FILENO;
	spec.path = "standard error";
	spec.limit = 0;
	to_stderr = log_file_new(&spec);
	pthread_mutex_unlock(&lock);
	log_set_sink(sink);
	return 0;
}

void log_drain(void)
{
	log_file_drain(LOG_WRITER_OWN, END_PATIENCE);
}

void log_close(void)
{
	if (!in_file)
		return;
	log_set_sink(NULL);
	pthread_mutex_lock(&lock);
	log_file_close(in_file);
	log_file_close(to_stderr);
	in_file = to_stderr = NULL;
	pthread_mutex_unlock(&lock);
	log_drain();
}
