/* SPDX-License-Identifier: MIT */
/* The daemon as a whole. */
#ifndef XEND_XEND_H
#define XEND_XEND_H

#include <stdbool.h>
#include <time.h>

#define XEND_LOG_PATH  "/var/log/xen/xend.log"
#define XEND_LOG_LIMIT (4 * 1024 * 1024)
#define XEND_PID_PATH  "/run/xend/xend.pid"
/*
 * The exit status when xenstored does not run, does not answer or has ended (sysexits.h:
 * EX_UNAVAILABLE).
 */
#define XEND_EXIT_STORE 69

extern time_t xend_start_time;
/* Whether xend has been told to stop and is undoing its operations. */
bool xend_is_stopping(void);

#endif
