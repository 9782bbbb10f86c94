/* SPDX-License-Identifier: MIT */
/* The memory of a domain in an ELF core file, for crash and gdb. */
#ifndef XEND_DOMAIN_DUMP_H
#define XEND_DOMAIN_DUMP_H

#include <stdbool.h>

#include "lib/error.h"

struct domain;
struct request;

#define DUMP_DIRECTORY "/var/lib/xen/dump"

/*
 * In a task that holds the domain's lock: the worker writes the file, which must not exist; a
 * partial file is removed. still: the domain is paused meanwhile, so that the dump is consistent.
 */
int dump_core(struct domain *domain, const char *path, bool still, struct request *asker,
	      struct error **e);
/* The default path of a domain's core; to be freed. */
char *dump_default_path(const struct domain *domain);

#endif
