/* SPDX-License-Identifier: MIT */
/* `xm trust`. */
#ifndef XM_COMMANDS_TRUST_H
#define XM_COMMANDS_TRUST_H

#include "xm/command.h"

extern const struct xm_option trust_options[];
int trust_run(const struct xm_args *args);

#endif
