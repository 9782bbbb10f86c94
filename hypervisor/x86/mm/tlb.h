/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes, here and on other CPUs, and the clock that tells which of them are not needed. Every
 * full flush of a CPU stamps the CPU with the clock. A frame whose last mapping went away at time t
 * needs no flush on CPUs that flushed after t.
 *
 * Guests' translations are never global (x86/pv clears the bit in their entries), so a load of CR3
 * drops them all. The functions that wait for other CPUs (*_mask) need interrupts on, and no lock
 * held that any CPU takes with interrupts off.
 */
#ifndef X86_MM_TLB_H
#define X86_MM_TLB_H

#include "hv/cpumask.h"

void tlb_load_cr3(unsigned long cr3);		/* loads CR3 and notes the flush */
void tlb_flush_local(void);			/* this CPU; not global translations */
void tlb_flush_local_all(void);			/* and global translations */
void tlb_flush_mask(const cpumask_t *cpus);	/* each of these CPUs; waits */
void tlb_flush_mask_all(const cpumask_t *cpus); /* and global translations */
void tlb_flush_page_mask(const cpumask_t *cpus, unsigned long va);
u32 tlb_clock(void); /* the clock, as a frame's stamp */
/* Removes from `cpus` those that have flushed since `stamp`. Stamp 0 removes all. */
void tlb_filter(cpumask_t *cpus, u32 stamp);
u32 tlb_stamp_later(u32 a, u32 b); /* the one that needs more flushes */
void tlb_ipi_handler(void);	   /* for VECTOR_TLB_FLUSH */

#endif
