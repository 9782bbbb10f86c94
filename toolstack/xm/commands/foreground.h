/* SPDX-License-Identifier: MIT */
/* `xm create --foreground`: stays until the domain has ended. */
#ifndef XM_COMMANDS_FOREGROUND_H
#define XM_COMMANDS_FOREGROUND_H

/*
 * Waits until no domain with that UUID runs; a reboot is no end, nor is xend's restart. Returns an
 * enum xm_status: XM_FAILED if xend left the domain down for a reason, or cannot be asked any more.
 */
int foreground_wait(const char *uuid, const char *name);

#endif
