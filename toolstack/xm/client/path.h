/* SPDX-License-Identifier: MIT */
/* Names of files as xend wants them: xend does not know in which directory xm was started. */
#ifndef XM_CLIENT_PATH_H
#define XM_CLIENT_PATH_H

/* The file's absolute name, to be freed. NULL after an error was said. */
char *path_absolute(const char *path);

/* The name of a new file for a dump of the domain's memory, to be freed. */
char *path_for_core(const char *domain);

#endif
