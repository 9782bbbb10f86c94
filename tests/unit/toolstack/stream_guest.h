/* SPDX-License-Identifier: MIT */
/* A small suspended PV guest in the fake hypervisor, to be saved; and what must hold of it after it
 * was restored. */
#ifndef STREAM_GUEST_H
#define STREAM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/build/start.h"
#include "worker/stream/restore.h"

#define GUEST_PFNS 700 /* two pages of list */

/* Some of the guest's frames. */
enum {
	GUEST_LIST = 2, /* and 3 */
	GUEST_LIST_LIST = 4,
	GUEST_LIST_LIST_LIST = 5,
	GUEST_L4 = 10,
	GUEST_L3,
	GUEST_L2,
	GUEST_L1,
	GUEST_USER_L4,
	GUEST_GDT,
	GUEST_START_INFO,
	GUEST_STORE,
	GUEST_CONSOLE,
	GUEST_HOLE = 100,  /* no frame is there */
	GUEST_ZEROS = 200, /* to 299 */
};
/* Where the list is in its address space. */
#define GUEST_LIST_VIRT 0x8000000000ULL

/* Domain 1. by_address: the list is found through page tables, otherwise through lists of lists. */
void stream_guest_make(bool by_address);
/* The machine frame of one of its frames. */
uint64_t stream_guest_mfn(uint64_t pfn);
/*
 * Makes the list of frames (found by address) nr_pfns long, 2^27 at most. All of it past the second
 * page is one and the same frame, as in Linux, which maps one page of "no frame" wherever there is
 * nothing.
 */
void stream_guest_stretch_list(uint64_t nr_pfns, uint64_t filler_mfn);
/* What restoring into domain 2 begins with. */
struct restore stream_guest_restore(void);

#endif
