/* SPDX-License-Identifier: MIT */
/* Gives a domain another name: in the list, in its record, in xenstore, for its console's log. */
#ifndef XEND_DOMAIN_RENAME_H
#define XEND_DOMAIN_RENAME_H

#include "lib/error.h"

struct domain;

/*
 * In a task that holds the domain's lock. -EEXIST: another domain has the name. If the record
 * cannot be written, the domain keeps its name. Until that is decided, nobody gets either name.
 */
int domain_rename(struct domain *domain, const char *name, struct error **e);

#endif
