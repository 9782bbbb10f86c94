/* SPDX-License-Identifier: MIT */
/* `xm create` and `xm new`: make a domain from its configuration file. */
#ifndef XM_COMMANDS_CREATE_H
#define XM_COMMANDS_CREATE_H

#include "xm/command.h"

extern const struct xm_option create_options[];
extern const struct xm_option new_options[];

int create_run(const struct xm_args *args);
int new_run(const struct xm_args *args);

#endif
