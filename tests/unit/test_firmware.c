/* SPDX-License-Identifier: MIT */
/* What boot takes from UEFI's system table, and what Domain-0 is told of the screen. */
/* links: hypervisor/x86/boot/efi.c hypervisor/x86/boot/video.c */
#include "x86/boot/efi.h"
#include "x86/boot/video.h"

#include <string.h>
#include <xen/xen.h>
#include "hv/arch/control.h"
#include "hv/console.h"
#include "unit.h"

#define TABLE  0x7f5ec018UL
#define VENDOR 0x7f5ec0a0UL

static u8 memory[256] __attribute__((aligned(8))); /* from TABLE on */

static const void *memory_at(u64 addr, size_t size)
{
	return addr >= TABLE && addr - TABLE < sizeof(memory) &&
			       size <= sizeof(memory) - (addr - TABLE) ?
		       memory + (addr - TABLE) :
		       NULL;
}

static void put(size_t at, u64 value, size_t size)
{
	memcpy(memory + at, &value, size);
}

static int system_table(void **state)
{
	memset(memory, 0, sizeof(memory));
	put(0, 0x5453595320494249, 8);
	put(8, 2 << 16 | 70, 4);
	put(24, VENDOR, 8);
	put(32, 0x10000, 4);
	put(104, 11, 8);
	put(112, 0x7f5ebc98, 8);
	memcpy(memory + (VENDOR - TABLE), u"EDK II", sizeof(u"EDK II"));
	return 0;
}

static void uefi_is_kept(void **state)
{
	const struct efi_info *info;

	efi_read_system_table(TABLE, memory_at);
	info = arch_efi_info();
	assert_non_null(info);
	assert_int_equal(info->config_tables, 0x7f5ebc98);
	assert_int_equal(info->nr_config_tables, 11);
	assert_int_equal(info->revision, 2 << 16 | 70);
	assert_memory_equal(info->vendor, u"EDK II", sizeof(u"EDK II"));
}

static void no_uefi(void **state)
{
	efi_read_system_table(0, memory_at);
	assert_null(arch_efi_info());
}

static void damaged_system_tables(void **state)
{
	put(0, 0, 8);
	efi_read_system_table(TABLE, memory_at);
	assert_null(arch_efi_info());
	system_table(state);
	put(104, 1UL << 40, 8);
	efi_read_system_table(TABLE, memory_at);
	assert_null(arch_efi_info());
	system_table(state);
	efi_read_system_table(0x180000000, memory_at);
	assert_null(arch_efi_info());
	efi_read_system_table(TABLE + 200, memory_at);
	assert_null(arch_efi_info());
}

/* A name without an end, up to where memory ends. */
static void endless_vendor(void **state)
{
	const struct efi_info *info;

	memset(memory + (VENDOR - TABLE), 'x', sizeof(memory) - (VENDOR - TABLE));
	efi_read_system_table(TABLE, memory_at);
	info = arch_efi_info();
	assert_non_null(info);
	assert_int_equal(info->vendor[(sizeof(memory) - (VENDOR - TABLE)) / 2], 0);
	assert_int_equal(info->vendor[ARRAY_SIZE(info->vendor) - 1], 0);
}

/* --- the screen --- */

static void text_of_a_bios(void **state)
{
	u8 bios[256] = { [0x49] = 3, [0x4a] = 80, [0x84] = 24 };
	struct dom0_vga_console_info info;
	struct video v;

	video_from_bios(bios, &v);
	assert_int_equal(v.kind, VIDEO_TEXT);
	assert_int_equal(v.addr, 0xb8000);
	assert_true(video_describe(&v, &info));
	assert_int_equal(info.video_type, XEN_VGATYPE_TEXT_MODE_3);
	assert_int_equal(info.u.text_mode_3.rows, 25);
	assert_int_equal(info.u.text_mode_3.columns, 80);
}

static void a_bios_without_a_screen(void **state)
{
	u8 bios[256] = { 0 };
	struct dom0_vga_console_info info;
	struct video v;

	video_from_bios(bios, &v);
	assert_int_equal(v.kind, VIDEO_NONE);
	assert_false(video_describe(&v, &info));
}

/* Above 4 GiB, as cards with large memory are. */
static void framebuffer_of_uefi(void **state)
{
	struct dom0_vga_console_info info;
	struct video v = { .kind = VIDEO_FRAMEBUFFER,
			   .efi = true,
			   .addr = 0x4080000000,
			   .width = 1920,
			   .height = 1080,
			   .pitch = 7680,
			   .bpp = 32,
			   .red = { 16, 8 },
			   .green = { 8, 8 },
			   .blue = { 0, 8 } };

	assert_true(video_describe(&v, &info));
	assert_int_equal(info.video_type, XEN_VGATYPE_EFI_LFB);
	assert_int_equal(info.u.vesa_lfb.lfb_base, 0x80000000);
	assert_int_equal(info.u.vesa_lfb.ext_lfb_base, 0x40);
	assert_int_equal(info.u.vesa_lfb.lfb_size, 127); /* units of 64 KiB, rounded up */
	assert_int_equal(info.u.vesa_lfb.red_pos, 16);
	assert_int_equal(info.u.vesa_lfb.rsvd_pos, 24);
	v.efi = false;
	v.vbe_attributes = 0x9b;
	assert_true(video_describe(&v, &info));
	assert_int_equal(info.video_type, XEN_VGATYPE_VESA_LFB);
	assert_int_equal(info.u.vesa_lfb.mode_attrs, 0x9b);
	v.pitch = 0x10000;
	assert_false(video_describe(&v, &info));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(uefi_is_kept, system_table),
		cmocka_unit_test_setup(no_uefi, system_table),
		cmocka_unit_test_setup(damaged_system_tables, system_table),
		cmocka_unit_test_setup(endless_vendor, system_table),
		cmocka_unit_test(text_of_a_bios),
		cmocka_unit_test(a_bios_without_a_screen),
		cmocka_unit_test(framebuffer_of_uefi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
