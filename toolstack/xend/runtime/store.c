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

/* Tries of a transaction that other transactions disturb. */
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

/*
 * Formats a path. Only a bug of xend makes one too long; the call then gets a path that does not
 * exist.
 */
__attribute__((format(printf, 2, 0))) static void format_path(char path[STORE_PATH_MAX],
							      const char *fmt, va_list ap)
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

/* Does result = call, a call of libxenstore. If it fails, errno has xenstored's own answer. */
#define ASK(result, call)                   \
	do {                                \
		store_link_ask();           \
		(result) = (call);          \
		store_link_answered();      \
		if (!(result))              \
			store_link_check(); \
	} while (0)

/*
 * Call this after a failed read. ENOENT, or EINVAL (a name that no node can have), means that the
 * node is absent. xend ends on any other error.
 */
static void must_be_absent(const char *path)
{
	if (errno != ENOENT && errno != EINVAL)
		store_link_lost("xenstored cannot say what is at %s (%s)", path, strerror(errno));
}

static void deliver(const char *token)
{
	struct store_watch *watch;

	TAILQ_FOREACH(watch, &store.watches, link) {
		if (strcmp(watch->token, token) == 0) {
			watch->changed(watch->arg);
			return; /* changed() may have freed the watch */
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
	if (errno != EAGAIN)
		store_link_lost("The connection to xenstored is lost (%s)", strerror(errno));
}

int store_setup(uv_loop_t *loop, struct error **e)
{
	int rc;

	TAILQ_INIT(&store.watches);
	rc = store_link_open(loop, &store.xs, e);
	if (rc)
		return rc;
	uv_poll_init(loop, &store.poll, xs_fileno(store.xs));
	uv_poll_start(&store.poll, UV_READABLE, on_readable);
	/* xs_fileno has created the pipe that the poll watches, so no watch needs to exist yet. */
	return 0;
}

void store_teardown(void)
{
	uv_close((uv_handle_t *)&store.poll, NULL);
	store_link_close();
}

static char *read_path(const char *path)
{
	char *value;

	ASK(value, xs_read(store.xs, XBT_NULL, path, NULL));
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
	ASK(list, xs_directory(store.xs, XBT_NULL, path, count));
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
	ASK(ok, xs_write(store.xs, XBT_NULL, path, str_text(&value), value.len));
	rc = ok ? 0 : -errno;
	str_free(&value);
	return rc;
}

static int end_transaction(xs_transaction_t t, bool abort)
{
	bool ok;

	ASK(ok, xs_transaction_end(store.xs, t, abort));
	return ok ? 0 : errno;
}

char *store_exchange(const char *path, const char *value)
{
	char *was = NULL;
	bool ok = false;

	for (int i = 0; i < COMMIT_TRIES && !ok; i++) {
		xs_transaction_t t;

		free(was);
		was = NULL;
		ASK(t, xs_transaction_start(store.xs));
		if (t == XBT_NULL)
			break;
		ASK(was, xs_read(store.xs, t, path, NULL));
		ASK(ok, xs_write(store.xs, t, path, value, strlen(value)));
		ok = end_transaction(t, !ok) == 0 && ok;
	}
	return was;
}

int store_remove(const char *fmt, ...)
{
	bool ok;

	PATH_OF(path, fmt);
	ASK(ok, xs_rm(store.xs, XBT_NULL, path));
	return ok || errno == ENOENT ? 0 : -errno;
}

int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e)
{
	bool ok;

	ASK(ok, xs_introduce_domain(store.xs, domid, mfn, port));
	if (!ok)
		return error_set(e, errno, "Cannot introduce domain %u to xenstored: %s.", domid,
				 strerror(errno));
	return 0;
}

void store_release(unsigned int domid)
{
	bool ok;

	/* xenstored releases a dead domain by itself, so a failure here is no error. */
	ASK(ok, xs_release_domain(store.xs, domid));
	if (!ok)
		log_debug("xenstored had released domain %u already.", domid);
}

void store_resume(unsigned int domid)
{
	bool ok;

	ASK(ok, xs_resume_domain(store.xs, domid));
	if (!ok)
		log_warning("xenstored does not know that domain %u goes on: %s.", domid,
			    strerror(errno));
}

/* --- transactions --- */

struct put {
	STAILQ_ENTRY(put) link;
	char path[STORE_PATH_MAX];
	char *value; /* NULL: a directory */
	enum store_access access;
	unsigned int domid, host; /* host: stands for Domain-0 */
	bool drop;
};

struct store_batch {
	STAILQ_HEAD(, put) puts;
	unsigned int host;
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

void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *fmt, ...)
{
	struct put *put;

	PATH_OF(path, fmt);
	put = add_put(batch, path);
	put->value = value ? xstrdup(value) : NULL;
	put->access = access;
	put->domid = domid;
	put->host = access == STORE_PRIVATE ? 0 : batch->host;
}

void store_batch_serve(struct store_batch *batch, unsigned int domid)
{
	batch->host = domid;
}

void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *fmt, ...)
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
	/*
	 * The first entry names the owner and the access of everybody else; the next ones grant
	 * more.
	 */
	bool guests = put->access == STORE_GUEST_OWNS || put->access == STORE_GUEST_SHARES;
	unsigned int others =
		put->access == STORE_GUEST_SHARES ? XS_PERM_READ | XS_PERM_WRITE : XS_PERM_READ;
	struct xs_permissions perms[2] = {
		{ .id = guests ? put->domid : put->host, .perms = XS_PERM_NONE },
		{ .id = guests ? put->host : put->domid, .perms = others },
	};

	bool ok;

	if (put->drop) {
		ASK(ok, xs_rm(store.xs, t, put->path));
		return ok || errno == ENOENT;
	}
	ASK(ok, put->value ? xs_write(store.xs, t, put->path, put->value, strlen(put->value)) :
			     xs_mkdir(store.xs, t, put->path));
	if (ok)
		ASK(ok, xs_set_permissions(store.xs, t, put->path, perms,
					   put->access == STORE_PRIVATE ? 1 : 2));
	return ok;
}

/* 0 or a positive errno; EAGAIN: another change came between. *what: what failed. */
static int try_commit(struct store_batch *batch, const char **what)
{
	xs_transaction_t t;
	struct put *put;

	*what = "a transaction";
	ASK(t, xs_transaction_start(store.xs));
	if (t == XBT_NULL)
		return errno;
	STAILQ_FOREACH(put, &batch->puts, link) {
		if (!apply_put(t, put)) {
			int err = errno;

			*what = put->path;
			end_transaction(t, true);
			return err;
		}
	}
	return end_transaction(t, false);
}

void store_discard(struct store_batch *batch)
{
	struct put *put;

	while ((put = STAILQ_FIRST(&batch->puts))) {
		STAILQ_REMOVE_HEAD(&batch->puts, link);
		free(put->value);
		free(put);
	}
	free(batch);
}

int store_commit(struct store_batch *batch, struct error **e)
{
	const char *what = "";
	int err = EAGAIN, rc = 0;

	for (int i = 0; i < COMMIT_TRIES && err == EAGAIN; i++)
		err = try_commit(batch, &what);
	if (err)
		rc = error_set(e, err, "Cannot write %s in xenstore: %s.", what, strerror(err));
	store_discard(batch);
	return rc;
}

/* --- watches --- */

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	struct store_watch *watch;
	bool ok;

	PATH_OF(path, fmt);
	watch = xcalloc(1, sizeof(*watch));
	snprintf(watch->path, sizeof(watch->path), "%s", path);
	snprintf(watch->token, sizeof(watch->token), "%llu",
		 (unsigned long long)++store.next_token);
	watch->changed = changed;
	watch->arg = arg;
	TAILQ_INSERT_TAIL(&store.watches, watch, link);
	ASK(ok, xs_watch(store.xs, watch->path, watch->token));
	if (!ok)
		log_error("Cannot watch %s in xenstore: %s.", path, strerror(errno));
	return watch;
}

void store_unwatch(struct store_watch *watch)
{
	bool ok;

	if (!watch)
		return;
	ASK(ok, xs_unwatch(store.xs, watch->path, watch->token));
	TAILQ_REMOVE(&store.watches, watch, link);
	free(watch);
}
