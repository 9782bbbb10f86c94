/* SPDX-License-Identifier: MIT */
/* The memory of a domain in an ELF core file, for crash and gdb. */
#ifndef XEND_DOMAIN_DUMP_H
#define XEND_DOMAIN_DUMP_H

#include "lib/error.h"

struct domain;
struct request;

#define DUMP_DIRECTORY "/var/lib/xen/dump"

/* In a task: has the worker write it; a partial file is removed. The caller pauses the domain if it
 * shall stand still. */
int dump_core(struct domain *domain, const char *path, struct request *asker, struct error **e);
/* Where a crashed domain's core goes; to be freed. */
char *dump_default_path(const struct domain *domain);

#endif
