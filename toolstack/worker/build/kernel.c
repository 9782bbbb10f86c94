/* SPDX-License-Identifier: MIT */
/* Opens a guest's kernel: everything that parses or unpacks the file runs in the sandbox. */
#include "worker/build/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/build/cache.h"
#include "worker/build/kernel_sandbox.h"
#include "worker/sandbox.h"

static const struct sandbox_limits limits = {
	.memory = 2 * KERNEL_SIZE_MAX,
	.file_size = KERNEL_SIZE_MAX + (1 << 20),
	.seconds = 120,
};

static int check_info(struct kernel *kernel, const char *what, struct error **e)
{
	const char *why = "";
	struct stat st;

	if (fstat(kernel->fd, &st))
		return error_set(e, errno, "%s cannot be read: %s.", what, strerror(errno));
	if (kernel_info_check(&kernel->info, (uint64_t)st.st_size, &why))
		return error_set(e, EINVAL, "%s is not usable: %s.", what, why);
	return 0;
}

/* Reads the whole file into *data, which the caller frees. */
static int read_input(int fd, size_t size, const char *what, uint8_t **data, struct error **e)
{
	size_t done = 0;

	*data = malloc(size);
	if (!*data)
		return error_set(e, ENOMEM,
				 "%s cannot be read: there is no memory for its %zu bytes.", what,
				 size);
	while (done < size) {
		ssize_t n = pread(fd, *data + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			free(*data);
			*data = NULL;
			return error_set(e, n < 0 ? errno : EIO, "%s cannot be read: %s.", what,
					 n < 0 ? strerror(errno) : "it became shorter meanwhile");
		}
		done += (size_t)n;
	}
	return 0;
}

/*
 * Unpacks into fd, a new file, which belongs to the kernel afterwards. fd -1: the file could not be
 * made, and errno says why.
 */
static int unpack_to(struct kernel *kernel, int fd, struct kernel_input *input, const char *what,
		     struct error **e)
{
	kernel->fd = fd;
	if (fd < 0)
		return error_set(e, errno, "%s cannot be unpacked: %s.", what, strerror(errno));
	return sandbox_run(kernel_unpack, input, fd, &kernel->info, sizeof(kernel->info), &limits,
			   what, e);
}

static int unpack_with(struct kernel *kernel, int fd, const struct stat *st,
		       const struct cache *cache, const char *what, struct error **e)
{
	const struct cache no_cache = { .dir = -1 };
	struct kernel_input input = { .size = (size_t)st->st_size };
	char key[CACHE_KEY_SIZE];
	uint8_t *data = NULL;
	int rc;

	if (cache_find_key(cache, st, key) && cache_get(cache, key, kernel))
		return 0;
	rc = read_input(fd, input.size, what, &data, e);
	if (rc)
		return rc;
	input.data = data;
	cache_key(data, input.size, key);
	if (cache_get(cache, key, kernel)) {
		cache_note_key(cache, st, key);
		free(data);
		return 0;
	}
	rc = unpack_to(kernel, cache_new_file(cache), &input, what, e);
	/* The cache's file system is full: unpack into memory instead. */
	if (rc == -ENOSPC || rc == -EDQUOT) {
		kernel_close(kernel);
		if (e)
			error_free(e);
		rc = unpack_to(kernel, cache_new_file(&no_cache), &input, what, e);
	}
	free(data);
	if (rc == 0)
		rc = check_info(kernel, what, e);
	if (rc == 0 && cache_put(cache, key, kernel->fd, &kernel->info))
		cache_note_key(cache, st, key);
	return rc;
}

/* Opens a kernel that has to be unpacked. */
static int open_packed(struct kernel *kernel, int fd, const struct stat *st, const char *cache_path,
		       const char *what, struct error **e)
{
	struct cache cache;
	int rc;

	cache_open(&cache, cache_path);
	rc = unpack_with(kernel, fd, st, &cache, what, e);
	cache_close(&cache);
	return rc;
}

/* Opens an ELF file, which is used where it lies unless its symbols have to be laid out anew. */
static int open_plain(struct kernel *kernel, int fd, const struct stat *st, const char *cache_path,
		      const char *what, struct error **e)
{
	int rc = sandbox_run(kernel_describe, NULL, fd, &kernel->info, sizeof(kernel->info),
			     &limits, what, e);

	if (rc)
		return rc;
	if (kernel->info.flags & KERNEL_BSD_SYMTAB)
		return open_packed(kernel, fd, st, cache_path, what, e);
	kernel->fd = dup(fd);
	return check_info(kernel, what, e);
}

static int open_file(int directory, const char *path, struct stat *st, const char *what,
		     struct error **e)
{
	int fd = openat(directory, path,
			O_RDONLY | O_CLOEXEC | O_NONBLOCK |
				(directory == AT_FDCWD ? 0 : O_NOFOLLOW));

	if (fd < 0 || fstat(fd, st)) {
		error_set(e, errno, "%s cannot be opened: %s.", what, strerror(errno));
	} else if (!S_ISREG(st->st_mode)) {
		error_set(e, EINVAL, "%s is not usable: it is not a file.", what);
	} else if (st->st_size < 64) {
		error_set(e, EINVAL, "%s is not usable: it is too short for a kernel.", what);
	} else if ((uint64_t)st->st_size > KERNEL_FILE_MAX) {
		error_set(
			e, EFBIG,
			"%s is not usable: it is larger than any kernel (%llu MiB, at most %llu).",
			what, (unsigned long long)st->st_size >> 20, KERNEL_FILE_MAX >> 20);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

int kernel_open_in(struct kernel *kernel, int directory, const char *path, const char *cache_path,
		   struct error **e)
{
	struct error *why = NULL;
	char what[300];
	uint8_t magic[4];
	struct stat st;
	int fd, rc;

	*kernel = (struct kernel){ .fd = -1 };
	snprintf(what, sizeof(what), "The kernel %.280s", path);
	fd = open_file(directory, path, &st, what, &why);
	if (fd < 0) {
		rc = -error_errno(why);
		error_move(e, &why);
		return rc;
	}
	if (pread(fd, magic, sizeof(magic), 0) != sizeof(magic))
		rc = error_set(e, EIO, "%s cannot be read.", what);
	else if (memcmp(magic, "\177ELF", sizeof(magic)) == 0)
		rc = open_plain(kernel, fd, &st, cache_path, what, e);
	else
		rc = open_packed(kernel, fd, &st, cache_path, what, e);
	close(fd);
	if (rc)
		kernel_close(kernel);
	return rc;
}

void kernel_close(struct kernel *kernel)
{
	if (kernel->fd >= 0)
		close(kernel->fd);
	kernel->fd = -1;
}
