/* SPDX-License-Identifier: MIT */
/* A small suspended PV guest in the fake hypervisor, ready to be saved, and checks for its restored
 * copy. */
#ifndef STREAM_GUEST_H
#define STREAM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/build/start.h"
#include "worker/stream/restore.h"

#define GUEST_PFNS 700 /* its list takes two pages */

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
	GUEST_HOLE = 100,  /* no frame */
	GUEST_ZEROS = 200, /* to 299 */
};
/* The address of the list in the guest's address space. */
#define GUEST_LIST_VIRT 0x8000000000ULL

/* Makes the guest as domain 1. by_address: its list is found through page tables, else through the
 * tree of frame numbers. */
void stream_guest_make(bool by_address);
/* The machine frame of one of its pfns; UINT64_MAX: it has none. */
uint64_t stream_guest_mfn(uint64_t pfn);
/* It runs, and changes its memory: what it writes to is in the log. */
void stream_guest_run(void);
void stream_guest_suspend(void);
uint64_t *stream_guest_write(uint64_t pfn);
/* The pfn gets a new frame, or loses the one it has. */
void stream_guest_get(uint64_t pfn);
void stream_guest_give_back(uint64_t pfn);
/* A page table's entry leads to another pfn. */
void stream_guest_map(uint64_t table_pfn, unsigned int entry, uint64_t pfn);
/*
 * Makes the list (which must be found by address) nr_pfns long, at most 2^27. Everything past its
 * second page is one and the same frame, as in Linux, which maps one page of "no frame" wherever
 * nothing is.
 */
void stream_guest_stretch_list(uint64_t nr_pfns, uint64_t filler_mfn);
/* The state for restoring into domain 2. */
struct restore stream_guest_restore(void);

#endif
