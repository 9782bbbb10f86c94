/* SPDX-License-Identifier: MIT */
/* Builds the fixture's /sys and /proc. */
#include "disk_fixture.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char top[64], sys[80], proc[80];

static const struct {
	const char *name, *disk; /* disk: the one of a partition, else NULL */
	unsigned int high, low;
	const char *members[2];
	const char *volume;
} devices[] = {
	{ "sda", NULL, 8, 0, { NULL }, NULL },
	{ "sda1", "sda", 8, 1, { NULL }, NULL },
	{ "sda2", "sda", 8, 2, { NULL }, NULL },
	{ "sdb", NULL, 8, 16, { NULL }, NULL },
	{ "sdc", NULL, 8, 32, { NULL }, NULL },
	{ "sdd", NULL, 8, 48, { NULL }, NULL },
	{ "sdd1", "sdd", 8, 49, { NULL }, NULL },
	{ "sde", NULL, 8, 64, { NULL }, NULL },
	{ "sde1", "sde", 8, 65, { NULL }, NULL },
	{ "sdf", NULL, 8, 80, { NULL }, NULL },
	{ "sdf1", "sdf", 8, 81, { NULL }, NULL },
	{ "sdf2", "sdf", 8, 82, { NULL }, NULL },
	{ "sdg", NULL, 8, 96, { NULL }, NULL },
	{ "dm-0", NULL, 253, 0, { "sda2" }, "vg-root" },
	{ "dm-1", NULL, 253, 1, { "sda2" }, "vg-data" },
	{ "dm-2", NULL, 253, 2, { "sdb", "sdc" }, "mpatha" },
	{ "dm-3", NULL, 253, 3, { "dm-2" }, "vh-guest" },
	{ "md0", NULL, 9, 0, { "sdd1", "sde1" }, NULL },
	{ "loop0", NULL, 7, 0, { NULL }, NULL },
	{ "loop0p1", "loop0", 259, 0, { NULL }, NULL },
	{ "loop1", NULL, 7, 1, { NULL }, NULL },
	{ "loop2", NULL, 7, 2, { NULL }, NULL },
	{ "loop3", NULL, 7, 3, { NULL }, NULL },
	{ "zram0", NULL, 254, 0, { NULL }, NULL },
	{ "nbd0", NULL, 43, 0, { NULL }, NULL },
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static void put(const char *text, const char *fmt, ...)
{
	char path[256], command[300];
	va_list ap;
	FILE *file;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "mkdir -p $(dirname '%s')", path);
	assert(system(command) == 0);
	file = fopen(path, "w");
	assert(file);
	fputs(text, file);
	fclose(file);
}

static void link_to(const char *target, const char *fmt, ...)
{
	char path[256], command[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "mkdir -p $(dirname '%s')", path);
	assert(system(command) == 0);
	assert(symlink(target, path) == 0);
}

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < DEVICES && strcmp(devices[i].name, name) != 0)
		i++;
	return i;
}

static void make_device(size_t i)
{
	const char *name = devices[i].name, *disk = devices[i].disk;
	char number[32], place[64], target[256];

	snprintf(place, sizeof(place), disk ? "%2$s/%1$s" : "%1$s", name, disk);
	snprintf(number, sizeof(number), "%u:%u\n", devices[i].high, devices[i].low);
	put(number, "%s/devices/%s/dev", sys, place);
	put(strcmp(name, "loop1") == 0 ? "1\n" : "0\n", "%s/devices/%s/ro", sys, place);
	snprintf(target, sizeof(target), "../../devices/%s", place);
	link_to(target, "%s/dev/block/%u:%u", sys, devices[i].high, devices[i].low);
	if (disk) {
		put("1\n", "%s/devices/%s/partition", sys, place);
	} else {
		snprintf(target, sizeof(target), "../devices/%s", name);
		link_to(target, "%s/block/%s", sys, name);
	}
	if (devices[i].volume)
		put(devices[i].volume, "%s/devices/%s/dm/name", sys, name);
	for (size_t m = 0; m < 2 && devices[i].members[m]; m++) {
		size_t member = find(devices[i].members[m]);

		snprintf(target, sizeof(target),
			 devices[member].disk ? "../../%2$s/%1$s" : "../../%1$s",
			 devices[member].name, devices[member].disk);
		link_to(target, "%s/devices/%s/slaves/%s", sys, name, devices[i].members[m]);
	}
}

struct disk_node disk_fixture_node(const char *name)
{
	static const struct {
		const char *name;
		unsigned int high, low;
		ino_t inode;
	} files[] = {
		{ "image", 8, 1, IMAGE_INODE },
		{ "data-image", 0, 50, DATA_IMAGE_INODE },
		{ "swap-file", 8, 1, SWAP_INODE },
		{ "other", 8, 1, OTHER_INODE },
	};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].name, name) == 0)
			return (struct disk_node){ makedev(files[i].high, files[i].low),
						   files[i].inode };
	i = find(name);
	assert(i < DEVICES);
	return (struct disk_node){ makedev(devices[i].high, devices[i].low), 0 };
}

static int identify(const char *path, struct disk_node *node)
{
	static const char *const known[][2] = { { "/dev/mapper/vg-data", "dm-1" },
						{ "/swap file", "swap-file" },
						{ "/dev/zram0", "zram0" } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i][0], path) == 0) {
			*node = disk_fixture_node(known[i][1]);
			return 0;
		}
	}
	return -ENOENT;
}

static int loop_file(const char *name, struct disk_node *file)
{
	if (strcmp(name, "loop0") == 0 || strcmp(name, "loop1") == 0)
		*file = disk_fixture_node("image");
	else if (strcmp(name, "loop2") == 0)
		*file = disk_fixture_node("data-image");
	else
		return -ENXIO;
	return 0;
}

struct disk_sources disk_fixture = {
	.sys = sys, .proc = proc, .identify = identify, .loop_file = loop_file
};

int disk_fixture_set_up(void **state)
{
	snprintf(top, sizeof(top), "/tmp/disks-XXXXXX");
	assert(mkdtemp(top));
	snprintf(sys, sizeof(sys), "%s/sys", top);
	snprintf(proc, sizeof(proc), "%s/proc", top);
	for (size_t i = 0; i < DEVICES; i++)
		make_device(i);
	for (int i = 0; i < 3; i++)
		put("/some/name (deleted)\n", "%s/devices/loop%d/loop/backing_file", sys, i);
	put("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
	    "23 22 253:0 / /var\\040lib rw - ext4 /dev/mapper/vg-root rw\n"
	    "24 22 0:50 /sub /data rw,noatime shared:3 - btrfs /dev/mapper/vg-data rw,space_cache\n"
	    "25 22 0:22 / /run rw,nosuid - tmpfs tmpfs rw,size=64m\n"
	    "26 22 7:1 / /iso ro - iso9660 /dev/loop1 ro,nojoliet\n"
	    "27 22 0:60 / /mnt/nfs rw - nfs4 server:/export rw\n"
	    "28 22 8:1 /home /srv ro,relatime - ext4 /dev/sda1 rw,errors=remount-ro\n"
	    "a line of another kind\n",
	    "%s/self/mountinfo", proc);
	put("Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/zram0 "
	    "partition\t1000\t0\t100\n/swap\\040file "
	    "file\t1000\t0\t-2\n",
	    "%s/swaps", proc);
	return 0;
}

int disk_fixture_tear_down(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}
