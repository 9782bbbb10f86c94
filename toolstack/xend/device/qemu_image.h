/* SPDX-License-Identifier: MIT */
/*
 * Whether a running QEMU still has an image open. That its backend is Closed, or gone from
 * xenstore, does not say so: QEMU says both before it closes the image, which may wait for a file
 * server. And one that does not answer may be about to open it.
 */
#ifndef XEND_DEVICE_QEMU_IMAGE_H
#define XEND_DEVICE_QEMU_IMAGE_H

#include <stdbool.h>

struct device;

/*
 * In a task. Waits for a while until the domain's QEMU has surely let go of the image of a device
 * whose backend is closed. True: it may have it still.
 */
bool qemu_image_is_held(const struct device *device);

#endif
