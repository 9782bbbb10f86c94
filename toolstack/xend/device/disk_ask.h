/* SPDX-License-Identifier: MIT */
/*
 * Asks which file a path, a process's descriptor or a loop device leads to, and what an image lies
 * on, and waits for the answer for a limited time. The disks of all domains are looked at when one
 * domain gets a disk; a dead file server below one of them must not stop all others.
 *
 * A file that does not answer gets the number of its file system, which /proc/self/mountinfo tells
 * by the path, and the inode DISK_INODE_UNKNOWN, which equals every other of that file system. So a
 * disk on the same dead server is refused, and one elsewhere is not. (A path that leads through a
 * symbolic link to another file system is an exception, for as long as that does not answer.) Of a
 * descriptor the kernel tells the inode, too (disk_fd.h).
 *
 * All questions about one silent file system together take hardly longer than the first.
 */
#ifndef XEND_DEVICE_DISK_ASK_H
#define XEND_DEVICE_DISK_ASK_H

#include "xend/device/disk_graph.h"
#include "xend/device/disk_image.h"

/* Milliseconds for an answer, and for further ones once somebody has not answered. */
#define DISK_ASK_PATIENCE   3000
#define DISK_ASK_IMPATIENCE 100

/*
 * As the functions of struct disk_sources; `real` has those that may hang. Each may be called in
 * any thread. A call that hangs keeps one thread, however often it is asked for.
 */
int disk_ask_identify(const struct disk_sources *real, const char *path, struct disk_node *node);
int disk_ask_descriptor(const struct disk_sources *real, pid_t pid, const char *fd,
			struct disk_node *node);
int disk_ask_loop_file(const struct disk_sources *real, const char *name, struct disk_node *file);
/*
 * As disk_image_find_below; -ETIMEDOUT: no answer. `real` tells the file systems apart. below->path
 * is to be freed.
 */
int disk_ask_image(const struct disk_sources *real, const char *path,
		   enum config_disk_format format, struct disk_image_below *below);

/* The host's, with limited patience. */
extern const struct disk_sources disk_sources_patient;

#endif
