/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_DOM0_H
#define X86_BOOT_DOM0_H

#include "x86/boot/video.h"
#include "x86/pv/pv.h"

/*
 * Builds Domain-0, tells it of the screen, gives it the machine's devices, and unpauses it: it runs
 * once the idle loop begins. Panics on failure.
 */
void dom0_start(const struct boot_module *kernel, const struct boot_module *ramdisk,
		const struct video *video);

#endif
