/* SPDX-License-Identifier: MIT */
/* The host's network as xend-config.sxp wants it: its network-script. */
#ifndef XEND_DEVICE_NETWORK_H
#define XEND_DEVICE_NETWORK_H

/*
 * In a task: runs the network-script, if there is one, as `SCRIPT start ARGUMENTS` and waits for
 * it. When it fails the log says so: domains without interfaces can run all the same.
 */
void network_start(void);

#endif
