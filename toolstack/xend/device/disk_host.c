/* SPDX-License-Identifier: MIT */
/*
 * Finds users of disks in /proc/self/mountinfo, /proc/swaps and sysfs. Leases and exclusive opens
 * reveal those that none of these lists.
 */
#include "xend/device/disk_host.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/device/disk_ask.h"
#include "xend/device/disk_fd.h"

/* Milliseconds: for the kernel to close a file, and between two checks. */
#define CLOSE_PATIENCE 2000
#define INTERVAL       20
/*
 * Tries to open a block device exclusively: another task of xend, or blkid, may hold it for a
 * moment.
 */
#define HOLD_TRIES 10

static const struct timespec interval = { .tv_nsec = INTERVAL * 1000000L };

/* --- mounts and swap --- */

static void add_mount(const struct disk_sources *sources, struct disk_use_list *list, char *line)
{
	struct disk_mount mount;
	struct disk_use *use;
	dev_t device;

	if (!disk_mount_parse(line, &mount))
		return;
	device = disk_mount_device(sources, &mount);
	if (!device)
		return;
	use = disk_use_add(list, DISK_USER_MOUNT, mount.readonly ? DISK_READS : DISK_WRITES);
	disk_chain_build(sources, (struct disk_node){ device, 0 }, &use->chain);
	use->who = xstrdup(mount.point);
	use->what = xstrdup(mount.source);
}

static void add_swap(const struct disk_sources *sources, struct disk_use_list *list, char *line)
{
	struct disk_node node;
	struct disk_use *use;

	line[strcspn(line, " \t\n")] = '\0';
	disk_unescape(line);
	if (line[0] != '/' || sources->identify(line, &node))
		return;
	use = disk_use_add(list, DISK_USER_SWAP, DISK_WRITES);
	disk_chain_build(sources, node, &use->chain);
	use->who = xstrdup(line);
	use->what = xstrdup(line);
}

static void each_line(const struct disk_sources *sources, const char *name,
		      struct disk_use_list *list,
		      void (*add)(const struct disk_sources *sources, struct disk_use_list *list,
				  char *line))
{
	char *path = xasprintf("%s/%s", sources->proc, name), *line = NULL;
	FILE *file = fopen(path, "re");
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0)
		add(sources, list, line);
	if (file)
		fclose(file);
	free(line);
	free(path);
}

/* --- volumes and loop devices --- */

static bool has_entries(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory)))
		found = entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return found;
}

/*
 * Lists a volume as a mere reader of its members: whoever writes to the volume is listed
 * separately.
 */
static void add_holder(const struct disk_sources *sources, struct disk_use_list *list,
		       const char *name, dev_t device)
{
	struct disk_use *use = disk_use_add(list, DISK_USER_HOLDER, DISK_READS);
	char *volume = disk_read_line("%s/block/%s/dm/name", sources->sys, name);

	disk_chain_build(sources, (struct disk_node){ device, 0 }, &use->chain);
	use->who = volume ? xasprintf("/dev/%s (%s)", name, volume) : xasprintf("/dev/%s", name);
	use->what = xasprintf("/dev/%s", name);
	free(volume);
}

static void add_loop(const struct disk_sources *sources, struct disk_use_list *list,
		     const char *name, dev_t device)
{
	char *readonly = disk_read_line("%s/block/%s/ro", sources->sys, name);
	bool reads = readonly && strcmp(readonly, "1") == 0;
	struct disk_use *use = disk_use_add(list, DISK_USER_LOOP, reads ? DISK_READS : DISK_WRITES);

	disk_chain_build(sources, (struct disk_node){ device, 0 }, &use->chain);
	use->who = xasprintf("/dev/%s", name);
	use->what = xstrdup(use->who);
	free(readonly);
}

static int compare_devices(const void *a, const void *b)
{
	const dev_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* An array of numbers; `nr` says how many. */
struct devices {
	dev_t *numbers;
	size_t nr;
};

static void add_number(struct devices *devices, dev_t number)
{
	/* The array doubles when it is full. */
	if ((devices->nr & (devices->nr - 1)) == 0)
		devices->numbers = xreallocarray(devices->numbers,
						 devices->nr ? devices->nr * 2 : 1, sizeof(dev_t));
	devices->numbers[devices->nr++] = number;
}

/*
 * The block devices of Domain-0, but for the loop devices of guests in the list. Those are
 * explained by their guests and have no members, and there may be hundreds.
 */
static struct devices find_devices(const struct disk_sources *sources,
				   const struct disk_use_list *list)
{
	char *path = xasprintf("%s/dev/block", sources->sys);
	struct devices found = { NULL, 0 }, loops = { NULL, 0 };
	DIR *directory = opendir(path);
	struct dirent *entry;

	for (size_t i = 0; i < list->nr; i++)
		if (list->uses[i].loop)
			add_number(&loops, list->uses[i].loop);
	if (loops.nr)
		qsort(loops.numbers, loops.nr, sizeof(dev_t), compare_devices);
	while (directory && (entry = readdir(directory))) {
		dev_t number = disk_parse_device(entry->d_name);

		if (number && !(loops.nr && bsearch(&number, loops.numbers, loops.nr, sizeof(dev_t),
						    compare_devices)))
			add_number(&found, number);
	}
	if (directory)
		closedir(directory);
	free(loops.numbers);
	free(path);
	return found;
}

/* Calls add for each of the devices that has a non-empty directory `entry_name` in sysfs. */
static void each_device(const struct disk_sources *sources, const struct devices *devices,
			const char *entry_name, struct disk_use_list *list,
			void (*add)(const struct disk_sources *sources, struct disk_use_list *list,
				    const char *name, dev_t device))
{
	for (size_t i = 0; i < devices->nr; i++) {
		dev_t device = devices->numbers[i];
		char *below = xasprintf("%s/dev/block/%u:%u/%s", sources->sys, major(device),
					minor(device), entry_name);
		char *name = has_entries(below) ? disk_device_name(sources, device) : NULL;

		if (name)
			add(sources, list, name, device);
		free(name);
		free(below);
	}
}

void disk_host_uses(const struct disk_sources *sources, struct disk_use_list *list)
{
	struct devices devices = find_devices(sources, list);

	each_line(sources, "self/mountinfo", list, add_mount);
	each_line(sources, "swaps", list, add_swap);
	each_device(sources, &devices, "slaves", list, add_holder);
	each_device(sources, &devices, "loop", list, add_loop);
	free(devices.numbers);
}

/* --- what the kernel knows --- */

/*
 * Whether that descriptor of a process is the file, open for writing. What the kernel says of it
 * comes first: few others have to be asked, and those may be on a dead server.
 */
static bool has_open(pid_t pid, const char *number, const struct disk_node *file)
{
	struct disk_node node;
	struct disk_fd fd;

	if (!disk_fd_is_file(&disk_sources_host, pid, number))
		return false;
	disk_fd_read(&disk_sources_host, pid, number, &fd);
	if (!disk_fd_is_writable(&fd) ||
	    (fd.inode != DISK_INODE_UNKNOWN && fd.inode != file->inode))
		return false;
	return disk_ask_descriptor(&disk_sources_host, pid, number, &node) == 0 &&
	       node.device == file->device && node.inode == file->inode;
}

static bool process_has_open(const char *pid, const struct disk_node *file)
{
	char *path = xasprintf("/proc/%s/fd", pid);
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory)))
		found = isdigit((unsigned char)entry->d_name[0]) &&
			has_open((pid_t)atoi(pid), entry->d_name, file);
	if (directory)
		closedir(directory);
	free(path);
	return found;
}

/* "process sleep (pid 123)", to be freed; NULL: no process has the file open for writing. */
static char *find_writer(const struct disk_node *file)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	char *found = NULL;

	while (directory && !found && (entry = readdir(directory))) {
		char *name;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !process_has_open(entry->d_name, file))
			continue;
		name = disk_read_line("/proc/%s/comm", entry->d_name);
		found = xasprintf("process %s (pid %s)", name ? name : "?", entry->d_name);
		free(name);
	}
	if (directory)
		closedir(directory);
	return found;
}

/*
 * Whether anybody has the file open for writing. The kernel grants a read lease only while nobody
 * does, under any name and in any namespace (fcntl(2)). The lease is returned at once. If somebody
 * opens the file in between, xend gets SIGURG, which does nothing.
 */
static bool is_open_to_write(int fd)
{
	fcntl(fd, F_SETSIG, SIGURG);
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(fd, F_SETLEASE, F_UNLCK);
		return false;
	}
	/* A file system without leases cannot tell; count the file as free. */
	return errno == EAGAIN;
}

int disk_host_check_file(int fd, struct error **e)
{
	struct disk_node file;
	char *writer = NULL;
	struct stat st;
	int rc = 0;

	for (int waited = 0; is_open_to_write(fd); waited += INTERVAL) {
		if (fstat(fd, &st) == 0) {
			file = (struct disk_node){ st.st_dev, st.st_ino };
			writer = find_writer(&file);
		}
		if (writer || waited >= CLOSE_PATIENCE) {
			rc = error_set(
				e, EADDRINUSE,
				"%s of Domain-0 has it open to write. Wait until that is done.",
				writer ? writer : "the kernel");
			break;
		}
		nanosleep(&interval, NULL);
	}
	free(writer);
	return rc;
}

int disk_host_check_device(const char *path, struct error **e)
{
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < HOLD_TRIES; tries++) {
		if (tries)
			nanosleep(&interval, NULL);
		fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno != EBUSY)
			return 0;
	}
	if (fd < 0)
		return error_set(e, EADDRINUSE,
				 "the kernel of Domain-0 holds it (a mount in another namespace, a "
				 "volume, or the "
				 "like). Find it with lsblk.");
	close(fd);
	return 0;
}
