/* SPDX-License-Identifier: MIT */
#include "xend/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <xenstore.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/str.h"

/* How often a transaction is tried that others disturb. */
#define COMMIT_TRIES 100

struct store_watch {
	TAILQ_ENTRY(store_watch) link;
	char path[STORE_PATH_MAX];
	char token[24];
	void (*changed)(void *arg);
	void *arg;
};

static struct {
	struct xs_handle *xs;
	uv_poll_t poll;
	TAILQ_HEAD(, store_watch) watches;
	uint64_t next_token;
} store;

/* Formats a path; one that is too long is ours, a bug, and becomes one that is not there. */
__attribute__((format(printf, 2, 0))) static void format_path(char path[STORE_PATH_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(path, STORE_PATH_MAX, fmt, ap);

	if (n < 0 || n >= STORE_PATH_MAX) {
		log_error("A path of xenstore is too long: %s...", path);
		snprintf(path, STORE_PATH_MAX, "/too-long");
	}
}

#define PATH_OF(path, fmt)                   \
	char path[STORE_PATH_MAX];           \
	do {                                 \
		va_list ap_;                 \
		va_start(ap_, fmt);          \
		format_path(path, fmt, ap_); \
		va_end(ap_);                 \
	} while (0)

static void deliver(const char *token)
{
	struct store_watch *watch;

	TAILQ_FOREACH(watch, &store.watches, link) {
		if (strcmp(watch->token, token) == 0) {
			watch->changed(watch->arg);
			return; /* it may be gone now */
		}
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	char **event;

	while ((event = xs_check_watch(store.xs))) {
		deliver(event[XS_WATCH_TOKEN]);
		free(event);
	}
	if (errno != EAGAIN) {
		/* xenstored does not restart: without it no domain can be managed. systemd starts us anew. */
		log_error("The connection to xenstored is lost: %s. xend ends.", strerror(errno));
		exit(1);
	}
}

int store_setup(uv_loop_t *loop, struct error **e)
{
	TAILQ_INIT(&store.watches);
	store.xs = xs_open(0);
	if (!store.xs)
		return error_set(e, errno, "Cannot connect to xenstored: %s. Is it running?", strerror(errno));
	uv_poll_init(loop, &store.poll, xs_fileno(store.xs));
	uv_poll_start(&store.poll, UV_READABLE, on_readable);
	/* The pipe that the poll looks at exists only once there was a watch; xs_fileno makes it. */
	return 0;
}

void store_teardown(void)
{
	uv_close((uv_handle_t *)&store.poll, NULL);
	xs_close(store.xs);
}

char *store_read(const char *fmt, ...)
{
	PATH_OF(path, fmt);
	return xs_read(store.xs, XBT_NULL, path, NULL);
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	uint64_t value = otherwise;
	char *text;

	PATH_OF(path, fmt);
	text = xs_read(store.xs, XBT_NULL, path, NULL);
	if (text)
		str_to_u64(text, 10, 0, max, &value);
	free(text);
	return value;
}

bool store_exists(const char *fmt, ...)
{
	char *value;

	PATH_OF(path, fmt);
	value = xs_read(store.xs, XBT_NULL, path, NULL);
	free(value);
	return value != NULL;
}

char **store_list(unsigned int *count, const char *fmt, ...)
{
	char **list;

	PATH_OF(path, fmt);
	*count = 0;
	list = xs_directory(store.xs, XBT_NULL, path, count);
	if (!list)
		*count = 0;
	return list;
}

int store_write(const char *path, const char *fmt, ...)
{
	struct str value = STR_INIT;
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	str_vprintf(&value, fmt, ap);
	va_end(ap);
	ok = xs_write(store.xs, XBT_NULL, path, str_text(&value), value.len);
	str_free(&value);
	return ok ? 0 : -errno;
}

int store_remove(const char *fmt, ...)
{
	PATH_OF(path, fmt);
	if (!xs_rm(store.xs, XBT_NULL, path) && errno != ENOENT)
		return -errno;
	return 0;
}

int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e)
{
	if (!xs_introduce_domain(store.xs, domid, mfn, port))
		return error_set(e, errno, "Cannot introduce domain %u to xenstored: %s.", domid, strerror(errno));
	return 0;
}

void store_release(unsigned int domid)
{
	/* It lets go of a domain by itself when that dies; then there is nothing to release. */
	if (!xs_release_domain(store.xs, domid))
		log_debug("xenstored had released domain %u already.", domid);
}

void store_resume(unsigned int domid)
{
	if (!xs_resume_domain(store.xs, domid))
		log_warning("xenstored does not know that domain %u goes on: %s.", domid, strerror(errno));
}

/* --- transactions -------------------------------------------------------------------------------- */

struct put {
	STAILQ_ENTRY(put) link;
	char path[STORE_PATH_MAX];
	char *value; /* NULL: a directory */
	enum store_access access;
	unsigned int domid;
	bool drop;
};

struct store_batch {
	STAILQ_HEAD(, put) puts;
};

struct store_batch *store_begin(void)
{
	struct store_batch *batch = xcalloc(1, sizeof(*batch));

	STAILQ_INIT(&batch->puts);
	return batch;
}

static struct put *add_put(struct store_batch *batch, const char *path)
{
	struct put *put = xcalloc(1, sizeof(*put));

	snprintf(put->path, sizeof(put->path), "%s", path);
	STAILQ_INSERT_TAIL(&batch->puts, put, link);
	return put;
}

void store_put(struct store_batch *batch, enum store_access access, unsigned int domid, const char *value,
	       const char *fmt, ...)
{
	struct put *put;

	PATH_OF(path, fmt);
	put = add_put(batch, path);
	put->value = value ? xstrdup(value) : NULL;
	put->access = access;
	put->domid = domid;
}

void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid, uint64_t value,
		      const char *fmt, ...)
{
	char text[24];

	PATH_OF(path, fmt);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	store_put(batch, access, domid, text, "%s", path);
}

void store_drop(struct store_batch *batch, const char *fmt, ...)
{
	PATH_OF(path, fmt);
	add_put(batch, path)->drop = true;
}

static bool apply_put(xs_transaction_t t, const struct put *put)
{
	/* The first entry names the owner and what all others may do; then those that may do more. */
	struct xs_permissions perms[2] = {
		{ .id = put->access == STORE_GUEST_OWNS ? put->domid : 0, .perms = XS_PERM_NONE },
		{ .id = put->access == STORE_GUEST_OWNS ? 0 : put->domid, .perms = XS_PERM_READ },
	};

	if (put->drop)
		return xs_rm(store.xs, t, put->path) || errno == ENOENT;
	if (put->value ? !xs_write(store.xs, t, put->path, put->value, strlen(put->value)) :
			 !xs_mkdir(store.xs, t, put->path))
		return false;
	return xs_set_permissions(store.xs, t, put->path, perms, put->access == STORE_PRIVATE ? 1 : 2);
}

/* 0, or the errno; EAGAIN: somebody else's change came between. */
static int try_commit(struct store_batch *batch, const char **what)
{
	xs_transaction_t t = xs_transaction_start(store.xs);
	struct put *put;

	*what = "a transaction";
	if (t == XBT_NULL)
		return errno;
	STAILQ_FOREACH(put, &batch->puts, link) {
		if (!apply_put(t, put)) {
			int err = errno;

			*what = put->path;
			xs_transaction_end(store.xs, t, true);
			return err;
		}
	}
	return xs_transaction_end(store.xs, t, false) ? 0 : errno;
}

int store_commit(struct store_batch *batch, struct error **e)
{
	const char *what = "";
	int err = EAGAIN, rc = 0;
	struct put *put;

	for (int i = 0; i < COMMIT_TRIES && err == EAGAIN; i++)
		err = try_commit(batch, &what);
	if (err)
		rc = error_set(e, err, "Cannot write %s in xenstore: %s.", what, strerror(err));
	while ((put = STAILQ_FIRST(&batch->puts))) {
		STAILQ_REMOVE_HEAD(&batch->puts, link);
		free(put->value);
		free(put);
	}
	free(batch);
	return rc;
}

/* --- watches ------------------------------------------------------------------------------------- */

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	struct store_watch *watch;

	PATH_OF(path, fmt);
	watch = xcalloc(1, sizeof(*watch));
	snprintf(watch->path, sizeof(watch->path), "%s", path);
	snprintf(watch->token, sizeof(watch->token), "%llu", (unsigned long long)++store.next_token);
	watch->changed = changed;
	watch->arg = arg;
	TAILQ_INSERT_TAIL(&store.watches, watch, link);
	if (!xs_watch(store.xs, watch->path, watch->token))
		log_error("Cannot watch %s in xenstore: %s.", path, strerror(errno));
	return watch;
}

void store_unwatch(struct store_watch *watch)
{
	if (!watch)
		return;
	xs_unwatch(store.xs, watch->path, watch->token);
	TAILQ_REMOVE(&store.watches, watch, link);
	free(watch);
}
