/* SPDX-License-Identifier: MIT */
/*
 * xenstore. Calls are synchronous: xenstored answers over a local socket within microseconds.
 * Waiting for a guest or a driver is always a watch. If xenstored ends or does not answer, xend
 * ends (store_link.h). So each result is xenstored's own answer, and "absent" means that the node
 * is absent.
 *
 * Callers give paths as printf formats (in store_write, the value); a path has at most
 * STORE_PATH_MAX bytes. A value that a guest may have written is a hint at most: xend never uses
 * one as a path, a size or a name.
 */
#ifndef XEND_RUNTIME_STORE_H
#define XEND_RUNTIME_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/error.h"

#define STORE_PATH_MAX 512

/*
 * Connects, and delivers watches through the loop. domain_hv must be open. -ENOTCONN: xenstored
 * does not run.
 */
int store_setup(uv_loop_t *loop, struct error **e);
void store_teardown(void);

/* The value, to be freed by the caller; NULL if the node is absent. */
char *store_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The value as a decimal number within 0..max; `otherwise` if it is absent or no such number. */
uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool store_exists(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * The names below a path, in one allocation: free() the array alone. NULL and 0 if there are none.
 */
char **store_list(unsigned int *count, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* 0 or -errno. Removing an absent node succeeds. */
int store_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes a value and returns the one before, as one step; NULL: it was absent. To be freed. */
char *store_exchange(const char *path, const char *value);
int store_remove(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * Tells xenstored about a domain: the frame of its xenstore page and its event channel. 0 or
 * -errno. store_release makes xenstored forget the domain; store_resume says that it goes on after
 * a suspend.
 */
int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e);
void store_release(unsigned int domid);
void store_resume(unsigned int domid);

/*
 * A set of writes. The calls between store_begin and the commit only collect.
 */
struct store_batch;
struct store_batch *store_begin(void);
/* The owner of a node, and who else may read it. Domain-0 may do anything. */
enum store_access {
	STORE_PRIVATE,	   /* Domain-0 alone */
	STORE_GUEST_READS, /* Domain-0's, readable by the guest */
	STORE_GUEST_OWNS,  /* the guest's, readable by Domain-0 */
	/* The guest's; the domain that serves it (store_batch_serve) may write it, too. */
	STORE_GUEST_SHARES,
};
/*
 * From now on `domid` stands for Domain-0 in the accesses of what is put: a domain that serves
 * devices of others owns its directories and reads those of the frontends.
 */
void store_batch_serve(struct store_batch *batch, unsigned int domid);
/* `path` is the format of the variable arguments. Without a value, an empty directory is made. */
void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *path, ...) __attribute__((format(printf, 5, 6)));
void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *path, ...) __attribute__((format(printf, 5, 6)));
/* Writes a number and leaves the access as it is: a new node has its directory's. */
void store_set(struct store_batch *batch, uint64_t value, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * For store_commit_unseen: what is put from now on, but for nodes named "state", may be written
 * after the states; or not, which holds at first.
 */
void store_batch_later(struct store_batch *batch, bool later);
/* Removes a path and all below it. */
void store_drop(struct store_batch *batch, const char *path, ...)
	__attribute__((format(printf, 2, 3)));
/* Says that nothing is there, or below it: what is put there is new. */
void store_absent(struct store_batch *batch, const char *path, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Writes the batch as a whole or not at all: a running guest, its drivers and other tools see all
 * of it or nothing. 0 or -errno; -EAGAIN after 100 disturbed tries. Frees the batch in either case.
 */
int store_commit(struct store_batch *batch, struct error **e);
/*
 * Writes the nodes of a domain that does not run yet, each by itself: its record says that it is
 * being built, so whoever finds half of them, after an error or a kill of xend, takes all away.
 *
 * The guest, which xenstored does not know yet, cannot see them. Drivers of Domain-0 can; they turn
 * to a device when its "state" appears. So the nodes of that name come when both directories of
 * each device are there, with all that its driver reads at once. The others come after them
 * (store_batch_later): Linux's xenbus asks once more for each node of a device without a state, and
 * its drivers work meanwhile. A domain that serves devices gets the whole batch at once, as by
 * store_commit: it may read its directories at any time.
 *
 * Much cheaper than store_commit beside many guests. Results as there.
 */
int store_commit_unseen(struct store_batch *batch, struct error **e);
/* Frees the batch, and writes nothing. */
void store_discard(struct store_batch *batch);

/*
 * A watch calls back once right after it is set, and then after each change at or below its path.
 */
struct store_watch;
struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same; the callback gets the changed path. */
struct store_watch *store_watch_below(void (*changed)(void *arg, const char *path), void *arg,
				      const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void store_unwatch(struct store_watch *watch);
/*
 * Calls the watches for all changes that xenstored has told of before now. The loop does so anyway,
 * but in its next turn: who keeps what a watch says must hear of them first.
 */
void store_catch_up(void);

#endif
