/* SPDX-License-Identifier: MIT */
/*
 * The record of a domain: /var/lib/xend/domains/UUID/config.json, replaced as a whole at each
 * change.
 *
 * It is written before what it announces is done: a domain's record says "building" before the
 * hypervisor has the domain, "dying" before the first of its devices goes. So whatever moment xend
 * is killed at, the next one finds what to take back.
 *
 * It says, too, in which boot of the host it was written: the number of a domain means nothing in
 * the next one.
 */
#ifndef XEND_DOMAIN_RECORD_H
#define XEND_DOMAIN_RECORD_H

#include <stdint.h>

#include "lib/error.h"

struct domain;

#define RECORD_DIRECTORY "/var/lib/xend/domains"

int record_write(struct domain *domain, struct error **e);
/* As record_write; a failure is logged only, for where nothing can be taken back any more. */
void record_write_anyway(struct domain *domain);
/* Removes the record and its directory. */
void record_remove(struct domain *domain);
/*
 * Adds all domains that have a record to the list. Files that cannot be read or understood are left
 * alone and named in the log; the domain of such a one, if it runs, is somebody else's to xend.
 */
int records_load(struct error **e);
/* Before a new domain gets that UUID, which no domain of the list has: -EEXIST if there is a record
 * of it all the same. */
int record_check_free(const uint8_t uuid[16], struct error **e);
/* Where the memory of a suspended managed domain lies; to be freed. */
char *record_image_path(const struct domain *domain);

#endif
