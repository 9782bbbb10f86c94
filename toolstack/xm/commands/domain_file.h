/* SPDX-License-Identifier: MIT */
/* A domain's configuration file and what was typed behind it, read and checked: what `xm create`
 * and `xm new` send. */
#ifndef XM_COMMANDS_DOMAIN_FILE_H
#define XM_COMMANDS_DOMAIN_FILE_H

#include "config/config.h"

/*
 * The operands are a file and key=value words, in any order. `file`, if not NULL, names the file
 * instead. What is wrong (every error and warning) is said on stderr. Returns NULL then. *path
 * receives the file that was read, to be freed; NULL when the words alone describe the domain.
 */
struct config *domain_file_read(char *const *operands, int count, const char *file, char **path);

/*
 * Where the file is: as it is named, or in /etc/xen when the name has no slash; with ".cfg" behind
 * it if there is none without. To be freed; NULL when there is none of these.
 */
char *domain_file_find(const char *name);

#endif
