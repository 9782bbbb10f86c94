/* SPDX-License-Identifier: MIT */
/*
 * Batches of nodes. xenstored's work for a transaction grows with the number of guests: at its end
 * it looks, for each changed node, whether each guest may know of it. So the nodes of a domain that
 * does not run yet are written one by one.
 */
#include "xend/runtime/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/runtime/store_xs.h"

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
	bool serves; /* another domain than Domain-0 serves some of it */
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
	bool ok;

	ASK(ok, xs_set_permissions(store_xs, t, put->path, perms,
				   put->access == STORE_PRIVATE ? 1 : 2));
	return ok;
}

static bool remove_node(xs_transaction_t t, const char *path)
{
	bool ok;

	ASK(ok, xs_rm(store_xs, t, path));
	return ok || errno == ENOENT;
}

static bool make_empty(xs_transaction_t t, const char *path)
{
	bool ok;

	ASK(ok, xs_mkdir(store_xs, t, path));
	return ok;
}

static bool write_value(xs_transaction_t t, const struct put *put)
{
	bool ok;

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
		return remove_node(t, put->path);
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

/*
 * Whether the node will be new, below one of this batch with the same access: then it inherits that
 * from there. A node that the batch did not remove before may be an older one with another access.
 */
static bool inherits(const struct store_batch *batch, const struct put *put)
{
	const struct put *other, *above = NULL;
	bool is_new = false;

	STAILQ_FOREACH(other, &batch->puts, link) {
		if (other == put)
			break;
		if (!str_is_path_within(put->path, other->path))
			continue;
		is_new = other->drop || (is_new && strcmp(put->path, other->path) != 0);
		if (other->drop)
			above = NULL;
		else if (!above || str_is_path_within(other->path, above->path))
			above = other;
	}
	return is_new && above && above->access == put->access && above->domid == put->domid &&
	       above->host == put->host;
}

/* Nobody may see a value, not even for a moment, who must not: the access comes before it. */
static bool write_put(const struct store_batch *batch, const struct put *put)
{
	if (put->drop)
		return remove_node(XBT_NULL, put->path);
	if (put->value && inherits(batch, put))
		return write_value(XBT_NULL, put);
	return make_empty(XBT_NULL, put->path) && set_access(XBT_NULL, put) &&
	       (!put->value || write_value(XBT_NULL, put));
}

/* Writes the nodes that announce a device, or all others. NULL, or the one that failed: errno. */
static const struct put *write_puts(const struct store_batch *batch, bool states)
{
	const struct put *put;

	STAILQ_FOREACH(put, &batch->puts, link) {
		bool is_state = put->value && str_ends(put->path, "/state");

		if (is_state == states && !write_put(batch, put))
			return put;
	}
	return NULL;
}

int store_commit_unseen(struct store_batch *batch, struct error **e)
{
	const struct put *failed;
	int rc = 0;

	if (batch->serves)
		return store_commit(batch, e);
	failed = write_puts(batch, false);
	if (!failed)
		failed = write_puts(batch, true);
	if (failed)
		rc = set_failure(e, errno, failed->path);
	store_discard(batch);
	return rc;
}
