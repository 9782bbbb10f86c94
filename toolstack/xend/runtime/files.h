/* SPDX-License-Identifier: MIT */
/*
 * Calls on files that a user names, or whose file system may not answer. Each runs in a thread
 * (offload.h), so that a FIFO, a dead file server or a slow disk makes its own task wait and nobody
 * else.
 *
 * Call these functions in a task; elsewhere they run at once. Each returns 0 or -errno: -ETIMEDOUT
 * after FILES_PATIENCE, and -ECANCELED.
 */
#ifndef XEND_RUNTIME_FILES_H
#define XEND_RUNTIME_FILES_H

#include <stddef.h>
#include <sys/types.h>

/* Milliseconds for a file system to answer. */
#define FILES_PATIENCE 30000

/* Runs call(path), which returns 0 or -errno, in the thread. */
int files_call(int (*call)(const char *path), const char *path);
/*
 * As open(2), for a file or a block device. -EINVAL: it is something else, such as a FIFO, whose
 * other end nobody may ever open.
 */
int files_open(const char *path, int flags, mode_t mode, int *fd);
int files_remove(const char *path);
/* Whether a program can be run: 0, or why not. Reads its first bytes, as execve() does. */
int files_check_program(const char *path);
/*
 * files_write writes all bytes. files_sync syncs the file and its name. It waits without limit,
 * because a large file takes its time; a cancelled task gives up.
 */
int files_write(int fd, const void *data, size_t length);
int files_sync(int fd, const char *path);
/*
 * Closes in a thread, for which nobody waits: close() flushes a file of a file server, and the last
 * close of a loop device waits for its file. Works outside tasks, too.
 */
void files_close(int fd);
/* What a person reads for the result of one of these calls. */
const char *files_error_text(int rc);

#endif
