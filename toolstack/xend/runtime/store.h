/* SPDX-License-Identifier: MIT */
/*
 * xenstore. Answers come from xenstored over a local socket within microseconds, so calls wait for
 * them; everything that waits for a guest or a driver is a watch. When xenstored ends, or does not
 * answer, xend ends (store_link.h): what a call says is always xenstored's answer, and "not there"
 * means that it is not there.
 *
 * Paths are made by printf formats and have at most STORE_PATH_MAX bytes. A value that a guest may
 * have written is at most a hint: none is used as a path, a size or a name.
 */
#ifndef XEND_RUNTIME_STORE_H
#define XEND_RUNTIME_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/error.h"

#define STORE_PATH_MAX 512

/* Connects, and delivers watches through the loop. -ENOTCONN: xenstored does not run. domain_hv is
 * open. */
int store_setup(uv_loop_t *loop, struct error **e);
void store_teardown(void);

/* The value, to be freed by the caller; NULL if there is none. */
char *store_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A decimal number within 0..max, `otherwise` if there is none. */
uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool store_exists(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Names below a path; free() the array alone. NULL and 0 if there is nothing. */
char **store_list(unsigned int *count, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* -errno. Removing what is not there is no error. */
int store_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int store_remove(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Whether the two numbers of a domain's shared page and port were accepted. */
int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e);
void store_release(unsigned int domid);
void store_resume(unsigned int domid);

/*
 * A set of writes that happens as a whole or not at all. All calls between begin and commit only
 * collect; commit makes the transaction, again if another one came between.
 */
struct store_batch;
struct store_batch *store_begin(void);
/* Who owns a node, and who else may read it. Domain-0 may do all. */
enum store_access {
	STORE_PRIVATE,	   /* Domain-0 alone */
	STORE_GUEST_READS, /* Domain-0's, readable by the guest */
	STORE_GUEST_OWNS,  /* the guest's, readable by Domain-0 */
};
/* path is a format; value follows. NULL makes an empty directory. */
void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *path, ...) __attribute__((format(printf, 5, 6)));
void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *path, ...) __attribute__((format(printf, 5, 6)));
/* Removes path and all below. */
void store_drop(struct store_batch *batch, const char *path, ...)
	__attribute__((format(printf, 2, 3)));
/* Frees the batch in any case. */
int store_commit(struct store_batch *batch, struct error **e);

/* A watch calls back once at first, and then after each change at or below its path. */
struct store_watch;
struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void store_unwatch(struct store_watch *watch);

#endif
