/* SPDX-License-Identifier: MIT */
/* Translates what the loader says of the screen into the public interface's words for Domain-0. */
#include "x86/boot/video.h"

#include <xen/xen.h>
#include "hv/config.h"
#include "lib/string.h"

/* Offsets in the BIOS's data area, which every PC BIOS keeps. */
#define BDA_VIDEO_MODE 0x49
#define BDA_COLUMNS    0x4a
#define BDA_LAST_ROW   0x84

#define MODE_TEXT_COLOR 3
#define TEXT_COLUMNS	80
#define TEXT_ROWS	25
#define TEXT_ADDR	0xb8000
#define TEXT_FONT	16
#define LFB_UNIT	KiB(64)

void __init video_from_bios(const u8 *bios_data, struct video *v)
{
	u8 rows = (u8)(bios_data[BDA_LAST_ROW] + 1);

	memset(v, 0, sizeof(*v));
	if (bios_data[BDA_VIDEO_MODE] != MODE_TEXT_COLOR || bios_data[BDA_COLUMNS] != TEXT_COLUMNS)
		return;
	v->kind = VIDEO_TEXT;
	v->addr = TEXT_ADDR;
	v->width = TEXT_COLUMNS;
	v->height = rows >= TEXT_ROWS && rows <= 60 ? rows : TEXT_ROWS;
	v->pitch = TEXT_COLUMNS * 2;
}

static void __init describe_framebuffer(const struct video *v, struct dom0_vga_console_info *info)
{
	info->video_type = v->efi ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
	info->u.vesa_lfb.width = (u16)v->width;
	info->u.vesa_lfb.height = (u16)v->height;
	info->u.vesa_lfb.bytes_per_line = (u16)v->pitch;
	info->u.vesa_lfb.bits_per_pixel = v->bpp;
	info->u.vesa_lfb.lfb_base = (u32)v->addr;
	info->u.vesa_lfb.ext_lfb_base = (u32)(v->addr >> 32);
	info->u.vesa_lfb.lfb_size = (u32)DIV_ROUND_UP((u64)v->pitch * v->height, LFB_UNIT);
	info->u.vesa_lfb.red_pos = v->red.pos;
	info->u.vesa_lfb.red_size = v->red.size;
	info->u.vesa_lfb.green_pos = v->green.pos;
	info->u.vesa_lfb.green_size = v->green.size;
	info->u.vesa_lfb.blue_pos = v->blue.pos;
	info->u.vesa_lfb.blue_size = v->blue.size;
	if (v->bpp == 32) {
		/* The byte that no colour uses. */
		info->u.vesa_lfb.rsvd_size = 8;
		info->u.vesa_lfb.rsvd_pos = v->red.pos && v->green.pos && v->blue.pos ? 0 : 24;
	}
	info->u.vesa_lfb.gbl_caps = v->vbe_capabilities;
	info->u.vesa_lfb.mode_attrs = v->vbe_attributes;
}

bool __init video_describe(const struct video *v, struct dom0_vga_console_info *info)
{
	memset(info, 0, sizeof(*info));
	switch (v->kind) {
	case VIDEO_TEXT:
		info->video_type = XEN_VGATYPE_TEXT_MODE_3;
		info->u.text_mode_3.font_height = TEXT_FONT;
		info->u.text_mode_3.rows = (u16)v->height;
		info->u.text_mode_3.columns = (u16)v->width;
		info->u.text_mode_3.cursor_y = (u16)(v->height - 1);
		return true;
	case VIDEO_FRAMEBUFFER:
		/* The interface has 16 bits for each. */
		if (v->width > 0xffff || v->height > 0xffff || v->pitch > 0xffff)
			return false;
		describe_framebuffer(v, info);
		return true;
	case VIDEO_NONE:
		break;
	}
	return false;
}
