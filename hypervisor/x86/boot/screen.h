/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_SCREEN_H
#define X86_BOOT_SCREEN_H

#include "x86/boot/video.h"

/*
 * Boot, on the boot page tables: makes the screen a device of the console, if the option console
 * wants it. A framebuffer above 4 GiB shows nothing yet.
 */
void screen_init(const struct video *v);
/* Before paging_init: the screen shows nothing until screen_map. */
void screen_pause(void);
/* After paging_init: shows everything again, through a mapping that stays. */
void screen_map(void);

#endif
