/* SPDX-License-Identifier: MIT */
/*
 * Batches of nodes. xenstored's work for a transaction grows with the number of guests: at its end
 * it looks, for each changed node, whether each guest may know of it. So the nodes of a domain that
 * does not run yet are written without one, and without waiting for each.
 */
#include "xend/runtime/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <xen/io/xs_wire.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/runtime/store_pipe.h"
#include "xend/runtime/store_xs.h"

struct put {
	STAILQ_ENTRY(put) link;
	char path[STORE_PATH_MAX];
	char *value; /* NULL: a directory */
	enum store_access access;
	unsigned int domid, host; /* host: stands for Domain-0 */
	bool drop, gone;	  /* gone: there was nothing to drop */
	bool keep;		  /* its access, or that of the directory */
	enum { FIRST, STATE, LATER } turn;
};

struct store_batch {
	STAILQ_HEAD(, put) puts;
	unsigned int host;
	bool serves; /* another domain than Domain-0 serves some of it */
	bool later;
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
	put->turn = batch->later ? LATER : FIRST;
	STAILQ_INSERT_TAIL(&batch->puts, put, link);
	return put;
}

void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *fmt, ...)
{
	struct put *put;

	PATH_OF(path, fmt);
	put = add_put(batch, path);
	if (value && str_ends(path, "/state"))
		put->turn = STATE;
	put->value = value ? xstrdup(value) : NULL;
	put->access = access;
	put->domid = domid;
	put->host = access == STORE_PRIVATE ? 0 : batch->host;
}

void store_set(struct store_batch *batch, uint64_t value, const char *fmt, ...)
{
	struct put *put;

	PATH_OF(path, fmt);
	put = add_put(batch, path);
	put->value = xasprintf("%llu", (unsigned long long)value);
	put->keep = true;
}

void store_batch_later(struct store_batch *batch, bool later)
{
	batch->later = later;
}

void store_batch_serve(struct store_batch *batch, unsigned int domid)
{
	batch->host = domid;
	batch->serves = batch->serves || domid;
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

void store_absent(struct store_batch *batch, const char *fmt, ...)
{
	struct put *put;

	PATH_OF(path, fmt);
	put = add_put(batch, path);
	put->drop = put->gone = true;
}

/*
 * --- requests ---
 *
 * Those outside a transaction go through the pipe, if there is one: store_pipe_flush has their
 * results.
 */

static bool is_piped(xs_transaction_t t)
{
	return t == XBT_NULL && store_pipe_is_open();
}

static void pipe_access(const char *path, const struct xs_permissions *perms, unsigned int count)
{
	char text[2 * 16];
	size_t length = 0;

	for (unsigned int i = 0; i < count; i++) {
		char letter = perms[i].perms == XS_PERM_NONE ? 'n' :
			      perms[i].perms == XS_PERM_READ ? 'r' :
							       'b';

		/* Each with its zero. */
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%c%u", letter,
					   perms[i].id) +
			  1;
	}
	store_pipe_add(XS_SET_PERMS, path, text, length);
}

static bool set_access(xs_transaction_t t, const struct put *put)
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
	unsigned int count = put->access == STORE_PRIVATE ? 1 : 2;
	bool ok = true;

	if (is_piped(t))
		pipe_access(put->path, perms, count);
	else
		ASK(ok, xs_set_permissions(store_xs, t, put->path, perms, count));
	return ok;
}

static bool remove_node(xs_transaction_t t, const char *path)
{
	bool ok = true;

	if (is_piped(t))
		store_pipe_add(XS_RM, path, NULL, 0);
	else
		ASK(ok, xs_rm(store_xs, t, path));
	return ok || errno == ENOENT;
}

static bool make_empty(xs_transaction_t t, const char *path)
{
	bool ok = true;

	if (is_piped(t))
		store_pipe_add(XS_MKDIR, path, NULL, 0);
	else
		ASK(ok, xs_mkdir(store_xs, t, path));
	return ok;
}

static bool write_value(xs_transaction_t t, const struct put *put)
{
	bool ok = true;

	if (is_piped(t))
		store_pipe_add(XS_WRITE, put->path, put->value, strlen(put->value));
	else
		ASK(ok, xs_write(store_xs, t, put->path, put->value, strlen(put->value)));
	return ok;
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

static int set_failure(struct error **e, int err, const char *what)
{
	return error_set(e, err, "Cannot write %s in xenstore: %s.", what, strerror(err));
}

/* --- as one step --- */

static bool apply_put(xs_transaction_t t, const struct put *put)
{
	if (put->drop)
		return put->gone || remove_node(t, put->path);
	if (put->keep)
		return write_value(t, put);
	return (put->value ? write_value(t, put) : make_empty(t, put->path)) && set_access(t, put);
}

/* 0 or a positive errno; EAGAIN: another change came between. *what: what failed. */
static int try_commit(struct store_batch *batch, const char **what)
{
	xs_transaction_t t;
	struct put *put;

	*what = "a transaction";
	ASK(t, xs_transaction_start(store_xs));
	if (t == XBT_NULL)
		return errno;
	STAILQ_FOREACH(put, &batch->puts, link) {
		if (!apply_put(t, put)) {
			int err = errno;

			*what = put->path;
			store_end_transaction(t, true);
			return err;
		}
	}
	return store_end_transaction(t, false);
}

int store_commit(struct store_batch *batch, struct error **e)
{
	const char *what = "";
	int err = EAGAIN, rc = 0;

	for (int i = 0; i < STORE_COMMIT_TRIES && err == EAGAIN; i++)
		err = try_commit(batch, &what);
	if (err)
		rc = set_failure(e, err, what);
	store_discard(batch);
	return rc;
}

/* --- one by one --- */

static bool is_below(const char *path, const char *directory)
{
	return str_is_path_within(path, directory) && strcmp(path, directory) != 0;
}

/* What the batch has done so far tells of a node. */
struct before {
	bool is_new;   /* nothing is there, or below it */
	bool inherits; /* and made now, it gets its access from a directory of the batch */
};

/* A node that the batch did not remove before may be an older one with another access. */
static struct before look_before(const struct store_batch *batch, const struct put *put)
{
	const struct put *other, *above = NULL;
	struct before before = { false, false };

	STAILQ_FOREACH(other, &batch->puts, link) {
		if (other == put)
			break;
		if (!other->drop && is_below(other->path, put->path))
			before.is_new = false;
		if (!str_is_path_within(put->path, other->path))
			continue;
		before.is_new =
			other->drop || (before.is_new && strcmp(put->path, other->path) != 0);
		if (other->drop)
			above = NULL;
		else if (!above || str_is_path_within(other->path, above->path))
			above = other;
	}
	before.inherits = before.is_new && above && above->access == put->access &&
			  above->domid == put->domid && above->host == put->host;
	return before;
}

/* Whether a later node of the batch brings the directory with it. */
static bool comes_by_itself(const struct put *put)
{
	const struct put *next = put;

	while ((next = STAILQ_NEXT(next, link)))
		if (!next->drop && is_below(next->path, put->path))
			return true;
	return false;
}

static bool write_inheriting(const struct put *put)
{
	if (put->value)
		return write_value(XBT_NULL, put);
	return comes_by_itself(put) || make_empty(XBT_NULL, put->path);
}

/* Waits for the answers. False: *what was refused first, errno says why. */
static bool settle(const char **what)
{
	int err = store_pipe_is_open() ? store_pipe_flush(what) : 0;

	errno = err ? err : errno;
	return err == 0;
}

/*
 * With as few requests as can be: for each, xenstored looks at each guest. Nobody may see a value,
 * not even for a moment, who must not: the access is answered for before the value goes out.
 */
static bool write_put(const struct store_batch *batch, const struct put *put, const char **what)
{
	struct before before = look_before(batch, put);

	*what = put->path;
	if (put->drop)
		return put->gone || before.is_new || remove_node(XBT_NULL, put->path);
	if (put->keep)
		return write_value(XBT_NULL, put);
	if (before.inherits)
		return write_inheriting(put);
	if (!make_empty(XBT_NULL, put->path) || !set_access(XBT_NULL, put))
		return false;
	if (!put->value || (before.is_new && !*put->value))
		return true;
	return settle(what) && write_value(XBT_NULL, put);
}

/* Puts the batch into the order in which it is written. */
static void sort_turns(struct store_batch *batch)
{
	STAILQ_HEAD(, put) turns[LATER + 1];
	struct put *put;

	for (size_t i = 0; i <= LATER; i++)
		STAILQ_INIT(&turns[i]);
	while ((put = STAILQ_FIRST(&batch->puts))) {
		STAILQ_REMOVE_HEAD(&batch->puts, link);
		STAILQ_INSERT_TAIL(&turns[put->turn], put, link);
	}
	for (size_t i = 0; i <= LATER; i++)
		while ((put = STAILQ_FIRST(&turns[i]))) {
			STAILQ_REMOVE_HEAD(&turns[i], link);
			STAILQ_INSERT_TAIL(&batch->puts, put, link);
		}
}

/* False: *what was refused, errno. No state is announced before all that comes first is there. */
static bool write_puts(const struct store_batch *batch, const char **what)
{
	const struct put *put;
	bool announced = false;

	STAILQ_FOREACH(put, &batch->puts, link) {
		if (put->turn == STATE && !announced && !settle(what))
			return false;
		announced = announced || put->turn == STATE;
		if (!write_put(batch, put, what))
			return false;
	}
	return settle(what);
}

int store_commit_unseen(struct store_batch *batch, struct error **e)
{
	const char *what = "";
	int rc = 0;

	if (batch->serves)
		return store_commit(batch, e);
	sort_turns(batch);
	if (!write_puts(batch, &what))
		rc = set_failure(e, errno, what);
	store_discard(batch);
	return rc;
}
