// SPDX-License-Identifier: MIT
/*
 * A device-mapper volume over the whole of a block device: "dm-linear NAME DEVICE" makes it and
 * prints its name in /dev, "dm-linear -d NAME" removes it. The lab's Domain-0 has no dmsetup.
 * Interface: linux/dm-ioctl.h.
 */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct order {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char words[64];
};

static int control;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void command(struct order *order, unsigned long request, const char *name, const char *what)
{
	order->head.version[0] = DM_VERSION_MAJOR;
	order->head.data_size = sizeof(*order);
	order->head.data_start = sizeof(order->head);
	snprintf(order->head.name, sizeof(order->head.name), "%s", name);
	if (ioctl(control, request, order))
		die(what);
}

int main(int argc, char **argv)
{
	struct order order = { 0 };
	unsigned long long bytes;
	struct stat st;
	int fd;

	if (argc != 3)
		return 2;
	control = open("/dev/mapper/control", O_RDWR);
	if (control < 0)
		die("/dev/mapper/control");
	if (strcmp(argv[1], "-d") == 0) {
		command(&order, DM_DEV_REMOVE, argv[2], "remove");
		return 0;
	}
	fd = open(argv[2], O_RDONLY);
	if (fd < 0 || fstat(fd, &st) || ioctl(fd, BLKGETSIZE64, &bytes))
		die(argv[2]);
	close(fd);
	command(&order, DM_DEV_CREATE, argv[1], "create");
	printf("/dev/dm-%u\n", minor(order.head.dev));

	memset(&order, 0, sizeof(order));
	order.head.target_count = 1;
	order.target.length = bytes / 512;
	order.target.next = sizeof(order.target) + sizeof(order.words);
	strcpy(order.target.target_type, "linear");
	snprintf(order.words, sizeof(order.words), "%u:%u 0", major(st.st_rdev), minor(st.st_rdev));
	command(&order, DM_TABLE_LOAD, argv[1], "load");
	memset(&order, 0, sizeof(order));
	command(&order, DM_DEV_SUSPEND, argv[1], "resume");
	return 0;
}
