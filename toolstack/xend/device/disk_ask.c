/* SPDX-License-Identifier: MIT */
/* Each question gets a thread; askers of the same question share it while it is open. */
#include "xend/device/disk_ask.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "xend/device/disk_fd.h"

enum subject { PATH, FD, LOOP, IMAGE };

struct answer {
	int rc;
	struct disk_node node;
	struct disk_image_below below; /* of an image */
};

struct question {
	LIST_ENTRY(question) link;
	enum subject subject;
	const struct disk_sources *real;
	char *name; /* a path, or that of a descriptor or a loop device */
	pid_t pid;  /* whose descriptor */
	enum config_disk_format format;
	dev_t files; /* the file system that it is about, once somebody has waited in vain */
	struct answer answer;
	bool answered;
	unsigned int refs; /* the thread's, and one for each asker */
};

/* A file system that has not answered, until it does. */
struct silence {
	LIST_ENTRY(silence) link;
	dev_t files; /* 0: nobody knows which one */
	uint64_t last;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	pthread_once_t once;
	LIST_HEAD(, question) open;
	LIST_HEAD(, silence) silent;
	uint64_t last_silence; /* when somebody was not answered in time; milliseconds */
} asks = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .once = PTHREAD_ONCE_INIT,
	   .open = LIST_HEAD_INITIALIZER(asks.open),
	   .silent = LIST_HEAD_INITIALIZER(asks.silent) };

/* Milliseconds after a silence in which others get less time. */
#define MEMORY 10000
/* Milliseconds between two times that somebody waits for a file system that is silent. */
#define SILENT_INTERVAL 1000

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
	free(question->answer.below.path);
	free(question->name);
	free(question);
}

/* --- who is silent; the lock is held --- */

static struct silence *find_silence(dev_t files)
{
	struct silence *silence;

	LIST_FOREACH(silence, &asks.silent, link)
		if (silence->files == files)
			return silence;
	return NULL;
}

static void note_silence(struct question *question, dev_t files)
{
	struct silence *silence = find_silence(files);

	if (!silence) {
		silence = xcalloc(1, sizeof(*silence));
		silence->files = files;
		LIST_INSERT_HEAD(&asks.silent, silence, link);
	}
	silence->last = asks.last_silence = now();
	question->files = files;
}

/* A file system that has answered is not silent. */
static void note_answer(dev_t files)
{
	struct silence *silence = find_silence(files);

	if (!silence)
		return;
	LIST_REMOVE(silence, link);
	free(silence);
}

static bool is_silence_recent(void)
{
	return asks.last_silence && now() - asks.last_silence < MEMORY;
}

/* --- questions --- */

static void get_answer(const struct question *question, struct answer *answer)
{
	char *path;

	switch (question->subject) {
	case PATH:
		answer->rc = question->real->identify(question->name, &answer->node);
		break;
	case FD:
		path = xasprintf("%s/%d/fd/%s", question->real->proc, (int)question->pid,
				 question->name);
		answer->rc = question->real->identify(path, &answer->node);
		free(path);
		break;
	case LOOP:
		answer->rc = question->real->loop_file(question->name, &answer->node);
		break;
	case IMAGE:
		answer->rc = disk_image_find_below(question->name, question->format, &answer->below,
						   NULL);
		break;
	}
}

static void *ask_in_thread(void *arg)
{
	struct question *question = arg;
	struct answer answer = { .rc = 0 };

	get_answer(question, &answer);
	pthread_mutex_lock(&asks.lock);
	question->answer = answer;
	question->answered = true;
	note_answer(question->files);
	LIST_REMOVE(question, link);
	pthread_cond_broadcast(&asks.answered);
	let_go(question);
	pthread_mutex_unlock(&asks.lock);
	return NULL;
}

static struct question *find_question(const struct question *like)
{
	struct question *question;

	LIST_FOREACH(question, &asks.open, link)
		if (question->subject == like->subject && question->real == like->real &&
		    question->pid == like->pid && question->format == like->format &&
		    strcmp(question->name, like->name) == 0)
			return question;
	return NULL;
}

/* The open question, or a new one; NULL: no thread. The lock is held. */
static struct question *open_question(const struct question *like)
{
	struct question *question = find_question(like);
	pthread_t thread;

	if (question) {
		question->refs++;
		return question;
	}
	question = xcalloc(1, sizeof(*question));
	*question = *like;
	question->name = xstrdup(like->name);
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

/*
 * Milliseconds that an asker has. Many questions about one dead server take hardly longer than one:
 * once in a while somebody waits a little for it, and all others do not. The lock is held.
 */
static unsigned int patience_for(dev_t files)
{
	const struct silence *silence = find_silence(files);

	if (!is_silence_recent())
		return DISK_ASK_PATIENCE;
	return silence && now() - silence->last < SILENT_INTERVAL ? 0 : DISK_ASK_IMPATIENCE;
}

/* The lock is held. */
static void wait_for(const struct question *question, unsigned int patience)
{
	uint64_t until = now() + patience;
	struct timespec deadline = { .tv_sec = (time_t)(until / 1000),
				     .tv_nsec = (long)(until % 1000) * 1000000 };

	while (!question->answered)
		if (pthread_cond_timedwait(&asks.answered, &asks.lock, &deadline) == ETIMEDOUT)
			break;
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
		if (disk_mount_parse(line, &mount) && str_is_path_within(path, mount.point) &&
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

static int guess_by_path(const struct disk_sources *sources, const char *path,
			 struct disk_node *node)
{
	dev_t device = path ? file_system_of(sources, path) : 0;

	if (!device)
		return -ETIMEDOUT;
	*node = (struct disk_node){ device, DISK_INODE_UNKNOWN };
	return 0;
}

static int guess_descriptor(const struct question *question, struct disk_node *node)
{
	char *path, target[PATH_MAX];
	struct disk_fd fd;
	ssize_t n;

	disk_fd_read(question->real, question->pid, question->name, &fd);
	if (disk_fd_node(question->real, question->pid, &fd, node))
		return 0;
	path = xasprintf("%s/%d/fd/%s", question->real->proc, (int)question->pid, question->name);
	n = readlink(path, target, sizeof(target) - 1);
	free(path);
	target[n > 0 ? n : 0] = '\0';
	return guess_by_path(question->real, target, node);
}

/* What can be said without asking a file system. 0, or -ETIMEDOUT: not even which one it is. */
static int guess(const struct question *question, struct disk_node *node)
{
	char *path;
	int rc;

	switch (question->subject) {
	case FD:
		return guess_descriptor(question, node);
	case LOOP:
		path = disk_read_line("%s/block/%s/loop/backing_file", question->real->sys,
				      question->name);
		rc = guess_by_path(question->real, path, node);
		free(path);
		return rc;
	default:
		return guess_by_path(question->real, question->name, node);
	}
}

static bool was_silent_lately(void)
{
	bool was;

	pthread_mutex_lock(&asks.lock);
	was = is_silence_recent();
	pthread_mutex_unlock(&asks.lock);
	return was;
}

/* The lock is held, but for a moment. */
static void note_who_is_silent(const struct question *like, struct question *question)
{
	struct disk_node node = { 0, 0 };

	pthread_mutex_unlock(&asks.lock);
	guess(like, &node);
	pthread_mutex_lock(&asks.lock);
	if (!question->answered)
		note_silence(question, node.device);
}

static void take_answer(const struct question *question, struct answer *answer)
{
	*answer = question->answer;
	/* Others may take it, too. */
	if (answer->below.path)
		answer->below.path = xstrdup(answer->below.path);
}

/* 0 or -errno; -ETIMEDOUT: no answer. */
static int ask(const struct question *like, struct answer *answer)
{
	struct question *question = NULL;
	struct disk_node node = { 0, 0 };
	unsigned int patience;

	pthread_once(&asks.once, set_up);
	if (was_silent_lately())
		guess(like, &node);
	pthread_mutex_lock(&asks.lock);
	patience = patience_for(node.device);
	*answer = (struct answer){ .rc = -ETIMEDOUT };
	/* Nobody opens a question if he does not wait for the answer. */
	if (patience || find_question(like))
		question = open_question(like);
	if (question) {
		wait_for(question, patience);
		if (!question->answered && patience)
			note_who_is_silent(like, question);
		if (question->answered)
			take_answer(question, answer);
		let_go(question);
	} else if (patience) {
		answer->rc = -EAGAIN;
	}
	pthread_mutex_unlock(&asks.lock);
	return answer->rc;
}

/* The same, and a guess if there is no answer. */
static int ask_or_guess(const struct question *like, struct disk_node *node)
{
	struct answer answer;
	int rc = ask(like, &answer);

	*node = answer.node;
	return rc == -ETIMEDOUT ? guess(like, node) : rc;
}

int disk_ask_identify(const struct disk_sources *real, const char *path, struct disk_node *node)
{
	const struct question like = { .subject = PATH, .real = real, .name = (char *)path };

	return ask_or_guess(&like, node);
}

int disk_ask_descriptor(const struct disk_sources *real, pid_t pid, const char *fd,
			struct disk_node *node)
{
	const struct question like = {
		.subject = FD, .real = real, .name = (char *)fd, .pid = pid
	};

	return ask_or_guess(&like, node);
}

int disk_ask_loop_file(const struct disk_sources *real, const char *name, struct disk_node *file)
{
	const struct question like = { .subject = LOOP, .real = real, .name = (char *)name };

	return ask_or_guess(&like, file);
}

int disk_ask_image(const struct disk_sources *real, const char *path,
		   enum config_disk_format format, struct disk_image_below *below)
{
	const struct question like = {
		.subject = IMAGE, .real = real, .name = (char *)path, .format = format
	};
	struct answer answer;
	int rc = ask(&like, &answer);

	*below = answer.below;
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
