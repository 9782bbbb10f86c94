/* SPDX-License-Identifier: MIT */
/*
 * Reads what a Multiboot 1 or 2 loader passes: command lines, modules, memory map, ACPI's root
 * pointer.
 */
#include "x86/boot/boot.h"

#include "hv/config.h"
#include "hv/console.h"
#include "lib/string.h"
#include "x86/boot/efi.h"
#include "x86/boot/memory_map.h"

#define MB1_BOOT_MAGIC 0x2badb002
#define MB2_BOOT_MAGIC 0x36d76289

#define BIOS_DATA 0x400

#define MB1_CMDLINE BIT(2)
#define MB1_MODULES BIT(3)
#define MB1_MMAP    BIT(6)
#define MB1_LOADER  BIT(9)

/* Multiboot 0.6.96, 3.3: the part that we use. */
struct mb1_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4],
		mmap_length, mmap_addr;
	u32 drives[2], config_table, boot_loader_name;
};
struct mb1_module {
	u32 start, end, string, reserved;
};
struct mb1_mmap {
	u32 size; /* of what follows */
	u64 addr, len;
	u32 type;
} __packed;

/* Multiboot 2, 3.6. */
struct mb2_tag {
	u32 type, size;
};
enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER = 2,
	MB2_MODULE = 3,
	MB2_MMAP = 6,
	MB2_VBE = 7,
	MB2_FRAMEBUFFER = 8,
	MB2_EFI32 = 11,
	MB2_EFI64 = 12,
	MB2_ACPI_OLD = 14,
	MB2_ACPI_NEW = 15,
	MB2_EFI_MMAP = 17
};
struct mb2_module {
	struct mb2_tag tag;
	u32 start, end;
	char string[];
};
struct mb2_mmap {
	struct mb2_tag tag;
	u32 entry_size, entry_version;
	struct {
		u64 addr, len;
		u32 type, reserved;
	} entries[];
};

struct mb2_vbe {
	struct mb2_tag tag;
	u16 mode, interface_seg, interface_off, interface_len;
	u8 control_info[512], mode_info[256]; /* VBE 3.0, 4.3 and 4.4 */
};
#define VBE_CAPABILITIES    10 /* in control_info */
#define VBE_MODE_ATTRIBUTES 0  /* in mode_info */
struct mb2_framebuffer {
	struct mb2_tag tag;
	u64 addr;
	u32 pitch, width, height;
	u8 bpp, type;
	u16 reserved;
	struct video_channel red, green, blue; /* of MB2_RGB only */
};
_Static_assert(offsetof(struct mb2_framebuffer, red) == 32, "Multiboot 2, 3.6.12");
enum { MB2_INDEXED = 0, MB2_RGB = 1, MB2_TEXT = 2 };
struct mb2_efi64 {
	struct mb2_tag tag;
	u64 system_table;
};
struct mb2_efi_mmap {
	struct mb2_tag tag;
	u32 entry_size, entry_version;
	u8 entries[];
};

struct boot_info boot_info __section(".init.bss");

/* The boot page tables map machine addresses below 4 GiB 1:1. */
static const void *__init low(u32 addr)
{
	return (const void *)(unsigned long)addr;
}

static void __init add_module(u32 start, u32 end, const char *cmdline)
{
	unsigned int n = boot_info.nr_modules;

	if (n == BOOT_MODULES_MAX || end < start) {
		log_warn("boot module ignored: %s", cmdline);
		return;
	}
	str_copy(boot_info.module_cmdlines[n], cmdline, sizeof(boot_info.module_cmdlines[n]));
	boot_info.modules[n] =
		(struct boot_module){ start, end - start, boot_info.module_cmdlines[n] };
	boot_info.nr_modules++;
	memory_map_reserve(start, end);
}

static void __init parse_mb1(const struct mb1_info *mb)
{
	if (mb->flags & MB1_LOADER)
		str_copy(boot_info.loader, low(mb->boot_loader_name), sizeof(boot_info.loader));
	if (mb->flags & MB1_CMDLINE)
		str_copy(boot_info.cmdline, low(mb->cmdline), sizeof(boot_info.cmdline));
	if (mb->flags & MB1_MMAP) {
		for (u64 pos = 0; pos + sizeof(struct mb1_mmap) <= mb->mmap_length;) {
			const struct mb1_mmap *e = low(mb->mmap_addr + (u32)pos);

			memory_map_add(e->addr, e->len, e->type);
			pos += max((u64)e->size + sizeof(e->size), sizeof(*e));
		}
	}
	if (mb->flags & MB1_MODULES) {
		const struct mb1_module *mods = low(mb->mods_addr);

		for (u32 i = 0; i < mb->mods_count; i++)
			add_module(mods[i].start, mods[i].end,
				   mods[i].string ? low(mods[i].string) : "");
	}
}

static void __init parse_framebuffer(const struct mb2_framebuffer *f)
{
	struct video *v = &boot_info.video;

	v->addr = f->addr;
	v->pitch = f->pitch;
	v->width = f->width;
	v->height = f->height;
	v->bpp = f->bpp;
	if (f->type == MB2_TEXT) {
		v->kind = VIDEO_TEXT;
	} else if (f->type == MB2_RGB && f->tag.size >= sizeof(*f) - 2) {
		v->kind = VIDEO_FRAMEBUFFER;
		v->red = f->red;
		v->green = f->green;
		v->blue = f->blue;
	}
}

static void __init parse_vbe(const struct mb2_vbe *vbe)
{
	memcpy(&boot_info.video.vbe_capabilities, vbe->control_info + VBE_CAPABILITIES,
	       sizeof(boot_info.video.vbe_capabilities));
	memcpy(&boot_info.video.vbe_attributes, vbe->mode_info + VBE_MODE_ATTRIBUTES,
	       sizeof(boot_info.video.vbe_attributes));
}

static void __init parse_mb2_mmap(const struct mb2_mmap *m)
{
	for (u64 at = sizeof(*m);
	     m->entry_size >= sizeof(m->entries[0]) && at + m->entry_size <= m->tag.size;
	     at += m->entry_size) {
		const __typeof__(m->entries[0]) *e = (const void *)((const u8 *)m + at);

		memory_map_add(e->addr, e->len, e->type);
	}
}

/* The text after a tag's fields; "": there is none that ends within the tag. */
static const char *__init text_of(const struct mb2_tag *tag, size_t fields)
{
	for (size_t at = fields; at < tag->size; at++)
		if (!((const char *)tag)[at])
			return (const char *)tag + fields;
	return "";
}

/* A tag that is too short for its fields is left out. */
static void __init parse_mb2_tag(const struct mb2_tag *tag)
{
	switch (tag->type) {
	case MB2_CMDLINE:
		str_copy(boot_info.cmdline, text_of(tag, sizeof(*tag)), sizeof(boot_info.cmdline));
		break;
	case MB2_LOADER:
		str_copy(boot_info.loader, text_of(tag, sizeof(*tag)), sizeof(boot_info.loader));
		break;
	case MB2_MODULE: {
		const struct mb2_module *m = (const void *)tag;

		if (tag->size >= sizeof(*m))
			add_module(m->start, m->end, text_of(tag, sizeof(*m)));
		break;
	}
	case MB2_MMAP:
		if (tag->size >= sizeof(struct mb2_mmap))
			parse_mb2_mmap((const void *)tag);
		break;
	case MB2_EFI_MMAP: {
		const struct mb2_efi_mmap *m = (const void *)tag;

		if (tag->size >= sizeof(*m))
			efi_read_memory_map(m->entries, tag->size - sizeof(*m), m->entry_size);
		break;
	}
	case MB2_VBE:
		if (tag->size >= sizeof(struct mb2_vbe))
			parse_vbe((const void *)tag);
		break;
	case MB2_FRAMEBUFFER:
		if (tag->size >= offsetof(struct mb2_framebuffer, red))
			parse_framebuffer((const void *)tag);
		break;
	case MB2_EFI64:
		if (tag->size >= sizeof(struct mb2_efi64))
			boot_info.efi_system_table = ((const struct mb2_efi64 *)tag)->system_table;
		boot_info.video.efi = true;
		break;
	case MB2_EFI32:
		boot_info.video.efi = true;
		break;
	case MB2_ACPI_OLD:
	case MB2_ACPI_NEW:
		memcpy(boot_info.rsdp, tag + 1,
		       min(tag->size - sizeof(*tag), sizeof(boot_info.rsdp)));
		break;
	}
}

static void __init parse_mb2(u32 info)
{
	const u32 *total = low(info);
	u64 pos = (u64)info + 8, end = min((u64)info + *total, GiB(4));

	memory_map_reserve(info, end);
	while (pos + sizeof(struct mb2_tag) <= end) {
		const struct mb2_tag *tag = low((u32)pos);

		if (tag->type == MB2_END || tag->size < sizeof(*tag) || tag->size > end - pos)
			break;
		parse_mb2_tag(tag);
		pos += ROUND_UP((u64)tag->size, 8UL);
	}
}

/*
 * QEMU puts the file's name before a command line. GRUB does not, but its script for hypervisors
 * puts the word "placeholder" there, because some hypervisors expect a name.
 */
static void __init drop_file_name(char *line)
{
	bool has_name = !strncmp(boot_info.loader, "qemu", 4) || line[0] == '/' ||
			!strncmp(line, "placeholder ", 12);
	size_t first = 0;

	if (!has_name)
		return;
	while (line[first] && line[first] != ' ')
		first++;
	while (line[first] == ' ')
		first++;
	memmove(line, line + first, strlen(line + first) + 1);
}

void __init multiboot_parse(u32 magic, u32 info)
{
	if (magic == MB1_BOOT_MAGIC)
		parse_mb1(low(info));
	else if (magic == MB2_BOOT_MAGIC)
		parse_mb2(info);
	else
		str_copy(boot_info.loader, "unknown", sizeof(boot_info.loader));
	if (boot_info.video.kind == VIDEO_NONE && !boot_info.video.efi)
		video_from_bios(low(BIOS_DATA), &boot_info.video);
	drop_file_name(boot_info.cmdline);
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		drop_file_name(boot_info.module_cmdlines[i]);
}
