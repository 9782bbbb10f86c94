/* SPDX-License-Identifier: MIT */
/*
 * The guest's end of a device that is taken from it. Linux gives a device back first (its frontend
 * is closed), and removes it after it has seen that the frontend's directory is gone. A new device
 * that is in that directory by then is not noticed, or the guest waits for ever for the backend of
 * the old one, and takes no device any more. So xend waits until the guest has removed it, which
 * shows in the hypervisor: the guest closes the device's event channel.
 */
#ifndef XEND_DEVICE_GUEST_END_H
#define XEND_DEVICE_GUEST_END_H

#include <stdint.h>

struct device;

/*
 * The guest's port to the backend, as the guest says, before the device's nodes are removed. 0: it
 * has named none.
 */
uint32_t guest_end_port(const struct device *device);
/*
 * In a task, after the nodes were removed: waits until that port is not bound to the backend's
 * domain any more, for ten seconds at most. A guest that names a wrong port delays this.
 */
void guest_end_wait(const struct device *device, uint32_t port);

#endif
