/* SPDX-License-Identifier: MIT */
/* Reads /proc/PID/fd and /proc/PID/fdinfo (proc(5)). */
#include "xend/device/disk_qemu.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "xend/device/disk_ask.h"
#include "xend/device/disk_fd.h"

static bool is_known(const struct disk_use_list *list, const struct disk_server *server,
		     struct disk_node node)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct disk_use *use = &list->uses[i];

		if (use->user == server->user && strcmp(use->who, server->who) == 0 &&
		    use->chain.nr && disk_node_equal(use->chain.links->node, node))
			return true;
	}
	return false;
}

/* The path that the descriptor was opened by, for people; NULL: the kernel does not say. */
static char *path_of(pid_t pid, const char *fd)
{
	char *path = xasprintf("/proc/%d/fd/%s", (int)pid, fd), target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	free(path);
	return n > 0 ? xstrndup(target, (size_t)n) : NULL;
}

static void look_at(const struct disk_sources *sources, const struct disk_server *server,
		    const char *fd, struct disk_use_list *list)
{
	const pid_t pid = server->pid;
	struct disk_chain chain = { NULL, 0 };
	struct disk_node node;
	struct disk_use *use;
	struct disk_fd info;

	if (!disk_fd_is_file(&disk_sources_host, pid, fd) ||
	    disk_ask_descriptor(&disk_sources_host, pid, fd, &node))
		return;
	disk_chain_build(sources, node, &chain);
	if (chain.nr && !is_known(list, server, chain.links->node)) {
		disk_fd_read(&disk_sources_host, pid, fd, &info);
		use = disk_use_add(list, server->user,
				   disk_fd_is_writable(&info) ? DISK_WRITES : DISK_READS);
		use->who = xstrdup(server->who);
		use->what = path_of(pid, fd);
		use->start = node;
		use->chain = chain;
		chain = (struct disk_chain){ NULL, 0 };
	}
	disk_chain_free(&chain);
}

void disk_qemu_uses(const struct disk_sources *sources, const struct disk_server *server,
		    struct disk_use_list *list)
{
	char *path = xasprintf("/proc/%d/fd", (int)server->pid);
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (*entry->d_name != '.')
			look_at(sources, server, entry->d_name, list);
	if (directory)
		closedir(directory);
	free(path);
}
