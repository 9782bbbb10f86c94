/* SPDX-License-Identifier: MIT */
/*
 * The record of a domain: /var/lib/xend/domains/UUID/config.json, replaced as a whole at each
 * change.
 *
 * A record is written before the step that it announces: it says "building" before the hypervisor
 * has the domain, and "dying" before the first device goes. So the next xend knows what to undo,
 * whenever this one is killed.
 *
 * A record also names the boot of the host in which it was written: a domain's number means nothing
 * in the next boot.
 */
#ifndef XEND_DOMAIN_RECORD_H
#define XEND_DOMAIN_RECORD_H

#include <stdint.h>

#include "lib/error.h"

struct domain;

#define RECORD_DIRECTORY "/var/lib/xend/domains"

/* For record_write alone: does not note a failure. */
int record_replace(struct domain *domain, struct error **e);
/*
 * In a task that holds the domain's lock; it waits for the disk, and cannot be cancelled. Writes
 * the domain as it is now. 0 or -errno; after an error the old record may still stand.
 */
int record_write(struct domain *domain, struct error **e);
/*
 * As record_write, for steps that cannot be undone any more: a failure goes to the log. After a
 * failure of either function the record is written again, with the domain as it is then, as soon as
 * the disk takes it.
 */
void record_write_anyway(struct domain *domain);
/*
 * Removes the record, the suspended domain's memory and their directory. After an error the record
 * may still stand: the domain must not be forgotten.
 */
int record_remove(struct domain *domain, struct error **e);
/* As record_remove, for a domain that is gone in any case; a failure is made good later. */
void record_remove_anyway(struct domain *domain);
/*
 * Adds all domains that have a record to the list. xend leaves records alone that it cannot read or
 * understand, and names them in the log; their domains, if they run, count as another toolstack's.
 * -errno: not all records could be listed.
 */
int records_load(struct error **e);
/*
 * Before a new domain gets a UUID that no listed domain has: -EEXIST if a record has it that
 * records_load could not use.
 */
int record_check_free(const uint8_t uuid[16], struct error **e);
/* The name of this boot of the host, once records_load has run. */
const char *record_boot(void);
/* The file with a suspended domain's memory; to be freed. */
char *record_image_path(const struct domain *domain);

#endif
