/* SPDX-License-Identifier: MIT */
/* Files as a whole: read with a limit, written so that either the old or the new content is there.
 */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/error.h"
#include "lib/str.h"

/* Appends the file's content to out; -EFBIG when it has more than `limit` bytes. */
int file_read(const char *path, size_t limit, struct str *out, struct error **e);
/* The same for what is left in an open file; `name` is what an error calls it. */
int file_read_fd(int fd, const char *name, size_t limit, struct str *out, struct error **e);

/*
 * Writes a temporary file beside path, syncs it, renames it and syncs the directory: whoever reads
 * path finds the old content or the new one, also after a loss of power. When it fails, path is as
 * it was and no temporary file stays.
 */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
		      struct error **e);

/* write() until all of it is written. */
int file_write_fd(int fd, const char *name, const void *data, size_t len, struct error **e);

/* Makes the directory and those above it that are missing; `mode` is the last one's, the others get
 * 0755. */
int file_make_dirs(const char *path, mode_t mode, struct error **e);

/* unlink() for which a file that is not there is fine. */
int file_remove(const char *path, struct error **e);

#endif
