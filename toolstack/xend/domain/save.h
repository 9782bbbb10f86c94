/* SPDX-License-Identifier: MIT */
/*
 * Saving a running domain to a file, and starting one from it. docs/reference/save-file.md
 * describes the file.
 */
#ifndef XEND_DOMAIN_SAVE_H
#define XEND_DOMAIN_SAVE_H

#include <stdbool.h>

#include "lib/error.h"

#include "config/domain_size.h"

struct config;
struct domain;
struct request;

enum save_after { SAVE_THEN_STOP, SAVE_THEN_GO_ON };

/*
 * In a task that holds the domain's lock: suspends the domain, writes the file and syncs it. A
 * saved domain that is there already stays whole until the new file takes its place; anything else
 * is refused. Then the domain is destroyed (the caller settles it) or runs on.
 *
 * On failure the file is removed and the guest runs on. But a complete file stays if the domain
 * then cannot be resumed or destroyed.
 */
int domain_save(struct domain *domain, const char *path, enum save_after after,
		struct request *asker, struct error **e);

/* A saved domain. */
struct saved {
	int fd; /* at the first byte of its memory */
	struct config *config;
	struct domain_size size;
	/* This host wrote the configuration. Otherwise a stranger chose the programs, kernels and
	 * disks in it. */
	bool ours;
	bool resumes_afresh; /* struct domain */
};

/* Opens one. The caller closes its descriptor and frees its configuration. */
int save_open(const char *path, struct saved *saved, struct error **e);

/*
 * For recovery. save_take_back: the domain exists; lets it run on if it has suspended, and removes
 * the partial file. save_remove_partial: only the latter.
 */
void save_take_back(struct domain *domain);
void save_remove_partial(struct domain *domain);

#endif
