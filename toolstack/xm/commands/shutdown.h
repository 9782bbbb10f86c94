/* SPDX-License-Identifier: MIT */
/*
 * `xm shutdown` and `xm reboot` for one, several or all domains, with or without waiting for the
 * end.
 */
#ifndef XM_COMMANDS_SHUTDOWN_H
#define XM_COMMANDS_SHUTDOWN_H

struct xm_args;

int shutdown_run(const struct xm_args *args);
int reboot_run(const struct xm_args *args);

#endif
