/* SPDX-License-Identifier: MIT */
/*
 * Bridges of Linux. xend connects ordinary interfaces itself, as the script vif-bridge would:
 * starting a shell with a dozen programs costs more than all the rest of a device.
 */
#ifndef XEND_DEVICE_BRIDGE_H
#define XEND_DEVICE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

/*
 * The bridge that a name means, to be freed: itself, or eth0 for an absent xenbr0 if eth0 is a
 * bridge (the names that network-bridge once gave). NULL: there is no such bridge.
 */
char *bridge_find(const char *name);
/* Whether Domain-0 has a network interface of that name. */
bool bridge_interface_exists(const char *name);
/*
 * Connects an interface that is down: gives it the address fe:ff:ff:ff:ff:ff (so that the bridge
 * does not take its address from it) and the name `rename` (NULL: it keeps its own), puts it on the
 * bridge and brings it up. *mtu: bytes of a packet; 0: the bridge's, which is then stored there.
 * -EEXIST: another interface has the new name.
 */
int bridge_connect(const char *bridge, const char *interface, const char *rename, uint64_t *mtu,
		   struct error **e);

#endif
