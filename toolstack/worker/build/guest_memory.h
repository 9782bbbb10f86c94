/* SPDX-License-Identifier: MIT */
/* The memory of a domain that is being built: its frames, and ways to write to them. */
#ifndef WORKER_BUILD_GUEST_MEMORY_H
#define WORKER_BUILD_GUEST_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "hv/hv.h"

struct guest {
	struct hv *hv;
	uint32_t domid;
	uint64_t nr_pages;
	xen_pfn_t *p2m; /* the machine frame of each of the nr_pages frames */
};

/* Reports the progress of a long step: `done` counts up to `total`. */
typedef void guest_progress_fn(const char *stage, uint64_t done, uint64_t total);

/*
 * Allocates nr_pages for the domain and fills in guest->p2m. Uses extents of 2 MiB as long as there
 * are any.
 */
int guest_populate(struct guest *guest, uint64_t nr_pages, guest_progress_fn *progress,
		   struct error **e);
void guest_free(struct guest *guest);

/*
 * Maps `count` frames from pfn on, for reading and writing, until hv_unmap_frames(). NULL on an
 * error.
 */
void *guest_map(struct guest *guest, uint64_t pfn, uint64_t count, struct error **e);

/*
 * Copies `size` bytes of a file to the guest's pseudo-physical address `to`, and leaves the rest of
 * the pages as it is. `what` is the subject of an error's sentence.
 */
int guest_load(struct guest *guest, uint64_t to, int fd, uint64_t offset, uint64_t size,
	       const char *what, guest_progress_fn *progress, struct error **e);
/* Clears `size` bytes from the guest's pseudo-physical address `from` on. */
int guest_clear(struct guest *guest, uint64_t from, uint64_t size, struct error **e);

#endif
