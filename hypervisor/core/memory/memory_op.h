/* SPDX-License-Identifier: MIT */
/* Private to memory_op.c, which dispatches, and the files with the sub-operations of memory_op. */
#ifndef CORE_MEMORY_MEMORY_OP_H
#define CORE_MEMORY_MEMORY_OP_H

#include "hv/hypercall_handlers.h"

#include <xen/memory.h>

/*
 * A sub-operation. arg: a private copy of its argument. *done: the number of extents that earlier
 * runs of the same call did, from the command's upper bits (MEMOP_EXTENT_SHIFT). If the
 * sub-operation returns -ERESTART, it has set *done to the extent with which the next run begins.
 */
typedef long memory_fn(void *arg, unsigned long *done);

#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_EXTENTS_MAX  (~0UL >> MEMOP_EXTENT_SHIFT)
/*
 * The largest extent for any caller, 2 MiB: it bounds the work between two checks for preemption.
 */
#define MEMORY_ORDER_MAX 9
/*
 * A guest's own frame numbers are below this. M2P_INVALID, the machine-to-phys entry of a frame
 * without such a number, is far above.
 */
#define MEMORY_PFN_MAX BIT(40)

/* memory_reservation.c */
memory_fn memory_increase, memory_decrease, memory_populate, memory_claim;
/* memory_physmap.c */
memory_fn memory_add, memory_add_batch, memory_remove;
/* memory_exchange.c */
memory_fn memory_exchange;
/* memory_map.c */
memory_fn memory_map_get, memory_map_machine, memory_map_set, memory_m2p_list, memory_m2p_where;
/* memory_query.c */
memory_fn memory_current, memory_maximum, memory_maximum_gpfn, memory_pod_set, memory_pod_get,
	memory_acquire_resource, memory_reserved_devices;

/*
 * Translates mem_flags of a reservation to the allocator's MEMF_*. False: the flags ask for
 * something that is not offered.
 */
bool memory_flags_decode(unsigned int mem_flags, unsigned int order, unsigned int *memf);

#endif
