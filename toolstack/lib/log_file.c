/* SPDX-License-Identifier: MIT */
/* A queue for each writer, and the thread that works on it. */
#include "lib/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"

/* Bytes that are kept for a file that does not take them. */
#define MAX_WAITING ((size_t)256 * 1024)
/*
 * Bytes that are kept for all files of a writer. Beyond them a file gets one piece at a time: it
 * loses some, but none is silenced by the others.
 */
#define MAX_OF_WRITER ((size_t)4 * 1024 * 1024)

struct loss {
	uint64_t lines, bytes;
};

struct piece {
	STAILQ_ENTRY(piece) link;
	struct log_file *file;
	bool last;
	size_t length;
	char bytes[];
};

struct log_file {
	struct log_file_spec spec;
	char *path;
	/* Under the writer's lock. Nothing is queued once something was refused, until all is
	 * written. */
	size_t waiting;
	struct loss refused;
	/* The thread's own. missing: before what is written next. */
	struct loss missing;
	int fd;
	size_t size;
	bool fails; /* the last time it was opened or written */
	bool stays; /* it could not be renamed */
};

struct writer {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	STAILQ_HEAD(, piece) pieces;
	size_t waiting; /* of all its files */
	bool started, busy;
};

#define WRITER(i)                                                                    \
	{                                                                            \
		.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, \
		.idle = PTHREAD_COND_INITIALIZER,                                    \
		.pieces = STAILQ_HEAD_INITIALIZER(writers[i].pieces)                 \
	}
static struct writer writers[LOG_WRITERS] = { WRITER(0), WRITER(1) };

static struct writer *writer_of(const struct log_file *file)
{
	return &writers[file->spec.writer];
}

/* --- in the thread --- */

/* Tells of it if `failed` was not set. */
static void note_failure(const struct log_file *file, bool *failed, const char *what, int errnum)
{
	if (!*failed && file->spec.failed)
		file->spec.failed(file->path, what, errnum);
	*failed = true;
}

static int open_path(const struct log_file *file)
{
	return open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		    file->spec.mode);
}

static void open_file(struct log_file *file)
{
	struct stat st;

	file->fd = open_path(file);
	if (file->fd < 0 && errno == ENOENT) {
		char *directory =
			xstrndup(file->path, (size_t)(strrchr(file->path, '/') - file->path));

		if (file_make_dirs(directory, 0755, NULL) == 0)
			file->fd = open_path(file);
		free(directory);
	}
	if (file->fd < 0)
		note_failure(file, &file->fails, "open", errno);
	else
		file->size = fstat(file->fd, &st) ? 0 : (size_t)st.st_size;
}

/* If that fails, the lines go to the old file: one that is too long is better than lost lines. */
static void turn_over(struct log_file *file)
{
	char *old = xasprintf("%s.1", file->path);

	if (rename(file->path, old)) {
		note_failure(file, &file->stays, "rename", errno);
	} else {
		file->stays = false;
		close(file->fd);
		open_file(file);
	}
	free(old);
}

static bool append(struct log_file *file, const char *bytes, size_t length)
{
	if (file->fd < 0)
		open_file(file);
	if (file->fd >= 0 && file->spec.limit && file->size &&
	    file->size + length > file->spec.limit)
		turn_over(file);
	if (file->fd < 0)
		return false;
	if (file_write_fd(file->fd, file->path, bytes, length, NULL)) {
		note_failure(file, &file->fails, "write", errno);
		return false;
	}
	file->size += length;
	file->fails = false;
	return true;
}

/* Says what is missing before the next piece. False: that does not get through either. */
static bool say_loss(struct log_file *file)
{
	struct str text = STR_INIT;
	bool said;

	if (!file->missing.lines)
		return true;
	file->spec.add_loss(&text, file->missing.lines, file->missing.bytes);
	said = append(file, str_text(&text), text.len);
	if (said)
		file->missing = (struct loss){ 0 };
	str_free(&text);
	return said;
}

static void end(struct log_file *file)
{
	if (file->fd >= 0 && file->fd != STDERR_FILENO)
		close(file->fd);
	free(file->path);
	free(file);
}

static void work_on(struct piece *piece)
{
	struct log_file *file = piece->file;
	struct writer *writer = writer_of(file);

	/* An empty piece makes the file. */
	if (!piece->length && !piece->last)
		open_file(file);
	if (piece->length && !(say_loss(file) && append(file, piece->bytes, piece->length))) {
		file->missing.lines++;
		file->missing.bytes += piece->length;
	}
	pthread_mutex_lock(&writer->lock);
	file->waiting -= sizeof(*piece) + piece->length;
	writer->waiting -= sizeof(*piece) + piece->length;
	if (!file->waiting) {
		file->missing.lines += file->refused.lines;
		file->missing.bytes += file->refused.bytes;
		file->refused = (struct loss){ 0 };
	}
	pthread_mutex_unlock(&writer->lock);
	say_loss(file);
	if (piece->last)
		end(file);
	free(piece);
}

static void *run(void *arg)
{
	struct writer *writer = arg;
	struct piece *piece;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		writer->busy = false;
		if (STAILQ_EMPTY(&writer->pieces))
			pthread_cond_broadcast(&writer->idle);
		while (STAILQ_EMPTY(&writer->pieces))
			pthread_cond_wait(&writer->work, &writer->lock);
		writer->busy = true;
		piece = STAILQ_FIRST(&writer->pieces);
		STAILQ_REMOVE_HEAD(&writer->pieces, link);
		pthread_mutex_unlock(&writer->lock);
		work_on(piece);
		pthread_mutex_lock(&writer->lock);
	}
	return NULL;
}

/* --- for everybody else --- */

/* The loop's signals are not for this thread. */
static void start(struct writer *writer)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, run, writer) == 0) {
		pthread_detach(thread);
		writer->started = true;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Under the lock. */
static void queue(struct writer *writer, struct log_file *file, const char *bytes, size_t length,
		  bool last)
{
	struct piece *piece = xmalloc(sizeof(*piece) + length);

	piece->file = file;
	piece->last = last;
	piece->length = length;
	if (length)
		memcpy(piece->bytes, bytes, length);
	file->waiting += sizeof(*piece) + length;
	writer->waiting += sizeof(*piece) + length;
	STAILQ_INSERT_TAIL(&writer->pieces, piece, link);
	if (!writer->started)
		start(writer);
	pthread_cond_signal(&writer->work);
}

static void put(struct log_file *file, const char *bytes, size_t length, bool last)
{
	struct writer *writer = writer_of(file);

	pthread_mutex_lock(&writer->lock);
	queue(writer, file, bytes, length, last);
	pthread_mutex_unlock(&writer->lock);
}

struct log_file *log_file_new(const struct log_file_spec *spec)
{
	struct log_file *file = xcalloc(1, sizeof(*file));
	struct stat st;

	file->spec = *spec;
	file->path = xstrdup(spec->path);
	file->fd = spec->fd;
	if (spec->fd >= 0 && spec->limit)
		file->size = fstat(spec->fd, &st) ? 0 : (size_t)st.st_size;
	if (spec->fd < 0)
		put(file, NULL, 0, false);
	return file;
}

/* Under the lock. */
static bool has_room(const struct writer *writer, const struct log_file *file, size_t length)
{
	size_t more = sizeof(struct piece) + length;

	return !file->waiting || (!file->refused.lines && file->waiting + more <= MAX_WAITING &&
				  writer->waiting + more <= MAX_OF_WRITER);
}

void log_file_write(struct log_file *file, const char *bytes, size_t length)
{
	struct writer *writer = writer_of(file);

	pthread_mutex_lock(&writer->lock);
	if (!has_room(writer, file, length)) {
		file->refused.lines++;
		file->refused.bytes += length;
	} else {
		queue(writer, file, bytes, length, false);
	}
	pthread_mutex_unlock(&writer->lock);
}

void log_file_close(struct log_file *file)
{
	put(file, NULL, 0, true);
}

void log_file_drain(enum log_writer which, unsigned int ms)
{
	struct writer *writer = &writers[which];
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&writer->lock);
	while (writer->started && (writer->busy || !STAILQ_EMPTY(&writer->pieces)))
		if (pthread_cond_timedwait(&writer->idle, &writer->lock, &until))
			break;
	pthread_mutex_unlock(&writer->lock);
}
