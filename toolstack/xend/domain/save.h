/* SPDX-License-Identifier: MIT */
/* Saving a running domain to a file, and starting one from it. docs/save-file.md describes the
 * file. */
#ifndef XEND_DOMAIN_SAVE_H
#define XEND_DOMAIN_SAVE_H

#include <stdbool.h>

#include "lib/error.h"

struct config;
struct domain;
struct domain_size;
struct request;

enum save_after { SAVE_THEN_STOP, SAVE_THEN_GO_ON };

/*
 * In a task that holds the domain's lock: suspends it, writes the file (which must not exist) and
 * syncs it. Then the domain is destroyed (the caller settles it), or goes on. When anything fails
 * the file is removed and the guest runs on.
 */
int domain_save(struct domain *domain, const char *path, enum save_after after,
		struct request *asker, struct error **e);

/*
 * Opens a saved domain: its configuration, how large it was, and a descriptor at its memory's first
 * byte. *ours: this host wrote the configuration; all that another one names (programs, kernels,
 * disks) is a stranger's choice.
 */
int save_open(const char *path, int *fd, struct config **config, struct domain_size *size,
	      bool *ours, struct error **e);

/* For recovery: the domain exists; lets it go on if it has suspended, and removes the half-written
 * file. */
void save_take_back(struct domain *domain);
void save_remove_partial(struct domain *domain);

#endif
