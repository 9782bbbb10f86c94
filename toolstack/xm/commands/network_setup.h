/* SPDX-License-Identifier: MIT */
/* `xm network-setup`: a bridge for guests by one command. */
#ifndef XM_COMMANDS_NETWORK_SETUP_H
#define XM_COMMANDS_NETWORK_SETUP_H

#include "xm/command.h"

int network_setup_run(const struct xm_args *args);

extern const struct xm_option network_setup_options[];

#endif
