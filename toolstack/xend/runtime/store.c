/* SPDX-License-Identifier: MIT */
/*
 * xenstore through libxenstore: each call is guarded by store_link, and a path is a printf format.
 */
#include "xend/runtime/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <xenstore.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/runtime/store_link.h"
#include "xend/runtime/store_pipe.h"
#include "xend/runtime/store_xs.h"

struct store_watch {
	TAILQ_ENTRY(store_watch) link;
	char path[STORE_PATH_MAX];
	char token[24];
	void (*changed)(void *arg);
	void (*changed_below)(void *arg, const char *path); /* or this one */
	void *arg;
};

struct xs_handle *store_xs;

static struct {
	uv_poll_t poll;
	TAILQ_HEAD(, store_watch) watches;
	uint64_t next_token;
} store;

void store_format_path(char path[STORE_PATH_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(path, STORE_PATH_MAX, fmt, ap);

	if (n < 0 || n >= STORE_PATH_MAX) {
		log_error("A path of xenstore is too long: %s...", path);
		snprintf(path, STORE_PATH_MAX, "/too-long");
	}
}

/*
 * Call this after a failed read. ENOENT, or EINVAL (a name that no node can have), means that the
 * node is absent. xend ends on any other error.
 */
static void must_be_absent(const char *path)
{
	if (errno != ENOENT && errno != EINVAL)
		store_link_lost("xenstored cannot say what is at %s (%s)", path, strerror(errno));
}

static void deliver(const char *token, const char *path)
{
	struct store_watch *watch;

	TAILQ_FOREACH(watch, &store.watches, link) {
		if (strcmp(watch->token, token) == 0) {
			if (watch->changed_below)
				watch->changed_below(watch->arg, path);
			else
				watch->changed(watch->arg);
			return; /* changed() may have freed the watch */
		}
	}
}

static void deliver_all(void)
{
	char **event;

	while ((event = xs_check_watch(store_xs))) {
		deliver(event[XS_WATCH_TOKEN], event[XS_WATCH_PATH]);
		free(event);
	}
	if (errno != EAGAIN)
		store_link_lost("The connection to xenstored is lost (%s)", strerror(errno));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	deliver_all();
}

int store_setup(uv_loop_t *loop, struct error **e)
{
	int rc;

	TAILQ_INIT(&store.watches);
	rc = store_link_open(loop, &store_xs, e);
	if (rc)
		return rc;
	store_pipe_open();
	uv_poll_init(loop, &store.poll, xs_fileno(store_xs));
	uv_poll_start(&store.poll, UV_READABLE, on_readable);
	/* xs_fileno has created the pipe that the poll watches, so no watch needs to exist yet. */
	return 0;
}

void store_teardown(void)
{
	uv_close((uv_handle_t *)&store.poll, NULL);
	store_pipe_close();
	store_link_close();
}

static char *read_path(const char *path)
{
	char *value;

	ASK(value, xs_read(store_xs, XBT_NULL, path, NULL));
	if (!value)
		must_be_absent(path);
	return value;
}

char *store_read(const char *fmt, ...)
{
	PATH_OF(path, fmt);
	return read_path(path);
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	uint64_t value = otherwise;
	char *text;

	PATH_OF(path, fmt);
	text = read_path(path);
	if (text)
		str_to_u64(text, 10, 0, max, &value);
	free(text);
	return value;
}

bool store_exists(const char *fmt, ...)
{
	char *value;

	PATH_OF(path, fmt);
	value = read_path(path);
	free(value);
	return value != NULL;
}

char **store_list(unsigned int *count, const char *fmt, ...)
{
	char **list;

	PATH_OF(path, fmt);
	*count = 0;
	ASK(list, xs_directory(store_xs, XBT_NULL, path, count));
	if (!list) {
		must_be_absent(path);
		*count = 0;
	}
	return list;
}

int store_write(const char *path, const char *fmt, ...)
{
	struct str value = STR_INIT;
	va_list ap;
	bool ok;
	int rc;

	va_start(ap, fmt);
	str_vprintf(&value, fmt, ap);
	va_end(ap);
	ASK(ok, xs_write(store_xs, XBT_NULL, path, str_text(&value), value.len));
	rc = ok ? 0 : -errno;
	str_free(&value);
	return rc;
}

int store_end_transaction(xs_transaction_t t, bool abort)
{
	bool ok;

	ASK(ok, xs_transaction_end(store_xs, t, abort));
	return ok ? 0 : errno;
}

char *store_exchange(const char *path, const char *value)
{
	char *was = NULL;
	bool ok = false;

	for (int i = 0; i < STORE_COMMIT_TRIES && !ok; i++) {
		xs_transaction_t t;

		free(was);
		was = NULL;
		ASK(t, xs_transaction_start(store_xs));
		if (t == XBT_NULL)
			break;
		ASK(was, xs_read(store_xs, t, path, NULL));
		ASK(ok, xs_write(store_xs, t, path, value, strlen(value)));
		ok = store_end_transaction(t, !ok) == 0 && ok;
	}
	return was;
}

int store_remove(const char *fmt, ...)
{
	bool ok;

	PATH_OF(path, fmt);
	ASK(ok, xs_rm(store_xs, XBT_NULL, path));
	return ok || errno == ENOENT ? 0 : -errno;
}

int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e)
{
	bool ok;

	ASK(ok, xs_introduce_domain(store_xs, domid, mfn, port));
	if (!ok)
		return error_set(e, errno, "Cannot introduce domain %u to xenstored: %s.", domid,
				 strerror(errno));
	return 0;
}

void store_release(unsigned int domid)
{
	bool known, ok;

	/*
	 * xenstored releases a dead domain by itself. Asked for one that it does not know,
	 * oxenstored goes through all its nodes a second time, and then refuses.
	 */
	ASK(known, xs_is_domain_introduced(store_xs, domid));
	if (!known)
		return;
	ASK(ok, xs_release_domain(store_xs, domid));
	if (!ok)
		log_debug("xenstored had released domain %u already.", domid);
}

void store_resume(unsigned int domid)
{
	bool ok;

	ASK(ok, xs_resume_domain(store_xs, domid));
	if (!ok)
		log_warning("xenstored does not know that domain %u goes on: %s.", domid,
			    strerror(errno));
}

/* --- watches --- */

static struct store_watch *add_watch(const char *path, void *arg)
{
	struct store_watch *watch = xcalloc(1, sizeof(*watch));

	snprintf(watch->path, sizeof(watch->path), "%s", path);
	snprintf(watch->token, sizeof(watch->token), "%llu",
		 (unsigned long long)++store.next_token);
	watch->arg = arg;
	TAILQ_INSERT_TAIL(&store.watches, watch, link);
	return watch;
}

static void start_watch(struct store_watch *watch)
{
	bool ok;

	ASK(ok, xs_watch(store_xs, watch->path, watch->token));
	if (!ok)
		log_error("Cannot watch %s in xenstore: %s.", watch->path, strerror(errno));
}

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	struct store_watch *watch;

	PATH_OF(path, fmt);
	watch = add_watch(path, arg);
	watch->changed = changed;
	start_watch(watch);
	return watch;
}

struct store_watch *store_watch_below(void (*changed)(void *arg, const char *path), void *arg,
				      const char *fmt, ...)
{
	struct store_watch *watch;

	PATH_OF(path, fmt);
	watch = add_watch(path, arg);
	watch->changed_below = changed;
	start_watch(watch);
	return watch;
}

void store_unwatch(struct store_watch *watch)
{
	bool ok;

	if (!watch)
		return;
	ASK(ok, xs_unwatch(store_xs, watch->path, watch->token));
	TAILQ_REMOVE(&store.watches, watch, link);
	free(watch);
}

/* xenstored sends in order: with an answer, all earlier events have arrived. */
void store_catch_up(void)
{
	store_exists("/");
	deliver_all();
}
