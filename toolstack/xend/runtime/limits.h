/* SPDX-License-Identifier: MIT */
/* The limit of open descriptors: each guest that runs needs some, a usual limit is 1024. */
#ifndef XEND_RUNTIME_LIMITS_H
#define XEND_RUNTIME_LIMITS_H

/* The descriptors that xend wants: 4 for each of the 32,000 domains that can exist. */
#define LIMITS_DESCRIPTORS (128 * 1024)

/* Raises xend's own limit, as far as the kernel allows it, and says in the log if that is not far.
 */
void limits_raise(void);
/*
 * In a child before execve(): the limit that xend was started with, or the usual one of 1024. Some
 * programs close all descriptors that they may have, or use select(). Uses only calls that are safe
 * after fork().
 */
void limits_restore_in_child(void);

#endif
