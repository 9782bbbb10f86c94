/* SPDX-License-Identifier: MIT */
/* The page tables that a PV guest starts with. Pure: it writes to a buffer that holds the frames of
 * layout->pt on. */
#ifndef WORKER_BUILD_TABLES_H
#define WORKER_BUILD_TABLES_H

#include <stdint.h>

#include "worker/build/layout.h"

/*
 * Fills layout->nr_pt zeroed pages. p2m[i] is the machine frame of the guest's frame i, for all of
 * its nr_pages. What is mapped is writable but for the tables themselves (xen/xen.h, "Start-of-day
 * memory layout", 6).
 */
void tables_make(const struct layout *layout, const uint64_t *p2m, uint64_t *tables);

#endif
