/* SPDX-License-Identifier: MIT */
/*
 * The console on the screen: a VGA's text mode, or a linear framebuffer, on which each character
 * takes 8 x 16 pixels. The font is Fixed of Debian's package console-setup-linux, which is in the
 * public domain.
 */
#include "x86/boot/screen.h"

#include "hv/cmdline.h"
#include "hv/console.h"
#include "lib/text_screen.h"
#include "screen_font.h"
#include "x86/boot/memory_map.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"
#include "x86/map_device.h"

#define FONT_WIDTH  8
#define FONT_HEIGHT 16
#define FONT_FIRST  ' '
#define VGA_GREY    0x0700 /* the attribute of a character in text mode */
#define GREY	    0xaa   /* of 255 */
/* The VGA's controller of the picture tube, as every text mode in colour has it. */
#define CRTC_INDEX	  0x3d4
#define CRTC_DATA	  0x3d5
#define CRTC_CURSOR_START 0x0a
#define CURSOR_OFF	  0x20
#define CRTC_START_HIGH	  0x0c
#define CRTC_START_LOW	  0x0d

static struct text_screen text;
static struct video video;
static volatile u8 *memory; /* NULL: not within reach */
static u32 colour;	    /* of a pixel of a letter */

static void draw_text(unsigned int x, unsigned int y, char c)
{
	if (memory)
		*(volatile u16 *)(memory + (size_t)y * video.pitch + (size_t)x * 2) =
			(u16)(VGA_GREY | (u8)c);
}

static void draw_pixel(volatile u8 *at, u32 pixel)
{
	switch (video.bpp) {
	case 32:
		*(volatile u32 *)at = pixel;
		break;
	case 24:
		at[0] = (u8)pixel;
		at[1] = (u8)(pixel >> 8);
		at[2] = (u8)(pixel >> 16);
		break;
	default:
		*(volatile u16 *)at = (u16)pixel;
	}
}

static void draw_pixels(unsigned int x, unsigned int y, char c)
{
	const u8 *glyph = screen_font[c - FONT_FIRST];
	unsigned int bytes = (video.bpp + 7U) / 8;

	for (unsigned int row = 0; memory && row < FONT_HEIGHT; row++) {
		volatile u8 *at = memory + (size_t)(y * FONT_HEIGHT + row) * video.pitch +
				  (size_t)x * FONT_WIDTH * bytes;

		for (unsigned int column = 0; column < FONT_WIDTH; column++, at += bytes)
			draw_pixel(at, glyph[row] & 0x80U >> column ? colour : 0);
	}
}

/* The last line of a panic must leave the processor's write-combining buffers, too. */
static void put(const char *line, size_t len)
{
	text_screen_put(&text, line, len);
	sfence();
}

static void crtc_write(u8 reg, u8 value)
{
	outb(CRTC_INDEX, reg);
	outb(CRTC_DATA, value);
}

/*
 * In text mode the screen shows our memory's beginning, which Linux moves away from as it scrolls,
 * and no cursor, which is not where we write and hides a character.
 */
static void set_up_text(void)
{
	if (video.kind != VIDEO_TEXT)
		return;
	crtc_write(CRTC_CURSOR_START, CURSOR_OFF);
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
}

static void clear(void)
{
	set_up_text();
	text_screen_clear(&text);
}

static const struct console_screen screen = { .put = put, .clear = clear };

static size_t memory_size(void)
{
	return (size_t)video.pitch *
	       (video.kind == VIDEO_TEXT ? text.rows : text.rows * FONT_HEIGHT);
}

/* Where the loader says that the screen is, nothing of ours may lie. */
static bool __init apart_from_ram(void)
{
	return !memory_map_has(video.addr, video.addr + memory_size(), E820_RAM);
}

static u32 __init channel(struct video_channel c)
{
	return c.size && c.size <= 8 && c.pos < 32 ? (u32)GREY >> (8 - c.size) << c.pos : 0;
}

static bool __init usable(void)
{
	if (video.kind == VIDEO_TEXT)
		return video.width && video.height && video.pitch >= 2 * (u64)video.width;
	return video.kind == VIDEO_FRAMEBUFFER && video.width >= FONT_WIDTH &&
	       video.height >= FONT_HEIGHT && video.bpp >= 15 && video.bpp <= 32 &&
	       video.pitch >= (u64)video.width * ((video.bpp + 7U) / 8) && colour;
}

void __init screen_init(const struct video *v)
{
	if (!boot_options.console_vga)
		return;
	video = *v;
	colour = channel(v->red) | channel(v->green) | channel(v->blue);
	if (!usable()) {
		video.kind = VIDEO_NONE;
		return;
	}
	if (video.kind == VIDEO_TEXT)
		text_screen_init(&text, video.width, video.height, draw_text);
	else
		text_screen_init(&text, video.width / FONT_WIDTH, video.height / FONT_HEIGHT,
				 draw_pixels);
	if (video.kind == VIDEO_FRAMEBUFFER && !apart_from_ram()) {
		log_warn("no console on the screen: its memory at %#lx is RAM", video.addr);
		video.kind = VIDEO_NONE;
		return;
	}
	if (video.addr < GiB(4) && memory_size() <= GiB(4) - video.addr)
		memory = (volatile u8 *)video.addr;
	set_up_text();
	text_screen_redraw(&text);
	console_set_screen(&screen);
}

void __init screen_pause(void)
{
	memory = NULL;
}

void __init screen_map(void)
{
	if (video.kind == VIDEO_NONE)
		return;
	if (video.addr > BIT(cpu_features.paddr_bits) - memory_size()) {
		log_warn("no console on the screen: the processor cannot address it, at %#lx",
			 video.addr);
		return;
	}
	memory = video.kind == VIDEO_TEXT ? map_device(video.addr, memory_size()) :
					    map_framebuffer(video.addr, memory_size());
	if (memory)
		text_screen_redraw(&text);
	else
		log_warn("not enough memory for the console on the screen");
}
