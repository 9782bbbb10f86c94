/* SPDX-License-Identifier: MIT */
/*
 * A small xenstore in memory: only watches that get paths, no permissions, and each batch is
 * written at once.
 */
#include "fake_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xend/runtime/store.h"
#include "unit.h"

struct node {
	char path[STORE_PATH_MAX], value[STORE_PATH_MAX];
};
static struct node nodes[200];
static size_t nr_nodes;

void (*node_on_remove)(const char *path);

static struct {
	char paths[40][STORE_PATH_MAX];
	size_t nr;
} listed;

unsigned int node_lists(const char *path)
{
	unsigned int count = 0;

	for (size_t i = 0; i < listed.nr; i++)
		count += strcmp(listed.paths[i], path) == 0;
	return count;
}

void node_reset_lists(void)
{
	listed.nr = 0;
}

struct store_watch {
	char path[STORE_PATH_MAX];
	void (*changed)(void *arg, const char *path);
	void *arg;
};
static struct store_watch watches[4];

static struct {
	bool hold;
	char paths[100][STORE_PATH_MAX];
	size_t nr;
} events;

static void say_changed(const char *path)
{
	if (events.hold) {
		assert_true(events.nr < sizeof(events.paths) / sizeof(events.paths[0]));
		strcpy(events.paths[events.nr++], path);
		return;
	}
	for (size_t i = 0; i < sizeof(watches) / sizeof(watches[0]); i++)
		if (watches[i].changed &&
		    strncmp(path, watches[i].path, strlen(watches[i].path)) == 0)
			watches[i].changed(watches[i].arg, path);
}

void node_hold_events(bool hold)
{
	events.hold = hold;
	events.nr = 0;
}

void store_catch_up(void)
{
	bool held = events.hold;

	events.hold = false;
	for (size_t i = 0; i < events.nr; i++)
		say_changed(events.paths[i]);
	events.nr = 0;
	events.hold = held;
}

const char *node_get(const char *path)
{
	for (size_t i = 0; i < nr_nodes; i++)
		if (strcmp(nodes[i].path, path) == 0)
			return nodes[i].value;
	return NULL;
}

void node_set(const char *path, const char *value)
{
	size_t i = 0;

	while (i < nr_nodes && strcmp(nodes[i].path, path) != 0)
		i++;
	assert_true(i < sizeof(nodes) / sizeof(nodes[0]));
	nr_nodes += i == nr_nodes;
	snprintf(nodes[i].path, sizeof(nodes[i].path), "%s", path);
	snprintf(nodes[i].value, sizeof(nodes[i].value), "%s", value);
	say_changed(path);
}

void node_remove(const char *path)
{
	size_t length = strlen(path), kept = 0;

	for (size_t i = 0; i < nr_nodes; i++)
		if (strncmp(nodes[i].path, path, length) != 0 ||
		    (nodes[i].path[length] && nodes[i].path[length] != '/'))
			nodes[kept++] = nodes[i];
	nr_nodes = kept;
	say_changed(path);
}

bool node_is_there(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < nr_nodes; i++)
		if (strncmp(nodes[i].path, path, length) == 0 &&
		    (!nodes[i].path[length] || nodes[i].path[length] == '/'))
			return true;
	return false;
}

void node_remove_all(void)
{
	nr_nodes = 0;
}

#define PATH_OF(fmt)                            \
	char path[STORE_PATH_MAX];              \
	va_list ap;                             \
	va_start(ap, fmt);                      \
	vsnprintf(path, sizeof(path), fmt, ap); \
	va_end(ap)

char *store_read(const char *fmt, ...)
{
	PATH_OF(fmt);
	return node_get(path) ? strdup(node_get(path)) : NULL;
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	PATH_OF(fmt);
	return node_get(path) ? strtoull(node_get(path), NULL, 10) : otherwise;
}

bool store_exists(const char *fmt, ...)
{
	PATH_OF(fmt);
	return node_is_there(path);
}

int store_write(const char *path, const char *fmt, ...)
{
	char value[STORE_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	node_set(path, value);
	return 0;
}

int store_remove(const char *fmt, ...)
{
	PATH_OF(fmt);
	node_remove(path);
	if (node_on_remove)
		node_on_remove(path);
	return 0;
}

char **store_list(unsigned int *count, const char *fmt, ...)
{
	/* The array, followed by its names. */
	struct {
		char *list[20], names[20][32];
	} *all = calloc(1, sizeof(*all));
	size_t length;

	PATH_OF(fmt);
	length = strlen(path);
	if (listed.nr < sizeof(listed.paths) / sizeof(listed.paths[0]))
		strcpy(listed.paths[listed.nr++], path);
	*count = 0;
	for (size_t i = 0; i < nr_nodes; i++) {
		char name[32];
		bool known = false;

		if (strncmp(nodes[i].path, path, length) != 0 || nodes[i].path[length] != '/')
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(nodes[i].path + length + 1, "/"),
			 nodes[i].path + length + 1);
		for (unsigned int j = 0; j < *count; j++)
			known = known || strcmp(all->names[j], name) == 0;
		if (known)
			continue;
		assert_true(*count < 20);
		strcpy(all->names[*count], name);
		all->list[*count] = all->names[*count];
		++*count;
	}
	return (char **)all;
}

struct store_batch *store_begin(void)
{
	return NULL;
}

void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *fmt, ...)
{
	PATH_OF(fmt);
	node_set(path, value ? value : "");
}

void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *fmt, ...)
{
	char text[32];

	PATH_OF(fmt);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	node_set(path, text);
}

void store_set(struct store_batch *batch, uint64_t value, const char *fmt, ...)
{
	char text[32];

	PATH_OF(fmt);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	node_set(path, text);
}

void store_batch_later(struct store_batch *batch, bool later)
{
}

void store_batch_serve(struct store_batch *batch, unsigned int domid)
{
}

void store_drop(struct store_batch *batch, const char *fmt, ...)
{
	PATH_OF(fmt);
	node_remove(path);
}

void store_absent(struct store_batch *batch, const char *fmt, ...)
{
	PATH_OF(fmt);
	for (size_t i = 0; i < nr_nodes; i++)
		assert_int_not_equal(strncmp(nodes[i].path, path, strlen(path)), 0);
}

void store_discard(struct store_batch *batch)
{
}

int store_commit(struct store_batch *batch, struct error **e)
{
	return 0;
}

int store_commit_unseen(struct store_batch *batch, struct error **e)
{
	return 0;
}

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	return NULL;
}

struct store_watch *store_watch_below(void (*changed)(void *arg, const char *path), void *arg,
				      const char *fmt, ...)
{
	size_t i = 0;

	PATH_OF(fmt);
	while (watches[i].changed)
		assert_true(++i < sizeof(watches) / sizeof(watches[0]));
	watches[i] = (struct store_watch){ .changed = changed, .arg = arg };
	snprintf(watches[i].path, sizeof(watches[i].path), "%s", path);
	return &watches[i];
}

void store_unwatch(struct store_watch *watch)
{
	if (watch)
		watch->changed = NULL;
}
