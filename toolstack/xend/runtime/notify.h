/* SPDX-License-Identifier: MIT */
/* systemd's protocol of readiness and watchdog (sd_notify(3)): datagrams to the socket that
 * NOTIFY_SOCKET names. */
#ifndef XEND_RUNTIME_NOTIFY_H
#define XEND_RUNTIME_NOTIFY_H

#include <uv.h>

/* Sends "READY=1" or another assignment; nothing without NOTIFY_SOCKET. */
void notify_send(const char *state);
/* With WATCHDOG_USEC set, says at half that interval that the loop turns; otherwise no timer
 * exists. */
void notify_start_watchdog(uv_loop_t *loop);
void notify_stop_watchdog(void);

#endif
