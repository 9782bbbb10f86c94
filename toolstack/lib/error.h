/* SPDX-License-Identifier: MIT */
/*
 * Errors for people: one sentence (what was attempted, on what, why it failed, what to do) and the
 * errno behind it.
 *
 *	int disk_open(const char *path, struct error **e)
 *	{
 *		int fd = open(path, O_RDWR);
 *
 *		if (fd < 0)
 *			return error_set(e, errno, "Cannot open %s: %s.", path, strerror(errno));
 *	...
 *	struct error *e = NULL;
 *
 *	if (disk_open(path, &e)) {
 *		log_error("%s", error_text(e));
 *		error_free(&e);
 *	}
 *
 * A caller that needs only the return value passes e = NULL.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <stdarg.h>

struct error;

/*
 * Sets *e and frees an older error there. errnum is an errno of either sign. Returns a negative
 * errno: that of errnum, or -EIO when errnum is 0.
 */
int error_set(struct error **e, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int error_vset(struct error **e, int errnum, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/*
 * Puts a prefix before the sentence, as in error_prefix(e, "Domain %s: ", name). The errno stays
 * the same. It returns nothing: a caller that passes e = NULL knows its failure from its own result
 * alone.
 */
void error_prefix(struct error **e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The sentence; it lives as long as the error. Without an error: "No error." Never NULL. */
const char *error_text(const struct error *e);

/* The (positive) errno, 0 for no error. */
int error_errno(const struct error *e);

/* Frees *e and makes it NULL. */
void error_free(struct error **e);

/*
 * Moves the error (or none) from *from to *to and frees the error that *to had. *from is NULL
 * afterwards. When `to` is NULL, the error is freed. Returns -errno of the error, 0 without one.
 */
int error_move(struct error **to, struct error **from);

#endif
