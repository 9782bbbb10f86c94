/* SPDX-License-Identifier: MIT */
/* `xm evacuate`: moves all domains of this host to others. */
#ifndef XM_COMMANDS_EVACUATE_H
#define XM_COMMANDS_EVACUATE_H

#include "xm/command.h"

extern const struct xm_option evacuate_options[];

int evacuate_run(const struct xm_args *args);

#endif
