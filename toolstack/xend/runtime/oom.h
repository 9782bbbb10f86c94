/* SPDX-License-Identifier: MIT */
/* The OOM killer in Domain-0: it should kill any other process before xend. */
#ifndef XEND_RUNTIME_OOM_H
#define XEND_RUNTIME_OOM_H

/*
 * Lowers xend's own oom_score_adj, unless somebody (systemd, by the unit file) has set it already.
 */
void oom_protect_self(void);
/*
 * In a child before execve(): sets the score back to an ordinary process's. Uses only calls that
 * are safe after fork().
 */
void oom_unprotect_child(void);

#endif
