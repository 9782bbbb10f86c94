/* SPDX-License-Identifier: MIT */
/* The screen as the loader leaves it. */
#ifndef X86_BOOT_VIDEO_H
#define X86_BOOT_VIDEO_H

#include "lib/types.h"

enum video_kind { VIDEO_NONE, VIDEO_TEXT, VIDEO_FRAMEBUFFER };

struct video_channel {
	u8 pos, size; /* bits of a pixel */
};

struct video {
	enum video_kind kind;
	paddr_t addr;
	u32 pitch;	   /* bytes from one line to the next */
	u32 width, height; /* characters in text mode, else pixels */
	u8 bpp;		   /* bits of a pixel */
	struct video_channel red, green, blue;
	bool efi; /* UEFI set the mode, not a video BIOS */
	/* Of a video BIOS (VBE 3.0, 4.3 and 4.4): capabilities, and attributes of the mode. */
	u32 vbe_capabilities;
	u16 vbe_attributes;
};

/*
 * The text screen that a BIOS leaves, if the loader says nothing: kind is VIDEO_NONE if the BIOS's
 * data tell of no text mode. bios_data: the 256 bytes at 0x400.
 */
void video_from_bios(const u8 *bios_data, struct video *v);

struct dom0_vga_console_info;
/* What Domain-0 is told of the screen. False: nothing. */
bool video_describe(const struct video *v, struct dom0_vga_console_info *info);

#endif
