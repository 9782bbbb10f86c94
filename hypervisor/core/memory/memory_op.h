/* SPDX-License-Identifier: MIT */
/* Between memory_op.c, which dispatches, and the files that hold the sub-operations of memory_op.
 */
#ifndef CORE_MEMORY_MEMORY_OP_H
#define CORE_MEMORY_MEMORY_OP_H

#include "hv/hypercall_handlers.h"

#include <xen/memory.h>
#include "hv/guest_access.h"

/*
 * A sub-operation. arg: a private copy of its argument. *done: extents that earlier runs of the
 * same call did, from the upper bits of the command (MEMOP_EXTENT_SHIFT); one that returns
 * -ERESTART has set it to what the next run is to begin with.
 */
typedef long memory_fn(void *arg, unsigned long *done);

#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_EXTENTS_MAX  (~0UL >> MEMOP_EXTENT_SHIFT)
/* The largest extent of anybody, 2 MiB: what is done between two looks at whether to preempt stays
 * short. */
#define MEMORY_ORDER_MAX 9
/* A guest's own frame numbers are below it; what the table of machine frames says of no frame is
 * far above. */
#define MEMORY_PFN_MAX BIT(40)

/* memory_reservation.c */
memory_fn memory_increase, memory_decrease, memory_populate, memory_claim;
/* memory_exchange.c */
memory_fn memory_exchange;
/* memory_map.c */
memory_fn memory_map_get, memory_map_machine, memory_map_set, memory_m2p_list, memory_m2p_where;
/* memory_query.c */
memory_fn memory_current, memory_maximum, memory_maximum_gpfn, memory_pod_set, memory_pod_get,
	memory_acquire_resource, memory_reserved_devices;

/* mem_flags of a reservation as the allocator's MEMF_*; false: it asks for something that there is
 * not. */
bool memory_flags_decode(unsigned int mem_flags, unsigned int order, unsigned int *memf);

#endif
