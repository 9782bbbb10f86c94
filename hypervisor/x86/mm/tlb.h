/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes, here and on other CPUs, and the clock that says which are not needed. Every full
 * flush of a CPU stamps it with the clock; a frame whose last mapping went away at time t needs no
 * flush on CPUs that flushed after t.
 *
 * Guests' translations are never global (x86/pv takes the bit out of their entries): a load of CR3
 * drops them all. Those that wait for other CPUs need interrupts on, and no lock held that anybody
 * takes with interrupts off.
 */
#ifndef X86_MM_TLB_H
#define X86_MM_TLB_H

#include "hv/cpumask.h"
#include "hv/mm.h"

void tlb_load_cr3(unsigned long cr3);		/* loads CR3 and notes the flush that this is */
void tlb_flush_local(void);			/* all but global translations, of this CPU */
void tlb_flush_local_all(void);			/* global ones too */
void tlb_flush_mask(const cpumask_t *cpus);	/* on each of these; waits. Interrupts on. */
void tlb_flush_mask_all(const cpumask_t *cpus); /* with global ones */
void tlb_flush_page_mask(const cpumask_t *cpus, unsigned long va);
u32 tlb_clock(void); /* now: to stamp a frame with; 20 bits, never 0 */
/* Removes from `cpus` those that have flushed since `stamp`. */
void tlb_filter(cpumask_t *cpus, u32 stamp);
u32 tlb_stamp_later(u32 a, u32 b); /* the one that asks for more flushes; 0: none */
void tlb_ipi_handler(void);	   /* of the flush vector */

#endif
