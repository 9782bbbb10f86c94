/* SPDX-License-Identifier: MIT */
/*
 * The whole contract between core/ and the processor's side. Core calls nothing of x86/ but what
 * these headers declare, and the handlers of hypercalls that hypercalls.tbl names. So these are
 * the functions that a port to another processor writes, with those handlers, and that a host test
 * replaces to simulate a machine. scripts/check-layers reads the list.
 *
 * A file includes those of the headers that it needs, not this one.
 */
#ifndef HV_ARCH_H
#define HV_ARCH_H

#include "hv/arch/cpu.h"	  /* this CPU, other CPUs, the end of the machine */
#include "hv/arch/time.h"	  /* clocks and the timer */
#include "hv/arch/map.h"	  /* mappings of frames, and of the hypervisor's heap */
#include "hv/arch/frame.h"	  /* RAM, and types and reuse of its frames */
#include "hv/arch/guest.h"	  /* domains and vCPUs: life, running, registers */
#include "hv/arch/guest_access.h" /* the memory of the current guest */
#include "hv/arch/pirq.h"	  /* physical interrupts for guests */
#include "hv/arch/control.h" /* control operations: facts about the machine, the rest of domctl */

#endif
