/* SPDX-License-Identifier: MIT */
/*
 * Whole files: reads have a size limit; an atomic write leaves either the old or the new content.
 */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/error.h"
#include "lib/str.h"

/*
 * Appends the file's content to out. Fails with -EFBIG when the file has more than `limit` bytes.
 */
int file_read(const char *path, size_t limit, struct str *out, struct error **e);
/* The same for the rest of an open file; errors call the file `name`. */
int file_read_fd(int fd, const char *name, size_t limit, struct str *out, struct error **e);

/*
 * Writes a temporary file beside path, syncs it, renames it to path and syncs the directory. A
 * reader of path finds the old content or the new one, even after a loss of power.
 *
 * On an error no temporary file stays. path has its old content then, unless only the sync of the
 * directory failed: the new content is in place, but a loss of power may bring the old one back.
 */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
		      struct error **e);

/* Writes all of data; repeats write() when it writes less. */
int file_write_fd(int fd, const char *name, const void *data, size_t len, struct error **e);

/*
 * Syncs the directory that has the path's name in it: only then does a new name, or its removal,
 * survive a loss of power.
 */
int file_sync_directory_of(const char *path, struct error **e);

/*
 * Makes the directory and its missing parents, and syncs their names. `mode` is for the directory
 * itself; parents get 0755.
 */
int file_make_dirs(const char *path, mode_t mode, struct error **e);

/* Removes the file; a file that does not exist is not an error. */
int file_remove(const char *path, struct error **e);

#endif
