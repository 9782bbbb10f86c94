/* SPDX-License-Identifier: MIT */
/*
 * The file tree of a confined program: a small tmpfs in a mount namespace of its own.
 *
 * The process enters it by chroot(), because pivot_root() cannot leave an initramfs, and Domain-0
 * may run from one. Leaving a chroot takes privilege, a descriptor of a directory outside, or help
 * from a process outside; the program has none of these. The kernel also refuses to make a user
 * namespace for a process in a chroot.
 */
#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * Where the tree is mounted: any directory that always exists. The mount hides its content from the
 * child only.
 */
#define ATTACH_POINT "/proc"

/* Programs and libraries, which everybody may read. */
static const char *const shared[] = { "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
/* Files by which the linker finds libraries, and generic names find their programs. */
static const char *const shared_etc[] = { "etc/ld.so.cache", "etc/alternatives" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Makes an empty tmpfs, not attached yet. Returns a descriptor, or -1. */
static int make_tree(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), tree = -1;

	if (fs < 0)
		return -1;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "size", "1m", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		tree = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return tree;
}

/* Makes the parents of a path that is relative to the tree. */
static int make_parents(int tree, const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(tree, copy, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

/*
 * Shows a file or directory of the host, with the mounts below it, read-only and at the same
 * absolute path.
 */
static int show(int tree, const char *path, bool is_directory)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV };
	const char *inside = path + 1;
	int fd, from, rc = -1;

	if (make_parents(tree, inside))
		return -1;
	if (is_directory) {
		if (mkdirat(tree, inside, 0755))
			return -1;
	} else {
		fd = openat(tree, inside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			return -1;
		close(fd);
	}
	from = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (from < 0)
		return -1;
	if (mount_setattr(from, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		rc = move_mount(from, "", tree, inside, MOVE_MOUNT_F_EMPTY_PATH);
	close(from);
	return rc;
}

/*
 * Shows a path as the host has it: not at all, as a symbolic link (into /usr, say), or by show().
 */
static int show_as_is(int tree, const char *inside)
{
	char path[64], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/%s", inside);
	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -1;
	if (!S_ISLNK(st.st_mode))
		return show(tree, path, S_ISDIR(st.st_mode));
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlinkat(target, tree, inside);
}

static bool is_shared(const char *path)
{
	for (size_t i = 0; i < COUNT(shared); i++) {
		size_t length = strlen(shared[i]);

		if (strncmp(path + 1, shared[i], length) == 0 && path[1 + length] == '/')
			return true;
	}
	return false;
}

static int make_nodes(int tree, const struct confine_spec *spec)
{
	static const struct {
		const char *path;
		unsigned int minor;
	} nodes[] = { { "dev/null", 3 },
		      { "dev/zero", 5 },
		      { "dev/full", 7 },
		      { "dev/random", 8 },
		      { "dev/urandom", 9 } };

	if (mkdirat(tree, "dev", 0755))
		return -1;
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (mknodat(tree, nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)))
			return -1;
	/* The group may read it, but root owns it: an owner could change the mode. */
	return mknodat(tree, &CONFINE_DISK[1], S_IFBLK | 0440, spec->disk) == 0 ?
		       fchownat(tree, &CONFINE_DISK[1], 0, spec->id, 0) :
		       -1;
}

static int fill(int tree, const struct confine_spec *spec, int output, const char **what)
{
	*what = "show it the host's programs";
	for (size_t i = 0; i < COUNT(shared); i++)
		if (show_as_is(tree, shared[i]))
			return -1;
	if (mkdirat(tree, "etc", 0755))
		return -1;
	for (size_t i = 0; i < COUNT(shared_etc); i++)
		if (show_as_is(tree, shared_etc[i]))
			return -1;
	*what = "show it its program";
	if (!is_shared(spec->program) && show(tree, spec->program, false))
		return -1;
	*what = "make its device nodes";
	if (make_nodes(tree, spec))
		return -1;
	*what = "give it its directory";
	return mkdirat(tree, &CONFINE_OUTPUT[1], 0755) ?
		       -1 :
		       move_mount(output, "", tree, &CONFINE_OUTPUT[1], MOVE_MOUNT_F_EMPTY_PATH);
}

static int enter_restricted(const struct confine_spec *spec, int output, const char **what)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	int tree = make_tree();

	*what = "make its file tree";
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, ATTACH_POINT, MOVE_MOUNT_F_EMPTY_PATH))
		return -1;
	if (fill(tree, spec, output, what))
		return -1;
	*what = "enter its file tree";
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) || fchdir(tree) ||
	    chroot("."))
		return -1;
	return close(tree);
}

static int enter_unrestricted(int output, const char **what)
{
	*what = "give it its directory";
	return move_mount(output, "", AT_FDCWD, CONFINE_OUTPUT_UNRESTRICTED,
			  MOVE_MOUNT_F_EMPTY_PATH);
}

int confine_enter_tree(const struct confine_spec *spec, int output, const char **what)
{
	umask(0);
	/*
	 * No mount that is made here reaches the host. An unrestricted program sees the host, so it
	 * also sees what the host mounts later (MS_SLAVE).
	 */
	*what = "part it from the host's mounts";
	if (mount(NULL, "/", NULL, MS_REC | (spec->restricted ? MS_PRIVATE : MS_SLAVE), NULL))
		return -1;
	if (spec->restricted ? enter_restricted(spec, output, what) :
			       enter_unrestricted(output, what))
		return -1;
	umask(022);
	return 0;
}
