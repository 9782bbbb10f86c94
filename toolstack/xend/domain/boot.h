/* SPDX-License-Identifier: MIT */
/*
 * From a configuration to a running domain, and back. Call these functions in a task that holds the
 * domain's lock.
 */
#ifndef XEND_DOMAIN_BOOT_H
#define XEND_DOMAIN_BOOT_H

#include <stdbool.h>

#include "lib/error.h"

struct domain;
struct domain_size;
struct request;

struct boot {
	bool paused;  /* left paused at its first instruction */
	bool console; /* its bootloader shows its menu on a console, and may be typed to */
	int image_fd; /* a saved domain's memory, at its first byte; -1: boot its kernel */
	/* The saved domain's size; NULL: as the configuration says. */
	const struct domain_size *size;
	bool resumes_afresh;   /* the saved domain's kernel does (domain.h) */
	struct request *asker; /* gets the progress; may be NULL */
	/* Called when there is memory for it, before the image's first byte is read; may be NULL.
	 */
	int (*ready)(void *arg, struct error **e);
	void *ready_arg;
};

struct store_batch;

/*
 * Writes the nodes in the batch, and those of the domain's devices and of its screen. xenstored may
 * not know the domain yet, or it stands still: nobody sees half of them.
 */
int boot_put_devices(struct domain *domain, struct store_batch *batch, struct error **e);

/*
 * Starts a domain that has a configuration, a UUID and no id. After a failure the domain has no id
 * again (unless the hypervisor does not destroy it), and its record is as it was last written,
 * "building" or "dying": the caller decides what becomes of it.
 */
int domain_boot(struct domain *domain, const struct boot *boot, struct error **e);

/*
 * The same in two halves, for a domain that comes from another host. The first one leaves it
 * complete and paused, with neither nodes nor devices; a failure is as above. The second one gives
 * it these, and lets it run. After a failure of the second one the domain is as before it, but its
 * reason says why; the caller writes the record.
 */
int domain_boot_receive(struct domain *domain, const struct boot *boot, struct error **e);
int domain_boot_begin(struct domain *domain, const struct domain_size *size, struct error **e);

/*
 * The first half of domain_tear_down: the record says "dying" (else nothing is done), and the
 * devices are closed.
 */
int domain_close(struct domain *domain, struct error **e);

/*
 * Destroys the domain with its devices and nodes. Afterwards it has no id. Its record still exists
 * and says "dying": the caller updates or removes it. This cannot be cancelled and continues after
 * errors, except two: nothing is done to a domain that runs and whose record cannot be written; and
 * a domain that the hypervisor does not destroy keeps its id and its record. Then the call can be
 * repeated. Another domain that has got the number in the meantime is not touched.
 */
int domain_tear_down(struct domain *domain, struct error **e);

/*
 * Decides what becomes of a domain without an id, after domain_tear_down or a failed boot. A
 * managed domain, or one with a reason, is suspended if that is its goal, else halted. All others
 * are forgotten. Does nothing to a domain that has an id because it could not be destroyed.
 */
void domain_settle(struct domain *domain);

/*
 * Boots a domain whose record says "dying" with the goal "restart". It waits a
 * minute for a disk that somebody still has. After a failed boot it is settled with a reason,
 * unless xend is stopping (-ECANCELED): then the next xend boots it.
 */
int domain_boot_again(struct domain *domain, struct request *asker, struct error **e);

/*
 * domain_tear_down, then domain_boot_again. The record has the goal "restart", so the next xend
 * boots the domain if this one is killed midway. A failed stop leaves the domain as it is.
 */
int domain_restart(struct domain *domain, struct request *asker, struct error **e);

#endif
