/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own memory: pages and smaller blocks, in 2 MiB chunks that are mapped at
 * HEAP_VIRT
 * + machine address.
 */
#ifndef HV_HV_HEAP_H
#define HV_HV_HEAP_H

#include "hv/frame.h"
#include "lib/types.h"

struct domain;

/* 2^order zeroed pages, aligned to their size; NULL when out of memory. */
void *hv_alloc_pages(unsigned int order);
void hv_free_pages(void *va, unsigned int order);
/* Zeroed, 16-byte aligned, up to 1 MiB; NULL when out of memory or too large. */
void *hv_alloc(size_t size);
/* p may be NULL. */
void hv_free(void *p);
unsigned long hv_memory_pages(void); /* frames that the hypervisor holds for itself */
/*
 * Boot: adds a 2 MiB chunk that is mapped at HEAP_VIRT already. Its first `used` frames are taken.
 */
void hv_heap_add_boot_chunk(mfn_t first, unsigned int used);

/*
 * A page of the hypervisor that only `d` may map, writable or read-only: shared_info, grant table
 * frames. shared_page_free drops it; the frame is freed when the guest's last mapping is gone.
 */
void *shared_page_alloc(struct domain *d, bool guest_writable);
void shared_page_free(void *va);

#endif
