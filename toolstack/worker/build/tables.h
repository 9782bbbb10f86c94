/* SPDX-License-Identifier: MIT */
/* The page tables that a PV guest starts with. Pure: they are written to a buffer for the frames
 * from layout->pt on. */
#ifndef WORKER_BUILD_TABLES_H
#define WORKER_BUILD_TABLES_H

#include <stdint.h>

#include "worker/build/layout.h"

/*
 * Fills layout->nr_pt zeroed pages. p2m[i] is the machine frame of the guest's frame i, for all
 * nr_pages. The tables themselves are mapped read-only, everything else writable (xen/xen.h,
 * "Start-of-day memory layout", item 6).
 */
void tables_make(const struct layout *layout, const uint64_t *p2m, uint64_t *tables);

#endif
