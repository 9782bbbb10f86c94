/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine for tests of core/. All of its functions are weak: a test that needs
 * another behaviour defines the function itself. hv_log() is silent unless the environment has
 * UNIT_LOG.
 */
#ifndef UNIT_HOST_H
#define UNIT_HOST_H

#include "hv/percpu.h"
#include "hv/spinlock.h"
#include "hv/time.h"

/* --- CPUs (host/cpu.c) --- */
/* Starts nr CPUs: all online, CPU 0 current, interrupts on. */
void host_cpus_init(unsigned int nr);
extern bool host_irqs_on[HV_MAX_CPUS];
extern s_time_t host_now;			  /* what time_now() returns */
extern s_time_t host_timer_deadline[HV_MAX_CPUS]; /* the last arch_timer_program() of each CPU */
extern unsigned int host_kicks[HV_MAX_CPUS];	  /* arch_cpu_kick()s of each CPU */

/* --- locks (host/spinlock.c): taking a lock twice, taking it out of rank, or releasing it twice
 * fails the test --- */
unsigned int host_locks_held(void); /* by the current CPU */
/* Called after each release of a lock, by the CPU that released it; NULL: not called. A test lets
 * another CPU come in here. */
extern void (*host_unlocked)(const spinlock_t *l);

/* --- memory (host/memory.c) --- */
/*
 * Makes `pages` frames of RAM from machine address 0 on, with a frame table of zeros. They are
 * visible at HEAP_VIRT + machine address and through map_frame(). Calling it again starts afresh.
 * The hypervisor's own pages (hv_alloc_pages) come from the top.
 */
void host_ram_init(unsigned long pages);
unsigned int host_frames_mapped(void); /* how many map_frame() calls lack their unmap_frame() */
/* How many more allocations by hv_alloc*() succeed before one fails; < 0: none fails. */
extern long host_alloc_fail_after;
/* Allocations by hv_alloc() and hv_alloc_pages() that were not freed yet. */
extern unsigned long host_allocs_live;
/* When it returns true, copy_{from,to}_guest fails at that address. */
extern bool (*host_guest_fault)(const void *addr, size_t size);

#endif
