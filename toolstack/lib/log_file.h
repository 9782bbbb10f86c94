/* SPDX-License-Identifier: MIT */
/*
 * Files to which a thread appends, so that a disk or a reader that does not answer stops nobody
 * else. The calls here never wait, except log_file_drain; any thread may make them.
 *
 * The bytes of a file stay in order. Only so many are kept for a file whose disk does not take
 * them, and for all of a writer together; what comes then is counted, and where it is missing the
 * file gets a line that says so.
 */
#ifndef LIB_LOG_FILE_H
#define LIB_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct str;

/* Each has a thread of its own: the disk of one does not stop the other. */
enum log_writer { LOG_WRITER_OWN, LOG_WRITER_CONSOLES, LOG_WRITERS };

struct log_file_spec {
	enum log_writer writer;
	const char *path; /* copied */
	int fd;		  /* the open file; -1: the thread makes the file, and its directory */
	mode_t mode;	  /* of a new file */
	/* A longer file is renamed to PATH.1, and a new one begins; 0: never. */
	size_t limit;
	/* Adds the line about `lines` lost pieces of together `bytes` bytes. */
	void (*add_loss)(struct str *text, uint64_t lines, uint64_t bytes);
	/*
	 * In the thread: an operation on the file has failed, and the last of its kind had not.
	 * NULL: nobody is told.
	 */
	void (*failed)(const char *path, const char *what, int errnum);
};

struct log_file;

struct log_file *log_file_new(const struct log_file_spec *spec);
/* Appends a line, or a piece of output. */
void log_file_write(struct log_file *file, const char *bytes, size_t length);
/* What is queued is still written. The file is closed then, but for standard error. */
void log_file_close(struct log_file *file);
/* Waits until the writer has nothing to do, for so many milliseconds at most. */
void log_file_drain(enum log_writer writer, unsigned int ms);

#endif
