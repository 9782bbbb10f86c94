/* SPDX-License-Identifier: MIT */
/*
 * The identity of a disk, whatever its path, and what it lies on.
 *
 * A file is identified by (device, inode), a block device by its number. A partition lies on its
 * disk, a volume of device-mapper or md on its members, a file on the block device of its file
 * system. A loop device has the identity of its file, so all loop devices over one file are the
 * same disk. Sources: sysfs (the kernel's Documentation/ABI/stable/sysfs-block),
 * proc_pid_mountinfo(5), loop(4).
 *
 * All reading goes through struct disk_sources, so that tests can supply a /sys and a /proc of
 * their own. Reading may hang on a dead NFS server, so callers use a thread (offload.h).
 */
#ifndef XEND_DEVICE_DISK_GRAPH_H
#define XEND_DEVICE_DISK_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct disk_node {
	dev_t device; /* a file: the number of its file system */
	ino_t inode;  /* 0: the block device itself */
};

/* A file that does not say which one it is (disk_ask.h): it may be any of its file system. */
#define DISK_INODE_UNKNOWN ((ino_t)-1)

struct disk_link {
	struct disk_node node;
	/*
	 * The block device; 0: a plain file. A loop device has its own number here and its file in
	 * `node`.
	 */
	dev_t device;
	bool below_files; /* reached through a file system, which may be mounted */
};

/* A thing and all that it lies on; links[0] is the thing. */
struct disk_chain {
	struct disk_link *links;
	size_t nr;
};

struct disk_sources {
	const char *sys, *proc; /* "/sys", "/proc" */
	/* The node that a path leads to, symbolic links followed: 0 or -errno. */
	int (*identify)(const char *path, struct disk_node *node);
	/*
	 * The file below a loop device ("loop0"), even if it was renamed or removed: 0 or -errno.
	 */
	int (*loop_file)(const char *name, struct disk_node *file);
};

extern const struct disk_sources disk_sources_host;

bool disk_node_equal(struct disk_node a, struct disk_node b);
/* The chain that begins with a file or a block device; to be freed by disk_chain_free. */
void disk_chain_build(const struct disk_sources *sources, struct disk_node start,
		      struct disk_chain *chain);
/*
 * The chain of another file in the same file system as links[0] of `sibling`, without asking the
 * kernel again. loop: the loop device over that file; 0: none.
 */
void disk_chain_build_beside(const struct disk_chain *sibling, struct disk_node file, dev_t loop,
			     struct disk_chain *chain);
void disk_chain_free(struct disk_chain *chain);
const struct disk_link *disk_chain_find_node(const struct disk_chain *chain, struct disk_node node);
const struct disk_link *disk_chain_find_device(const struct disk_chain *chain, dev_t device);

/* The kernel's name of a block device ("sda1"), to be freed; NULL: there is no such device. */
char *disk_device_name(const struct disk_sources *sources, dev_t device);
/* The first line of the file whose path the format gives; to be freed; NULL: it cannot be read. */
char *disk_read_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Parses "8:1" as in sysfs and mountinfo; 0: it is no device number. */
dev_t disk_parse_device(const char *text);
/* Decodes the octal escapes ("\040") of mountinfo and /proc/swaps, in place. */
void disk_unescape(char *text);

/* One line of mountinfo. The pointers point into the line, which parsing changes. */
struct disk_mount {
	unsigned int id;
	dev_t device;
	const char *point, *type, *source;
	bool readonly; /* the whole file system, not only this view of it */
};
/* False: it is no such line. */
bool disk_mount_parse(char *line, struct disk_mount *mount);
/* The block device of a mounted file system; 0: it has none. */
dev_t disk_mount_device(const struct disk_sources *sources, const struct disk_mount *mount);

#endif
