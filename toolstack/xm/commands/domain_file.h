/* SPDX-License-Identifier: MIT */
/*
 * A domain's configuration from its file and the command line, read and checked, as `xm create` and
 * `xm new` send it.
 */
#ifndef XM_COMMANDS_DOMAIN_FILE_H
#define XM_COMMANDS_DOMAIN_FILE_H

#include "config/config.h"

/*
 * The operands are a file and key=value words, in any order. If `file` is not NULL, it names the
 * file instead. Errors and warnings go to stderr; on an error the result is NULL. *path receives
 * the path of the file, which the caller frees; NULL when only words describe the domain.
 */
struct config *domain_file_read(char *const *operands, int count, const char *file, char **path);

/*
 * Finds a configuration file: the name itself or, for a name without a slash, also in /etc/xen;
 * each with ".cfg" appended if it does not exist without. The caller frees the path. NULL when
 * there is no such file.
 */
char *domain_file_find(const char *name);

#endif
