/* SPDX-License-Identifier: MIT */
/* A domain's screen in a window here. */
#ifndef XM_COMMANDS_VNCVIEWER_H
#define XM_COMMANDS_VNCVIEWER_H

struct xm_args;

/* `xm vncviewer`. */
int vncviewer_run(const struct xm_args *args);

#endif
