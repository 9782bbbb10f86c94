/* SPDX-License-Identifier: MIT */
/* Whom the kernel ends when Domain-0 runs out of memory: any other process before xend. */
#ifndef XEND_RUNTIME_OOM_H
#define XEND_RUNTIME_OOM_H

/* xend itself; a score that somebody set (systemd, by the service's file) stays as it is. */
void oom_protect_self(void);
/* In a child, before it becomes another program: that program is like any other. Only calls that
 * are safe after fork(). */
void oom_unprotect_child(void);

#endif
