/* SPDX-License-Identifier: MIT */
/* `xm guests`: all guests of the host start and end with it. */
#ifndef XM_COMMANDS_GUESTS_H
#define XM_COMMANDS_GUESTS_H

struct xm_args;
struct xm_option;

extern const struct xm_option guests_options[];
int guests_run(const struct xm_args *args);

#endif
