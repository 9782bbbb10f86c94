/* SPDX-License-Identifier: MIT */
/*
 * A domain's configuration from its file and the command line, read and checked, as `xm create` and
 * `xm new` send it.
 */
#ifndef XM_COMMANDS_DOMAIN_FILE_H
#define XM_COMMANDS_DOMAIN_FILE_H

#include <stdbool.h>

#include "config/config.h"
#include "xm/command.h"

struct domain_file_options {
	const char *file;     /* NULL: one of the operands is the file */
	bool strict;	      /* warnings are errors */
	const char *path;     /* directories to search, with colons; NULL: this one and /etc/xen */
	bool no_python;	      /* refuse a file that is a Python program */
	bool roots_python;    /* refuse a Python program that others than root may write */
	bool help;	      /* only print what variables the file takes */
	unsigned int seconds; /* how long a Python program may take; 0: as long as is usual */
};

/*
 * The operands are a file and key=value words, in any order. A relative path in the file is below
 * the caller's directory. Errors and warnings go to stderr; on
 * an error, and after help, *config is NULL. Returns an enum xm_status. *path receives the path of
 * the file, which the caller frees; NULL when only words describe the domain.
 */
int domain_file_read(char *const *operands, int count, const struct domain_file_options *options,
		     struct config **config, char **path);

/*
 * Finds a configuration file: the name itself or, for a name without a slash, in the directories
 * (NULL: this one and /etc/xen); each with ".cfg" appended if it does not exist without. The caller
 * frees the path. NULL when there is no such file.
 */
char *domain_file_find(const char *name, const char *directories);

#endif
