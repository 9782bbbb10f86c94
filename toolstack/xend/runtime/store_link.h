/* SPDX-License-Identifier: MIT */
/*
 * The connection to xenstored. xenstored cannot be restarted without losing all that it knows, so
 * its end is ours: what it does not answer is never taken for "not there".
 */
#ifndef XEND_RUNTIME_STORE_LINK_H
#define XEND_RUNTIME_STORE_LINK_H

#include <uv.h>
#include <xenstore.h>

#include "lib/error.h"

/* Milliseconds that xenstored has for an answer; it takes microseconds. Less than the service's
 * WatchdogSec. */
extern unsigned int store_patience;

/*
 * Connects and sees that xenstored answers. From then on xend ends with XEND_EXIT_STORE, and says
 * why, when xenstored does. -ENOTCONN if it does not run.
 */
int store_link_open(uv_loop_t *loop, struct xs_handle **xs, struct error **e);
void store_link_close(void);

/*
 * Around each call of libxenstore, which waits as long as xenstored lets it: after store_patience
 * xend ends. Neither changes errno.
 */
void store_link_ask(void);
void store_link_answered(void);

/* After a call that failed, errno untouched: returns if xenstored itself said no; ends xend if the
 * connection is broken. */
void store_link_check(void);
/* Ends xend: xenstored cannot do what it must be able to. */
__attribute__((noreturn, format(printf, 1, 2))) void store_link_lost(const char *fmt, ...);

#endif
