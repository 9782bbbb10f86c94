/* SPDX-License-Identifier: MIT */
/* Reads the lines of fdinfo, and finds the mount that they name. */
#include "xend/device/disk_fd.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/alloc.h"

bool disk_fd_is_file(const struct disk_sources *sources, pid_t pid, const char *fd)
{
	char *path = xasprintf("%s/%d/fd/%s", sources->proc, (int)pid, fd), target[32];
	ssize_t n = readlink(path, target, sizeof(target));

	free(path);
	return n > 0 && target[0] == '/';
}

void disk_fd_read(const struct disk_sources *sources, pid_t pid, const char *fd,
		  struct disk_fd *out)
{
	char *path = xasprintf("%s/%d/fdinfo/%s", sources->proc, (int)pid, fd), *line = NULL;
	FILE *file = fopen(path, "re");
	unsigned long inode;
	size_t size = 0;

	*out = (struct disk_fd){ .flags = O_RDWR, .inode = DISK_INODE_UNKNOWN };
	while (file && getline(&line, &size, file) >= 0) {
		if (sscanf(line, "ino: %lu", &inode) == 1)
			out->inode = inode;
		else if (sscanf(line, "flags: %o", &out->flags) != 1)
			(void)sscanf(line, "mnt_id: %u", &out->mount);
	}
	if (file)
		fclose(file);
	free(line);
	free(path);
}

bool disk_fd_is_writable(const struct disk_fd *fd)
{
	return (fd->flags & O_ACCMODE) != O_RDONLY;
}

bool disk_fd_node(const struct disk_sources *sources, pid_t pid, const struct disk_fd *fd,
		  struct disk_node *node)
{
	char *path = xasprintf("%s/%d/mountinfo", sources->proc, (int)pid), *line = NULL;
	FILE *file = fd->mount ? fopen(path, "re") : NULL;
	struct disk_mount mount;
	size_t size = 0;
	bool found = false;

	while (file && !found && getline(&line, &size, file) >= 0)
		found = disk_mount_parse(line, &mount) && mount.id == fd->mount && mount.device;
	if (found)
		*node = (struct disk_node){ mount.device, fd->inode };
	if (file)
		fclose(file);
	free(line);
	free(path);
	return found;
}
