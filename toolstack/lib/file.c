/* SPDX-License-Identifier: MIT */
/* Whole files: bounded reads, and writes by rename so that no reader sees half a file. */
#include "lib/file.h"
#include "lib/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read_fd(int fd, const char *name, size_t limit, struct str *out, struct error **e)
{
	size_t total = 0;

	for (;;) {
		size_t chunk = limit - total < 65536 ? limit - total + 1 : 65536;
		char *to = str_reserve(out, chunk);
		ssize_t n = read(fd, to, chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(e, errno, "Cannot read %s: %s.", name, strerror(errno));
		to[n] = '\0';
		out->len += (size_t)n;
		total += (size_t)n;
		if (!n)
			return 0;
		if (total > limit)
			return error_set(e, EFBIG,
					 "%s is too large: at most %zu bytes are allowed.", name,
					 limit);
	}
}

int file_read(const char *path, size_t limit, struct str *out, struct error **e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return error_set(e, errno, "Cannot open %s: %s.", path, strerror(errno));
	rc = file_read_fd(fd, path, limit, out, e);
	close(fd);
	return rc;
}

int file_write_fd(int fd, const char *name, const void *data, size_t len, struct error **e)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(e, errno, "Cannot write %s: %s.", name, strerror(errno));
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_sync_directory_of(const char *path, struct error **e)
{
	const char *slash = strrchr(path, '/');
	char *dir =
		slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	/* EINVAL: a file system that has nothing to sync in a directory (fsync(2)). */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		rc = error_set(e, errno, "Cannot sync the directory %s: %s.", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(dir);
	return rc;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct error **e)
{
	char *tmp = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(tmp, O_CLOEXEC);
	int rc;

	if (fd < 0) {
		rc = error_set(e, errno, "Cannot make a new file beside %s: %s.", path,
			       strerror(errno));
		goto out_free;
	}
	rc = file_write_fd(fd, tmp, data, len, e);
	if (rc == 0 && (fchmod(fd, mode) || fsync(fd)))
		rc = error_set(e, errno, "Cannot write %s: %s.", tmp, strerror(errno));
	if (close(fd) && rc == 0)
		rc = error_set(e, errno, "Cannot write %s: %s.", tmp, strerror(errno));
	if (rc == 0 && rename(tmp, path))
		rc = error_set(e, errno, "Cannot rename %s to %s: %s.", tmp, path, strerror(errno));
	if (rc)
		unlink(tmp);
	else
		rc = file_sync_directory_of(path, e);
out_free:
	free(tmp);
	return rc;
}

int file_make_dirs(const char *path, mode_t mode, struct error **e)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = copy + 1; rc == 0; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, c ? 0755 : mode) == 0)
			rc = file_sync_directory_of(copy, e);
		else if (errno != EEXIST)
			rc = error_set(e, errno, "Cannot make the directory %s: %s.", copy,
				       strerror(errno));
		*p = c;
		if (!c)
			break;
	}
	free(copy);
	return rc;
}

int file_remove(const char *path, struct error **e)
{
	if (unlink(path) && errno != ENOENT)
		return error_set(e, errno, "Cannot remove %s: %s.", path, strerror(errno));
	return 0;
}
