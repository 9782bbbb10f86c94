/* SPDX-License-Identifier: MIT */
/* An error is an errno and a sentence, allocated together and replaced as one. */
#include "lib/error.h"
#include "lib/alloc.h"
#include <errno.h>
#include <stdlib.h>

struct error {
	int errnum; /* positive */
	char *text;
};

int error_vset(struct error **e, int errnum, const char *fmt, va_list ap)
{
	char *text;

	errnum = errnum ? abs(errnum) : EIO;
	if (!e)
		return -errnum;
	/* Formatted before the old one goes: its text may be an argument. */
	text = xvasprintf(fmt, ap);
	error_free(e);
	*e = xmalloc(sizeof(**e));
	(*e)->errnum = errnum;
	(*e)->text = text;
	return -errnum;
}

int error_set(struct error **e, int errnum, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = error_vset(e, errnum, fmt, ap);
	va_end(ap);
	return rc;
}

void error_prefix(struct error **e, const char *fmt, ...)
{
	va_list ap;
	char *prefix;

	if (!e || !*e)
		return;
	va_start(ap, fmt);
	prefix = xvasprintf(fmt, ap);
	va_end(ap);
	error_set(e, (*e)->errnum, "%s%s", prefix, (*e)->text);
	free(prefix);
}

const char *error_text(const struct error *e)
{
	return e ? e->text : "No error.";
}

int error_errno(const struct error *e)
{
	return e ? e->errnum : 0;
}

void error_free(struct error **e)
{
	if (!*e)
		return;
	free((*e)->text);
	free(*e);
	*e = NULL;
}

int error_move(struct error **to, struct error **from)
{
	int rc = -error_errno(*from);

	if (to) {
		error_free(to);
		*to = *from;
		*from = NULL;
	} else {
		error_free(from);
	}
	return rc;
}
