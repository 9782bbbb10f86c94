/* SPDX-License-Identifier: MIT */
/* `xm migrate`: moves a domain to another host. */
#ifndef XM_COMMANDS_MIGRATE_H
#define XM_COMMANDS_MIGRATE_H

#include "xm/command.h"

extern const struct xm_option migrate_options[];

int migrate_run(const struct xm_args *args);
int migrate_keep_run(const struct xm_args *args);
int migrate_cancel_run(const struct xm_args *args);

#endif
