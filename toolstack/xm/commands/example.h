/* SPDX-License-Identifier: MIT */
#ifndef XM_COMMANDS_EXAMPLE_H
#define XM_COMMANDS_EXAMPLE_H

#include "xm/command.h"

/* `xm create --example`: writes the file of a first guest. */
int example_write(const struct xm_args *args);

#endif
