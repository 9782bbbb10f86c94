/* SPDX-License-Identifier: MIT */
/*
 * The connection to xenstored. xenstored loses all that it knows when it restarts, so xend ends
 * when xenstored does. xend never takes a missing answer for "absent".
 */
#ifndef XEND_RUNTIME_STORE_LINK_H
#define XEND_RUNTIME_STORE_LINK_H

#include <uv.h>
#include <xenstore.h>

#include "lib/error.h"

/*
 * Milliseconds that xenstored may take to answer; it needs microseconds. Less than WatchdogSec of
 * xend.service.
 */
extern unsigned int store_patience;

/*
 * Connects, and checks that xenstored answers. -ENOTCONN: it does not run. From then on, when
 * xenstored ends or does not answer, xend logs why and exits with XEND_EXIT_STORE.
 */
int store_link_open(uv_loop_t *loop, struct xs_handle **xs, struct error **e);
void store_link_close(void);

/* A further connection to xenstored's socket. -errno: nobody listens there. */
int store_link_connect(void);

/*
 * Put these around each call of libxenstore, which itself waits without limit: after store_patience
 * xend ends. Neither changes errno.
 */
void store_link_ask(void);
void store_link_answered(void);

/*
 * Call this after a failed call, with errno untouched. Returns, errno unchanged, if xenstored
 * itself refused; ends xend if the connection is broken.
 */
void store_link_check(void);
/* Ends xend with XEND_EXIT_STORE because xenstored is lost; the format tells why. */
__attribute__((noreturn, format(printf, 1, 2))) void store_link_lost(const char *fmt, ...);

#endif
