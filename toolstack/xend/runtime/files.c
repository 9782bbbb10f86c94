/* SPDX-License-Identifier: MIT */
/* One order for all calls: what the thread does, on which path or descriptor, with which result. */
#include "xend/runtime/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/file.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"

/* The bytes of a program that execve() reads to know what it is. */
#define PROGRAM_HEAD 256

struct order {
	int (*run)(struct order *order);
	int (*call)(const char *path);
	char *path;
	/* A descriptor of the order's own: the task may close its own while the thread hangs. */
	int fd;
	int flags;
	mode_t mode;
	void *data;
	size_t length;
	int rc;
};

static int run_open(struct order *order);

static struct order *order_new(int (*run)(struct order *order), const char *path, int fd)
{
	struct order *order = xcalloc(1, sizeof(*order));

	order->run = run;
	order->path = xstrdup(path);
	order->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	return order;
}

static void order_free(void *arg)
{
	struct order *order = arg;

	files_close(order->fd);
	free(order->data);
	free(order->path);
	free(order);
}

static void work(void *arg)
{
	struct order *order = arg;

	order->rc = order->run(order);
	/* Here, because it may flush. */
	if (order->fd >= 0 && order->run != run_open)
		close(order->fd);
	if (order->run != run_open)
		order->fd = -1;
}

/* Carries the order out, and frees it. The descriptor that it opens goes to *fd, if that is given.
 */
static int carry_out(struct order *order, uint64_t patience, int *fd)
{
	int rc = 0;

	if (task_current())
		rc = offload(work, order_free, order, task_deadline(patience));
	else
		work(order);
	if (rc)
		return rc;
	rc = order->rc;
	if (rc == 0 && fd) {
		*fd = order->fd;
		order->fd = -1;
	}
	order_free(order);
	return rc;
}

/* --- paths --- */

static int run_call(struct order *order)
{
	return order->call(order->path);
}

int files_call(int (*call)(const char *path), const char *path)
{
	struct order *order = order_new(run_call, path, -1);

	order->call = call;
	return carry_out(order, FILES_PATIENCE, NULL);
}

static int remove_path(const char *path)
{
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

int files_remove(const char *path)
{
	return files_call(remove_path, path);
}

/* O_NONBLOCK counts for the open alone: later reads and writes of a file do not heed it. */
static int open_plain(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode), rc = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int run_open(struct order *order)
{
	order->fd = open_plain(order->path, order->flags, order->mode);
	return order->fd < 0 ? order->fd : 0;
}

int files_open(const char *path, int flags, mode_t mode, int *fd)
{
	struct order *order = order_new(run_open, path, -1);

	order->flags = flags;
	order->mode = mode;
	return carry_out(order, FILES_PATIENCE, fd);
}

static int check_program(const char *path)
{
	char head[PROGRAM_HEAD];
	int fd, rc = 0;

	if (access(path, X_OK))
		return -errno;
	fd = open_plain(path, O_RDONLY, 0);
	if (fd < 0)
		return fd == -EINVAL ? -EACCES : fd;
	if (read(fd, head, sizeof(head)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int files_check_program(const char *path)
{
	return files_call(check_program, path);
}

/* --- descriptors --- */

static int run_write(struct order *order)
{
	return file_write_fd(order->fd, "", order->data, order->length, NULL);
}

int files_write(int fd, const void *data, size_t length)
{
	struct order *order = order_new(run_write, NULL, fd);

	if (order->fd < 0) {
		order_free(order);
		return -EMFILE;
	}
	order->data = xmalloc(length);
	memcpy(order->data, data, length);
	order->length = length;
	return carry_out(order, FILES_PATIENCE, NULL);
}

static int run_sync(struct order *order)
{
	if (fsync(order->fd))
		return -errno;
	return file_sync_directory_of(order->path, NULL);
}

int files_sync(int fd, const char *path)
{
	struct order *order = order_new(run_sync, path, fd);

	if (order->fd < 0) {
		order_free(order);
		return -EMFILE;
	}
	return carry_out(order, TASK_FOREVER, NULL);
}

static void *close_in_thread(void *arg)
{
	close((int)(intptr_t)arg);
	return NULL;
}

void files_close(int fd)
{
	pthread_t thread;

	if (fd < 0)
		return;
	if (pthread_create(&thread, NULL, close_in_thread, (void *)(intptr_t)fd))
		close(fd);
	else
		pthread_detach(thread);
}

const char *files_error_text(int rc)
{
	if (rc == -ETIMEDOUT)
		return "its file system does not answer. Is a file server or a disk down?";
	if (rc == -EINVAL)
		return "it is no file";
	return strerror(-rc);
}
