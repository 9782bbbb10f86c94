/* SPDX-License-Identifier: MIT */
/* Tells the network where a domain's interfaces are now. */
#ifndef XEND_DEVICE_ANNOUNCE_H
#define XEND_DEVICE_ANNOUNCE_H

struct domain;

/*
 * Sends a frame from each interface's address to all, so that switches learn the new way. Most
 * guests announce themselves; that does not help one whose kernel does not. Failure is logged.
 */
void announce_interfaces(const struct domain *domain);

#endif
