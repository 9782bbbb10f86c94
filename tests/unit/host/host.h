/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine that tests of core/ stand on. Every function behind it is weak: a test that
 * wants another behaviour defines that function itself. hv_log() is silent unless the environment
 * has UNIT_LOG.
 */
#ifndef UNIT_HOST_H
#define UNIT_HOST_H

#include "hv/percpu.h"
#include "hv/spinlock.h"
#include "hv/time.h"

/* --- CPUs (host/cpu.c) --- */
/* nr CPUs, all online, CPU 0 current, interrupts on. */
void host_cpus_init(unsigned int nr);
extern bool host_irqs_on[HV_MAX_CPUS];
extern s_time_t host_now;			  /* what time_now() returns */
extern s_time_t host_timer_deadline[HV_MAX_CPUS]; /* the last arch_timer_program() of each CPU */
extern unsigned int host_kicks[HV_MAX_CPUS];	  /* arch_cpu_kick()s of each CPU */

/* --- locks (host/spinlock.c): taking a lock twice, out of rank, or leaving it unlocked twice fails
 * the test --- */
unsigned int host_locks_held(void); /* by the current CPU */
/* Called after each release of a lock, by the CPU that did it: here another CPU of the script may
 * come in. Or NULL. */
extern void (*host_unlocked)(const spinlock_t *l);

/* --- memory (host/memory.c) --- */
/*
 * `pages` frames of RAM, machine address 0 on, seen at HEAP_VIRT + machine address and through
 * map_frame(); a frame table for them, all zero. Calling it again starts afresh. The hypervisor's
 * own pages (hv_alloc_pages) come from the top.
 */
void host_ram_init(unsigned long pages);
unsigned int host_frames_mapped(void); /* map_frame()s without an unmap_frame() */
extern long host_alloc_fail_after; /* that many allocations of hv_alloc*() succeed, then one fails;
				      < 0: none */
extern unsigned long host_allocs_live; /* hv_alloc() and hv_alloc_pages() not freed */
extern bool (*host_guest_fault)(const void *addr,
				size_t size); /* true: copy_{from,to}_guest fails there */

#endif
