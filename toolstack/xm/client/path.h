/* SPDX-License-Identifier: MIT */
/* Absolute paths for xend, which does not know the directory in which xm was started. */
#ifndef XM_CLIENT_PATH_H
#define XM_CLIENT_PATH_H

/* The file's absolute path, which the caller frees. NULL after an error message. */
char *path_absolute(const char *path);

/* The path of a new file for a domain's core, which the caller frees. */
char *path_for_core(const char *domain);

#endif
