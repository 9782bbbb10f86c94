/* SPDX-License-Identifier: MIT */
/* Names that both ends of a move use. */
#ifndef XEND_MIGRATE_NAMES_H
#define XEND_MIGRATE_NAMES_H

#include "lib/alloc.h"

/* What a domain is called while it comes: programs that clean up look for this. To be freed. */
static inline char *arriving_name(const char *name)
{
	return xasprintf("migrating-%s", name);
}

#endif
