/* SPDX-License-Identifier: MIT */
/*
 * Errors for people: one sentence (what was attempted, on what, why it failed, what to do) and the
 *errno behind it.
 *
 *	int disk_open(const char *path, struct error **e)
 *	{
 *		int fd = open(path, O_RDWR);
 *
 *		if (fd < 0)
 *			return error_set(e, errno, "Cannot open the disk %s: %s.", path,
 *strerror(errno));
 *	...
 *	struct error *e = NULL;
 *
 *	if (disk_open(path, &e) < 0) {
 *		log_error("%s", error_text(e));
 *		error_free(&e);
 *	}
 *
 * Who calls with e = NULL does not want to know the sentence; the return value says enough.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <stdarg.h>

struct error;

/* Sets *e (an older error there is freed). errnum: an errno, its sign does not matter. Returns
 * -errnum; -EIO for 0. */
int error_set(struct error **e, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int error_vset(struct error **e, int errnum, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* Puts words before the sentence, keeps the errno and returns its negative: error_prefix(e, "Domain
 * %s: ", name). */
int error_prefix(struct error **e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The sentence, which lives as long as the error. Never NULL: no error has the text "No error." */
const char *error_text(const struct error *e);

/* The (positive) errno, 0 for no error. */
int error_errno(const struct error *e);

/* Frees *e and makes it NULL. */
void error_free(struct error **e);

/* Gives from's error (or none) to *to, which is freed if it had one; from is NULL afterwards.
 * Returns -errno. */
int error_move(struct error **to, struct error **from);

#endif
