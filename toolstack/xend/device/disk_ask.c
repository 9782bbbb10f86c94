/* SPDX-License-Identifier: MIT */
/* Each question gets a thread; askers of the same question share it while it is open. */
#include "xend/device/disk_ask.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "lib/alloc.h"

typedef int question_fn(const char *name, struct disk_node *node);

struct question {
	LIST_ENTRY(question) link;
	question_fn *ask;
	char *name;
	struct disk_node node;
	int rc;
	bool answered;
	unsigned int refs; /* the thread's, and one for each asker */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	pthread_once_t once;
	LIST_HEAD(, question) open;
	uint64_t last_silence; /* when somebody was not answered in time; milliseconds */
} asks = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .once = PTHREAD_ONCE_INIT,
	   .open = LIST_HEAD_INITIALIZER(asks.open) };

/* Milliseconds after a silence in which others get less time. */
#define MEMORY 10000

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void set_up(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&asks.answered, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void let_go(struct question *question)
{
	if (--question->refs)
		return;
	free(question->name);
	free(question);
}

static void *ask_in_thread(void *arg)
{
	struct question *question = arg;
	struct disk_node node = { 0, 0 };
	int rc = question->ask(question->name, &node);

	pthread_mutex_lock(&asks.lock);
	question->node = node;
	question->rc = rc;
	question->answered = true;
	LIST_REMOVE(question, link);
	pthread_cond_broadcast(&asks.answered);
	let_go(question);
	pthread_mutex_unlock(&asks.lock);
	return NULL;
}

/* The open question, or a new one; NULL: no thread. The lock is held. */
static struct question *open_question(question_fn *ask, const char *name)
{
	struct question *question;
	pthread_t thread;

	LIST_FOREACH(question, &asks.open, link) {
		if (question->ask == ask && strcmp(question->name, name) == 0) {
			question->refs++;
			return question;
		}
	}
	question = xcalloc(1, sizeof(*question));
	question->ask = ask;
	question->name = xstrdup(name);
	question->refs = 2;
	if (pthread_create(&thread, NULL, ask_in_thread, question)) {
		free(question->name);
		free(question);
		return NULL;
	}
	pthread_detach(thread);
	LIST_INSERT_HEAD(&asks.open, question, link);
	return question;
}

/* The lock is held. */
static bool wait_for(const struct question *question)
{
	bool silence = asks.last_silence && now() - asks.last_silence < MEMORY;
	uint64_t until = now() + (silence ? DISK_ASK_IMPATIENCE : DISK_ASK_PATIENCE);
	struct timespec deadline = { .tv_sec = (time_t)(until / 1000),
				     .tv_nsec = (long)(until % 1000) * 1000000 };

	while (!question->answered)
		if (pthread_cond_timedwait(&asks.answered, &asks.lock, &deadline) == ETIMEDOUT)
			break;
	if (!question->answered)
		asks.last_silence = now();
	return question->answered;
}

/* 0 or -errno; -ETIMEDOUT: no answer. */
static int ask(question_fn *fn, const char *name, struct disk_node *node)
{
	struct question *question;
	int rc = -ETIMEDOUT;

	pthread_once(&asks.once, set_up);
	pthread_mutex_lock(&asks.lock);
	question = open_question(fn, name);
	if (!question) {
		pthread_mutex_unlock(&asks.lock);
		return -EAGAIN;
	}
	if (wait_for(question)) {
		rc = question->rc;
		*node = question->node;
	}
	let_go(question);
	pthread_mutex_unlock(&asks.lock);
	return rc;
}

/* Whether the path lies below the mount point. */
static bool is_below(const char *path, const char *point)
{
	size_t length = strlen(point);

	if (length == 1)
		return path[0] == '/';
	return strncmp(path, point, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The number of the file system that the path lies on, by its name alone; 0: not known. */
static dev_t file_system_of(const struct disk_sources *sources, const char *path)
{
	char *list = xasprintf("%s/self/mountinfo", sources->proc), *line = NULL;
	FILE *file = fopen(list, "re");
	size_t size = 0, best = 0;
	dev_t device = 0;

	free(list);
	while (file && getline(&line, &size, file) >= 0) {
		struct disk_mount mount;

		/* A later mount covers an earlier one at the same point. */
		if (disk_mount_parse(line, &mount) && is_below(path, mount.point) &&
		    strlen(mount.point) >= best) {
			best = strlen(mount.point);
			device = mount.device;
		}
	}
	if (file)
		fclose(file);
	free(line);
	return device;
}

static int guess(const struct disk_sources *sources, const char *path, struct disk_node *node)
{
	dev_t device = path ? file_system_of(sources, path) : 0;

	if (!device)
		return -ETIMEDOUT;
	*node = (struct disk_node){ device, DISK_INODE_UNKNOWN };
	return 0;
}

int disk_ask_identify(const struct disk_sources *real, const char *path, struct disk_node *node)
{
	int rc = ask(real->identify, path, node);

	return rc == -ETIMEDOUT ? guess(real, path, node) : rc;
}

int disk_ask_loop_file(const struct disk_sources *real, const char *name, struct disk_node *file)
{
	int rc = ask(real->loop_file, name, file);
	char *path;

	if (rc != -ETIMEDOUT)
		return rc;
	path = disk_read_line("%s/block/%s/loop/backing_file", real->sys, name);
	rc = guess(real, path, file);
	free(path);
	return rc;
}

static int identify(const char *path, struct disk_node *node)
{
	return disk_ask_identify(&disk_sources_host, path, node);
}

static int loop_file(const char *name, struct disk_node *file)
{
	return disk_ask_loop_file(&disk_sources_host, name, file);
}

const struct disk_sources disk_sources_patient = {
	.sys = "/sys",
	.proc = "/proc",
	.identify = identify,
	.loop_file = loop_file,
};
