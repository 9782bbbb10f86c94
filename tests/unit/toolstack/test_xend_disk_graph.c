/* SPDX-License-Identifier: MIT */
/* A disk's identity and the chain of devices below it, read from /sys and /proc. */
/* links: toolstack/xend/device/disk_graph.c toolstack/lib/alloc.c toolstack/lib/str.c tests/unit/toolstack/disk_fixture.c */
#include "xend/device/disk_graph.h"
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "disk_fixture.h"
#include "unit.h"

/* The chain as text: devices by name, files as FILE, what is below a file system in brackets. */
static char *describe(const char *start)
{
	struct disk_chain chain;
	char *text = calloc(1, 256);

	disk_chain_build(&disk_fixture, disk_fixture_node(start), &chain);
	for (size_t i = 0; i < chain.nr; i++) {
		const struct disk_link *link = &chain.links[i];
		char *name = link->device ? disk_device_name(&disk_fixture, link->device) : NULL;
		size_t at = strlen(text);

		snprintf(text + at, 256 - at, "%s%s%s%s%s", i ? " " : "",
			 link->below_files ? "(" : "", name ? name : "",
			 link->node.inode ? "=FILE" : "", link->below_files ? ")" : "");
		free(name);
	}
	disk_chain_free(&chain);
	return text;
}

static void test_a_thing_and_what_it_lies_on(void **state)
{
	static const char *const cases[][2] = {
		{ "sda", "sda" },
		{ "sda1", "sda1 sda" },
		{ "dm-1", "dm-1 sda2 sda" },
		{ "md0", "md0 sdd1 sde1 sdd sde" },
		{ "nbd0", "nbd0" },
		{ "loop3", "loop3" },
		{ "image", "=FILE (sda1) (sda)" },
		{ "loop0", "loop0=FILE (sda1) (sda)" },
		{ "loop1", "loop1=FILE (sda1) (sda)" },
		{ "loop0p1", "loop0p1 loop0=FILE (sda1) (sda)" },
		/* btrfs gives its files a device number of its own. */
		{ "data-image", "=FILE (dm-1) (sda2) (sda)" },
		{ "loop2", "loop2=FILE (dm-1) (sda2) (sda)" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = describe(cases[i][0]);

		assert_string_equal(text, cases[i][1]);
		free(text);
	}
}

/* readdir() has no order, so either member may come first. */
static void test_members_are_all_there(void **state)
{
	struct disk_chain chain;

	disk_chain_build(&disk_fixture, disk_fixture_node("dm-3"), &chain);
	assert_int_equal(chain.nr, 4);
	assert_true(disk_node_equal(chain.links[1].node, disk_fixture_node("dm-2")));
	assert_non_null(disk_chain_find_node(&chain, disk_fixture_node("sdb")));
	assert_non_null(disk_chain_find_node(&chain, disk_fixture_node("sdc")));
	assert_null(disk_chain_find_node(&chain, disk_fixture_node("sda")));
	disk_chain_free(&chain);
}

static void test_two_loop_devices_over_one_file_are_one_disk(void **state)
{
	struct disk_chain a, b;

	disk_chain_build(&disk_fixture, disk_fixture_node("loop0"), &a);
	disk_chain_build(&disk_fixture, disk_fixture_node("loop1"), &b);
	assert_true(disk_node_equal(a.links->node, b.links->node));
	assert_true(disk_node_equal(a.links->node, disk_fixture_node("image")));
	assert_null(disk_chain_find_device(&a, disk_fixture_node("loop1").device));
	disk_chain_free(&a);
	disk_chain_free(&b);
}

/* As if the kernel had been asked, for a plain file and for one below a loop device. */
static void test_another_file_of_the_same_file_system(void **state)
{
	static const struct {
		const char *sibling, *file, *start;
	} rows[] = {
		{ "image", "other", "other" },		 { "loop0", "other", "other" },
		{ "other", "image", "loop0" },		 { "loop1", "image", "loop0" },
		{ "data-image", "data-image", "loop2" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct disk_node start = disk_fixture_node(rows[i].start);
		struct disk_chain sibling, asked, beside;

		disk_chain_build(&disk_fixture, disk_fixture_node(rows[i].sibling), &sibling);
		disk_chain_build(&disk_fixture, start, &asked);
		disk_chain_build_beside(&sibling, disk_fixture_node(rows[i].file),
					start.inode ? 0 : start.device, &beside);
		assert_int_equal(beside.nr, asked.nr);
		for (size_t j = 0; j < asked.nr; j++) {
			assert_true(disk_node_equal(beside.links[j].node, asked.links[j].node));
			assert_int_equal(beside.links[j].device, asked.links[j].device);
			assert_int_equal(beside.links[j].below_files, asked.links[j].below_files);
		}
		disk_chain_free(&beside);
		disk_chain_free(&asked);
		disk_chain_free(&sibling);
	}
}

static void test_files_of_no_block_device_lie_on_nothing(void **state)
{
	static const unsigned int minors[] = { 22 /* tmpfs */, 60 /* NFS */, 99 /* not mounted */ };

	for (size_t i = 0; i < 3; i++) {
		struct disk_chain chain;

		disk_chain_build(&disk_fixture, (struct disk_node){ makedev(0, minors[i]), 5 },
				 &chain);
		assert_int_equal(chain.nr, 1);
		disk_chain_free(&chain);
	}
}

static void test_lines_of_mountinfo(void **state)
{
	static const struct {
		const char *line;
		bool good, readonly;
		const char *point, *source;
	} cases[] = {
		{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root "
		  "rw,errors=continue\n",
		  true, false, "/mnt2", "/dev/root" },
		{ "36 35 98:0 / /a\\040b\\134 rw - ext4 /dev/x\\011y ro\n", true, true, "/a b\\",
		  "/dev/x\ty" },
		{ "36 35 98:0 / /m ro shared:1 master:2 - ext4 /dev/x ro,quota\n", true, true, "/m",
		  "/dev/x" },
		/* A read-only view of what another mount may write. */
		{ "36 35 98:0 / /m ro - ext4 /dev/x rw\n", true, false, "/m", "/dev/x" },
		{ "36 35 98:0 / /m rw - ext4 /dev/x rom=1\n", true, false, "/m", "/dev/x" },
		{ "36 35 98:0 / /m rw - tmpfs  rw\n", true, false, "/m", "" },
		{ "36 35 98:0 / /m rw\n", false, false, NULL, NULL },
		{ "36 35 98:0 - ext4 /dev/x rw\n", false, false, NULL, NULL },
		{ "36 35 98:0 / /m rw - ext4\n", false, false, NULL, NULL },
		{ "", false, false, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *line = strdup(cases[i].line);
		struct disk_mount mount;

		assert_int_equal(disk_mount_parse(line, &mount), cases[i].good);
		if (cases[i].good) {
			assert_int_equal(mount.readonly, cases[i].readonly);
			assert_string_equal(mount.point, cases[i].point);
			assert_string_equal(mount.source, cases[i].source);
			assert_true(mount.device == makedev(98, 0));
		}
		free(line);
	}
}

static void test_numbers_of_devices(void **state)
{
	assert_true(disk_parse_device("8:17") == makedev(8, 17));
	assert_true(disk_parse_device("259:1048575") == makedev(259, 1048575));
	assert_true(disk_parse_device(NULL) == 0);
	assert_true(disk_parse_device("") == 0);
	assert_true(disk_parse_device("8") == 0);
	assert_true(disk_parse_device("8:") == 0);
	assert_true(disk_parse_device(":8") == 0);
	assert_true(disk_parse_device("8:1x") == 0);
	assert_true(disk_parse_device("999999999999:1") == 0);
}

static void test_escapes(void **state)
{
	static const char *const cases[][2] = {
		{ "a\\040b", "a b" }, { "\\134", "\\" },    { "\\", "\\" }, { "\\04", "\\04" },
		{ "\\400", "\\400" }, { "x\\0409", "x 9" }, { "", "" }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[16];

		strcpy(text, cases[i][0]);
		disk_unescape(text);
		assert_string_equal(text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thing_and_what_it_lies_on),
		cmocka_unit_test(test_members_are_all_there),
		cmocka_unit_test(test_two_loop_devices_over_one_file_are_one_disk),
		cmocka_unit_test(test_another_file_of_the_same_file_system),
		cmocka_unit_test(test_files_of_no_block_device_lie_on_nothing),
		cmocka_unit_test(test_lines_of_mountinfo),
		cmocka_unit_test(test_numbers_of_devices),
		cmocka_unit_test(test_escapes),
	};

	return cmocka_run_group_tests(tests, disk_fixture_set_up, disk_fixture_tear_down);
}
