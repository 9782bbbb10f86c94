/* SPDX-License-Identifier: MIT */
/* Builds the chain of a disk from sysfs and mountinfo, one link at a time. */
#include "xend/device/disk_graph.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/str.h"

/* --- the host's sources --- */

static int identify(const char *path, struct disk_node *node)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	node->device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	node->inode = S_ISBLK(st.st_mode) ? 0 : st.st_ino;
	return 0;
}

/* lo_device has the encoding of dev_t. */
static int loop_file(const char *name, struct disk_node *file)
{
	char path[64];
	struct loop_info64 info = { 0 };
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/dev/%.40s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_GET_STATUS64, &info))
		rc = -errno;
	close(fd);
	file->device = (dev_t)info.lo_device;
	file->inode = (ino_t)info.lo_inode;
	return rc;
}

const struct disk_sources disk_sources_host = {
	.sys = "/sys",
	.proc = "/proc",
	.identify = identify,
	.loop_file = loop_file,
};

/* --- reading --- */

char *disk_read_line(const char *fmt, ...)
{
	char *path, *line = NULL;
	size_t size = 0;
	va_list ap;
	FILE *file;

	va_start(ap, fmt);
	path = xvasprintf(fmt, ap);
	va_end(ap);
	file = fopen(path, "re");
	free(path);
	if (!file)
		return NULL;
	if (getline(&line, &size, file) < 0) {
		free(line);
		line = NULL;
	} else {
		line[strcspn(line, "\n")] = '\0';
	}
	fclose(file);
	return line;
}

dev_t disk_parse_device(const char *text)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	uint64_t high, low;
	char first[12];

	if (!colon || (size_t)(colon - text) >= sizeof(first))
		return 0;
	memcpy(first, text, (size_t)(colon - text));
	first[colon - text] = '\0';
	if (!str_to_u64(first, 10, 0, UINT32_MAX, &high) ||
	    !str_to_u64(colon + 1, 10, 0, UINT32_MAX, &low))
		return 0;
	return makedev((unsigned int)high, (unsigned int)low);
}

void disk_unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER-OPTIONS */
bool disk_mount_parse(char *line, struct disk_mount *mount)
{
	char *rest, *words[5], *after[3];
	char *separator = strstr(line, " - ");

	if (!separator || sscanf(line, "%u", &mount->id) != 1)
		return false;
	*separator = '\0';
	rest = line;
	for (size_t i = 0; i < 5; i++)
		if (!(words[i] = strsep(&rest, " ")))
			return false;
	rest = separator + 3;
	for (size_t i = 0; i < 3; i++)
		if (!(after[i] = strsep(&rest, " \n")))
			return false;
	disk_unescape(words[4]);
	disk_unescape(after[1]);
	mount->device = disk_parse_device(words[2]);
	mount->point = words[4];
	mount->type = after[0];
	mount->source = after[1];
	mount->readonly =
		strncmp(after[2], "ro", 2) == 0 && (after[2][2] == ',' || after[2][2] == '\0');
	return true;
}

/* --- devices --- */

char *disk_device_name(const struct disk_sources *sources, dev_t device)
{
	char *path = xasprintf("%s/dev/block/%u:%u", sources->sys, major(device), minor(device));
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	free(path);
	if (length < 0)
		return NULL;
	target[length] = '\0';
	slash = strrchr(target, '/');
	return xstrdup(slash ? slash + 1 : target);
}

static bool is_block_device(const struct disk_sources *sources, dev_t device)
{
	char *name = disk_device_name(sources, device);

	free(name);
	return name != NULL;
}

/* A file system like btrfs has an anonymous number; its mount's source names the block device. */
dev_t disk_mount_device(const struct disk_sources *sources, const struct disk_mount *mount)
{
	struct disk_node node;

	if (is_block_device(sources, mount->device))
		return mount->device;
	/* Do not look at other sources ("server:/export", a directory): they may not answer. */
	if (!str_starts(mount->source, "/dev/") || sources->identify(mount->source, &node) ||
	    node.inode)
		return 0;
	return node.device;
}

/* The block device below the file system with that number; 0: there is none (tmpfs, NFS). */
static dev_t device_of_files(const struct disk_sources *sources, dev_t device)
{
	char *path, *line = NULL;
	size_t size = 0;
	dev_t found = 0;
	FILE *file;

	if (is_block_device(sources, device))
		return device;
	path = xasprintf("%s/self/mountinfo", sources->proc);
	file = fopen(path, "re");
	free(path);
	while (file && !found && getline(&line, &size, file) >= 0) {
		struct disk_mount mount;

		if (disk_mount_parse(line, &mount) && mount.device == device)
			found = disk_mount_device(sources, &mount);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* --- chains --- */

bool disk_node_equal(struct disk_node a, struct disk_node b)
{
	bool unknown = a.inode && b.inode &&
		       (a.inode == DISK_INODE_UNKNOWN || b.inode == DISK_INODE_UNKNOWN);

	return a.device == b.device && (a.inode == b.inode || unknown);
}

const struct disk_link *disk_chain_find_node(const struct disk_chain *chain, struct disk_node node)
{
	for (size_t i = 0; i < chain->nr; i++)
		if (disk_node_equal(chain->links[i].node, node))
			return &chain->links[i];
	return NULL;
}

const struct disk_link *disk_chain_find_device(const struct disk_chain *chain, dev_t device)
{
	for (size_t i = 0; device && i < chain->nr; i++)
		if (chain->links[i].device == device)
			return &chain->links[i];
	return NULL;
}

void disk_chain_free(struct disk_chain *chain)
{
	free(chain->links);
	*chain = (struct disk_chain){ NULL, 0 };
}

static void add_link(struct disk_chain *chain, struct disk_link link)
{
	chain->links = xreallocarray(chain->links, chain->nr + 1, sizeof(link));
	chain->links[chain->nr++] = link;
}

static void add_device(const struct disk_sources *sources, struct disk_chain *chain, dev_t device,
		       bool below_files)
{
	struct disk_link link = { .node = { device, 0 },
				  .device = device,
				  .below_files = below_files };
	char *name, *file;

	if (!device || disk_chain_find_device(chain, device))
		return;
	name = disk_device_name(sources, device);
	file = name ? disk_read_line("%s/dev/block/%u:%u/loop/backing_file", sources->sys,
				     major(device), minor(device)) :
		      NULL;
	/* A loop device that has lost its file in the meantime has its own identity. */
	if (file && sources->loop_file(name, &link.node))
		link.node = (struct disk_node){ device, 0 };
	add_link(chain, link);
	free(file);
	free(name);
}

static void add_members(const struct disk_sources *sources, struct disk_chain *chain,
			const struct disk_link *link)
{
	char *path = xasprintf("%s/dev/block/%u:%u/slaves", sources->sys, major(link->device),
			       minor(link->device));
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *number = entry->d_name[0] == '.' ?
				       NULL :
				       disk_read_line("%s/%s/dev", path, entry->d_name);

		add_device(sources, chain, disk_parse_device(number), link->below_files);
		free(number);
	}
	if (directory)
		closedir(directory);
	free(path);
}

/* In sysfs a partition's directory lies in its disk's directory. */
static void add_whole_disk(const struct disk_sources *sources, struct disk_chain *chain,
			   const struct disk_link *link)
{
	unsigned int high = major(link->device), low = minor(link->device);
	char *partition = disk_read_line("%s/dev/block/%u:%u/partition", sources->sys, high, low);
	char *number =
		partition ? disk_read_line("%s/dev/block/%u:%u/../dev", sources->sys, high, low) :
			    NULL;

	add_device(sources, chain, disk_parse_device(number), link->below_files);
	free(number);
	free(partition);
}

void disk_chain_build(const struct disk_sources *sources, struct disk_node start,
		      struct disk_chain *chain)
{
	*chain = (struct disk_chain){ NULL, 0 };
	if (start.inode)
		add_link(chain, (struct disk_link){ .node = start });
	else
		add_device(sources, chain, start.device, false);
	/* The loop ends because each device is added only once. */
	for (size_t i = 0; i < chain->nr; i++) {
		struct disk_link link = chain->links[i];

		if (link.node.inode)
			add_device(sources, chain, device_of_files(sources, link.node.device),
				   true);
		if (link.device) {
			add_members(sources, chain, &link);
			add_whole_disk(sources, chain, &link);
		}
	}
}

void disk_chain_build_beside(const struct disk_chain *sibling, struct disk_node file, dev_t loop,
			     struct disk_chain *chain)
{
	*chain = (struct disk_chain){ NULL, 0 };
	add_link(chain, (struct disk_link){ .node = file, .device = loop });
	/* What is below the sibling itself is below its file system: a file has no members. */
	for (size_t i = 1; i < sibling->nr; i++)
		add_link(chain, sibling->links[i]);
}
