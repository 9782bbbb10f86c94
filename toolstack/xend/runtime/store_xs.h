/* SPDX-License-Identifier: MIT */
/* libxenstore's handle, and how each call of it is guarded: for store.c and store_batch.c alone. */
#ifndef XEND_RUNTIME_STORE_XS_H
#define XEND_RUNTIME_STORE_XS_H

#include <xenstore.h>

#include "xend/runtime/store.h"
#include "xend/runtime/store_link.h"

extern struct xs_handle *store_xs;

/*
 * Formats a path. Only a bug of xend makes one too long; the call then gets a path that does not
 * exist.
 */
__attribute__((format(printf, 2, 0))) void store_format_path(char path[STORE_PATH_MAX],
							     const char *fmt, va_list ap);

#define PATH_OF(path, fmt)                         \
	char path[STORE_PATH_MAX];                 \
	do {                                       \
		va_list ap_;                       \
		va_start(ap_, fmt);                \
		store_format_path(path, fmt, ap_); \
		va_end(ap_);                       \
	} while (0)

/* 0 or a positive errno; EAGAIN: another change came between. */
/* Tries of a transaction that other transactions disturb. */
#define STORE_COMMIT_TRIES 100
int store_end_transaction(xs_transaction_t t, bool abort);

/* Does result = call, a call of libxenstore. If it fails, errno has xenstored's own answer. */
#define ASK(result, call)                   \
	do {                                \
		store_link_ask();           \
		(result) = (call);          \
		store_link_answered();      \
		if (!(result))              \
			store_link_check(); \
	} while (0)

#endif
