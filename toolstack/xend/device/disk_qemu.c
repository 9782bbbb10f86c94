/* SPDX-License-Identifier: MIT */
/* Reads /proc/PID/fd and /proc/PID/fdinfo (proc(5)). */
#include "xend/device/disk_qemu.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"

static bool identify(const char *path, struct disk_node *node)
{
	struct stat st;

	if (stat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return false;
	*node = S_ISBLK(st.st_mode) ? (struct disk_node){ st.st_rdev, 0 } :
				      (struct disk_node){ st.st_dev, st.st_ino };
	return true;
}

/* Whether the descriptor is open for writing; an unanswered question means yes. */
static bool is_writable(pid_t pid, const char *fd)
{
	char *path = xasprintf("/proc/%d/fdinfo/%s", (int)pid, fd);
	struct str text = STR_INIT;
	unsigned int flags = O_RDWR;
	const char *line;

	if (file_read(path, 4096, &text, NULL) == 0 && text.len) {
		line = strstr(str_text(&text), "flags:");
		if (line && sscanf(line, "flags: %o", &flags) != 1)
			flags = O_RDWR;
	}
	str_free(&text);
	free(path);
	return (flags & O_ACCMODE) != O_RDONLY;
}

static bool is_known(const struct disk_use_list *list, const char *who, struct disk_node node)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct disk_use *use = &list->uses[i];

		if (use->user == DISK_USER_GUEST && strcmp(use->who, who) == 0 && use->chain.nr &&
		    disk_node_equal(use->chain.links->node, node))
			return true;
	}
	return false;
}

static void look_at(const struct disk_sources *sources, pid_t pid, const char *fd, const char *who,
		    struct disk_use_list *list)
{
	char *path = xasprintf("/proc/%d/fd/%s", (int)pid, fd), target[PATH_MAX];
	struct disk_chain chain = { NULL, 0 };
	struct disk_use *use;
	struct disk_node node;
	ssize_t n;

	if (identify(path, &node)) {
		disk_chain_build(sources, node, &chain);
		n = readlink(path, target, sizeof(target) - 1);
		if (chain.nr && !is_known(list, who, chain.links->node)) {
			use = disk_use_add(list, DISK_USER_GUEST,
					   is_writable(pid, fd) ? DISK_WRITES : DISK_READS);
			use->who = xstrdup(who);
			use->what = n > 0 ? xstrndup(target, (size_t)n) : NULL;
			use->start = node;
			use->chain = chain;
			chain = (struct disk_chain){ NULL, 0 };
		}
	}
	disk_chain_free(&chain);
	free(path);
}

void disk_qemu_uses(const struct disk_sources *sources, pid_t pid, const char *who,
		    struct disk_use_list *list)
{
	char *path = xasprintf("/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (*entry->d_name != '.')
			look_at(sources, pid, entry->d_name, who, list);
	if (directory)
		closedir(directory);
	free(path);
}
