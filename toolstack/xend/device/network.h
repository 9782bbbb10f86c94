/* SPDX-License-Identifier: MIT */
/* The network-script of xend-config.sxp, which sets up the host's network. */
#ifndef XEND_DEVICE_NETWORK_H
#define XEND_DEVICE_NETWORK_H

/*
 * In a task: runs the network-script, if there is one, as `SCRIPT start ARGUMENTS` and waits for
 * it. A failure only goes to the log, because domains without interfaces can still run.
 */
void network_start(void);

#endif
