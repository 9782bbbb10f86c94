/* SPDX-License-Identifier: MIT */
/*
 * A descriptor of a process, by what the kernel says of it (/proc/PID/fdinfo, proc(5)). That is in
 * its memory: it answers also for a file whose server is dead, where stat() waits.
 */
#ifndef XEND_DEVICE_DISK_FD_H
#define XEND_DEVICE_DISK_FD_H

#include <stdbool.h>
#include <sys/types.h>

#include "xend/device/disk_graph.h"

struct disk_fd {
	unsigned int flags; /* as open(2) got them; O_RDWR if the kernel does not say */
	unsigned int mount; /* the id of its mount; 0: the kernel does not say */
	ino_t inode;	    /* DISK_INODE_UNKNOWN: the same, as kernels before 5.14 */
};

/* Whether that descriptor can be open on a file or a block device: its name is a path. */
bool disk_fd_is_file(const struct disk_sources *sources, pid_t pid, const char *fd);
void disk_fd_read(const struct disk_sources *sources, pid_t pid, const char *fd,
		  struct disk_fd *out);
bool disk_fd_is_writable(const struct disk_fd *fd);
/*
 * The file's node, without a question to its file system. For file systems like btrfs, whose files
 * have other numbers than their mount, it is another one than stat() gives. False: not known.
 */
bool disk_fd_node(const struct disk_sources *sources, pid_t pid, const struct disk_fd *fd,
		  struct disk_node *node);

#endif
