/* SPDX-License-Identifier: MIT */
/*
 * systemd's readiness and watchdog protocol (sd_notify(3)): datagrams to the socket in
 * NOTIFY_SOCKET.
 */
#ifndef XEND_RUNTIME_NOTIFY_H
#define XEND_RUNTIME_NOTIFY_H

#include <uv.h>

/* Sends "READY=1" or another assignment. Does nothing without NOTIFY_SOCKET. */
void notify_send(const char *state);
/*
 * If WATCHDOG_USEC is set, sends "WATCHDOG=1" from the loop at half that interval. Without it there
 * is no timer.
 */
void notify_start_watchdog(uv_loop_t *loop);
void notify_stop_watchdog(void);

#endif
