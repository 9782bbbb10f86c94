/* SPDX-License-Identifier: MIT */
/* What boot takes from a loader's information, whole and damaged. */
/* links: hypervisor/x86/boot/multiboot.c hypervisor/x86/boot/efi.c */
/* links: hypervisor/x86/boot/video.c hypervisor/lib/string.c hypervisor/lib/printf.c */
#include "x86/boot/boot.h"

#include <string.h>
#include <sys/mman.h>
#include "hv/arch/control.h"
#include "hv/config.h"
#include "hv/console.h"
#include "unit.h"
#include "x86/boot/efi.h"
#include "x86/boot/memory_map.h"

#define MB1   0x2badb002
#define MB2   0x36d76289
#define ROOM  (16 * PAGE_SIZE)
#define MAGIC 0x1badcafeUL

static struct {
	u64 start, size;
} ram[8];
static unsigned int nr_ram;

void memory_map_add(u64 start, u64 size, u32 type)
{
	assert_true(nr_ram < ARRAY_SIZE(ram));
	ram[nr_ram].start = start;
	ram[nr_ram++].size = size;
}

void memory_map_reserve(paddr_t start, paddr_t end)
{
}

void hv_log(enum loglevel level, const char *fmt, ...)
{
}

/* The loader's information, below 4 GiB; behind it is a page that nobody may read. */
static u8 *info;
static size_t used;

static int empty(void **state)
{
	if (!info) {
		info = mmap(NULL, ROOM + PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		assert_true(info != MAP_FAILED);
		assert_int_equal(mprotect(info + ROOM, PAGE_SIZE, PROT_NONE), 0);
	}
	memset(info, 0, ROOM);
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.video.efi = true; /* or the BIOS's data would be read */
	nr_ram = 0;
	efi_read_memory_map(NULL, 0, 0);
	used = 8;
	return 0;
}

/* Appends a tag of Multiboot 2 with these fields, which says that it has `claimed` bytes. */
static void tag_of(u32 type, const void *fields, size_t size, u32 claimed)
{
	u32 head[] = { type, claimed };

	memcpy(info + used, head, sizeof(head));
	memcpy(info + used + 8, fields, size);
	used += ROUND_UP(8 + size, 8);
}

static void tag(u32 type, const void *fields, size_t size)
{
	tag_of(type, fields, size, (u32)(8 + size));
}

/* The end of the information is the end of what may be read. */
static void parse(void)
{
	u32 total;
	u8 *at;

	tag(0, "", 0);
	total = (u32)used;
	memcpy(info, &total, sizeof(total));
	at = memmove(info + ROOM - used, info, used);
	multiboot_parse(MB2, (u32)(unsigned long)at);
}

struct __packed entry {
	u64 addr, len;
	u32 type, reserved;
};

static void map_tag(u32 entry_size, unsigned int entries)
{
	struct __packed {
		u32 entry_size, version;
		struct entry e[2];
	} map = { entry_size, 0, { { 0, 0xa0000, 1, 0 }, { MiB(1), GiB(1), 1, 0 } } };

	tag(6, &map, 8 + entries * sizeof(struct entry));
}

static void what_grub_says(void **state)
{
	struct __packed {
		u32 start, end;
		char words[24];
	} module = { MiB(16), MiB(24), "placeholder root=/dev/x" };
	u64 system_table = 0x7f5ec018;
	u32 screen[] = { 0xc0000000, 1, 4096, 1024, 768, 0x0120, 0x08080810, 0x0800 };

	tag(1, "placeholder dom0_mem=1G", 24);
	tag(2, "GRUB 2.06", 10);
	tag(3, &module, sizeof(module));
	map_tag(24, 2);
	tag(8, screen, 30);
	tag(12, &system_table, 8);
	tag(15, (char[36]){ "RSD PTR " }, 36);
	parse();
	assert_string_equal(boot_info.cmdline, "dom0_mem=1G");
	assert_string_equal(boot_info.loader, "GRUB 2.06");
	assert_int_equal(boot_info.nr_modules, 1);
	assert_int_equal(boot_info.modules[0].start, MiB(16));
	assert_string_equal(boot_info.module_cmdlines[0], "root=/dev/x");
	assert_int_equal(nr_ram, 2);
	assert_int_equal(ram[1].size, GiB(1));
	assert_int_equal(boot_info.video.kind, VIDEO_FRAMEBUFFER);
	assert_int_equal(boot_info.video.addr, 0x1c0000000);
	assert_int_equal(boot_info.efi_system_table, system_table);
	assert_memory_equal(boot_info.rsdp, "RSD PTR ", 8);
}

/* Entries of no size would have no end. */
static void a_map_of_short_entries(void **state)
{
	static const u32 sizes[] = { 0, 1, 23, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		empty(state);
		map_tag(sizes[i], 2);
		tag(12, &(u64){ MAGIC }, 8);
		parse();
		assert_int_equal(nr_ram, 0);
		assert_int_equal(boot_info.efi_system_table, MAGIC);
	}
}

static void a_map_of_longer_entries(void **state)
{
	map_tag(32, 2);
	parse();
	assert_int_equal(nr_ram, 1);
}

/* Each type of tag, cut at each length: nothing behind the information is read. */
static void tags_that_are_cut_short(void **state)
{
	for (u32 type = 1; type <= 21; type++) {
		for (u32 size = 0; size <= 48; size++) {
			u8 fields[48];

			empty(state);
			memset(fields, 0xff, sizeof(fields));
			tag(2, "GRUB", 5);
			tag(type, fields, size);
			parse();
			if (type == 1)
				assert_string_equal(boot_info.cmdline, "");
			else if (type != 2)
				assert_string_equal(boot_info.loader, "GRUB");
			if (type != 12 || size < 8)
				assert_int_equal(boot_info.efi_system_table, 0);
		}
	}
}

static void tags_that_claim_more_than_there_is(void **state)
{
	static const u32 sizes[] = { 0, 7, 1000, 0x7fffffff, 0xfffffff8, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		empty(state);
		tag(2, "GRUB", 5);
		tag_of(1, "words", 6, sizes[i]);
		parse();
		assert_string_equal(boot_info.loader, "GRUB");
		assert_string_equal(boot_info.cmdline, "");
	}
}

struct __packed mb1_entry {
	u32 size;
	u64 addr, len;
	u32 type;
};

/* Multiboot 1: what an entry says of its own length does not stop the reading, nor move it back. */
static void an_old_map_whose_entries_lie(void **state)
{
	static const u32 sizes[] = { 0, 3, 19, 20, 0xfffffffc, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct mb1_entry e = { sizes[i], MiB(1), GiB(1), 1 };
		u32 head[14] = { BIT(6) };

		empty(state);
		head[11] = sizeof(e);
		head[12] = (u32)(unsigned long)(info + ROOM - sizeof(e));
		memcpy(info, head, sizeof(head));
		memcpy(info + ROOM - sizeof(e), &e, sizeof(e));

		multiboot_parse(MB1, (u32)(unsigned long)info);
		assert_int_equal(nr_ram, 1);
	}
}

struct __packed piece {
	u32 type, padding;
	u64 start, virtual, pages, attributes, later;
};

static void the_memory_of_uefi(void **state)
{
	struct __packed {
		u32 entry_size, version;
		struct piece p[5];
	} map = { sizeof(struct piece),
		  1,
		  { { 7, 0, 0, 0, 16, 0xf, 0 },
		    { 7, 0, 16 * PAGE_SIZE, 0, 16, 0xf, 0 },
		    { 9, 0, 32 * PAGE_SIZE, 0, 4, 0xf, 0 },
		    { 6, 0, ~0UL - 4095, 0, 2, 0xf, 0 },
		    { 11, 0, GiB(5), 0, 1, 0x8000000000000001, 0 } } };

	tag(12, &(u64){ MAGIC }, 8);
	tag(17, &map, sizeof(map));
	parse();
	assert_int_equal(arch_efi_memory(17 * PAGE_SIZE)->size, 32 * PAGE_SIZE);
	assert_int_equal(arch_efi_memory(17 * PAGE_SIZE)->start, 0);
	assert_int_equal(arch_efi_memory(33 * PAGE_SIZE)->type, 9);
	assert_null(arch_efi_memory(36 * PAGE_SIZE));
	assert_null(arch_efi_memory(~0UL - 4095));
	assert_int_equal(arch_efi_memory(GiB(5) + 4095)->attributes, 0x8000000000000001);
	assert_null(arch_efi_memory(GiB(5) + 4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_grub_says, empty),
		cmocka_unit_test_setup(a_map_of_short_entries, empty),
		cmocka_unit_test_setup(a_map_of_longer_entries, empty),
		cmocka_unit_test_setup(tags_that_are_cut_short, empty),
		cmocka_unit_test_setup(tags_that_claim_more_than_there_is, empty),
		cmocka_unit_test_setup(an_old_map_whose_entries_lie, empty),
		cmocka_unit_test_setup(the_memory_of_uefi, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
