/* SPDX-License-Identifier: MIT */
/*
 * The record of a domain: /var/lib/xend/domains/UUID/config.json, replaced as a whole at each change.
 *
 * It is written before what it announces is done: a domain's record says "building" before the hypervisor has the domain,
 * "dying" before the first of its devices goes. So whatever moment xend is killed at, the next one finds what to take back.
 */
#ifndef XEND_RECORD_H
#define XEND_RECORD_H

#include "util/error.h"

struct domain;

#define RECORD_DIRECTORY "/var/lib/xend/domains"

int record_write(struct domain *domain, struct error **e);
/* As record_write; a failure is logged only, for where nothing can be taken back any more. */
void record_write_anyway(struct domain *domain);
/* Removes the record and its directory. */
void record_remove(struct domain *domain);
/* Adds all domains that have a record to the list. Files that cannot be understood are left alone and named in the log. */
int records_load(struct error **e);
/* Where the memory of a suspended managed domain lies; to be freed. */
char *record_image_path(const struct domain *domain);

#endif
