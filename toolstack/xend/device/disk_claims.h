/* SPDX-License-Identifier: MIT */
/*
 * Users of a disk, and the rules for which uses may coexist. Pure functions: they neither wait nor
 * read files.
 *
 *	new user	beside: reader	writer	w!	Domain-0 reads	Domain-0 writes
 *	r		yes		no	yes	yes		no
 *	w		no		no	no	no		no
 *	w!, r!		yes		yes	yes	yes		yes
 *
 * With "!" the administrator declares that sharing is intended, so other uses are not checked.
 * Xen's own script (/etc/xen/scripts/block) has the same rules.
 */
#ifndef XEND_DEVICE_DISK_CLAIMS_H
#define XEND_DEVICE_DISK_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "xend/device/disk_graph.h"

enum disk_access {
	DISK_READS,
	DISK_WRITES,
	DISK_SHARES, /* writes, and lets others write (w!) */
};

enum disk_user {
	DISK_USER_GUEST,
	DISK_USER_SUSPENDED, /* a domain with its memory in a file: its disk must not change */
	/* A domain that is gone, but whose backend driver still holds the disk. */
	DISK_USER_GONE,
	DISK_USER_MOUNT,
	DISK_USER_SWAP,
	DISK_USER_HOLDER, /* a volume or an array, as a user of its members */
	DISK_USER_LOOP,	  /* a loop device that no other user in the list goes through */
};

struct disk_use {
	enum disk_user user;
	enum disk_access access;
	/* Where the chain begins; {0, 0}: where `what` leads to. */
	struct disk_node start;
	/* Guests: the loop device over the file `start`, where that is certain; 0: not known. */
	dev_t loop;
	struct disk_chain chain;
	/* The name of a guest's domain, a mount point, or a volume's name. */
	char *who;
	char *what;	 /* the used thing's path or name; may be NULL */
	char *vdev;	 /* guests: the disk's name there; may be NULL */
	bool exempt;	 /* the domain gives this disk back first: no conflict */
	bool makes_loop; /* its loop device is being made and has no known number */
	/* An image whose header names what it lies on (enum config_disk_format); 0: a raw one. */
	unsigned int format;
};

struct disk_use_list {
	struct disk_use *uses;
	size_t nr;
};

/* Appends an empty use. The pointer is valid until the next use is appended. */
struct disk_use *disk_use_add(struct disk_use_list *list, enum disk_user user,
			      enum disk_access access);
void disk_use_list_free(struct disk_use_list *list);
/* Frees all but the first `nr`. */
void disk_use_list_cut(struct disk_use_list *list, size_t nr);

bool disk_access_conflicts(enum disk_access mine, enum disk_access other);
/* Whether a write to one of the two can change the other. */
bool disk_use_touches(const struct disk_chain *mine, const struct disk_use *use);
/* The first use that forbids `mine`; NULL: `mine` is allowed. */
const struct disk_use *disk_use_conflict(const struct disk_chain *mine, enum disk_access access,
					 const struct disk_use_list *list);
/* Whether a use in the list explains that somebody writes the file of `mine`. */
bool disk_use_explains_writer(const struct disk_chain *mine, const struct disk_use_list *list);
/* Two sentences about a use that conflicts with `mine`: what it is, and what to do. To be freed. */
char *disk_use_describe(const struct disk_chain *mine, const struct disk_use *use);

#endif
