/* SPDX-License-Identifier: MIT */
/* The hypercall memory_op: a table with one row for each sub-operation. */
#include "core/memory/memory_op.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "lib/errno.h"

enum {
	ROW_OUT = 1,	    /* copy the argument back on success and for a continuation */
	ROW_OUT_ALWAYS = 2, /* also on an error */
	ROW_EXTENTS = 4,    /* a continuation uses the command's upper bits */
};

static long memory_maximum_ram_page(void *arg, unsigned long *done)
{
	return (long)max_page;
}

/* The answer is 0: no two guests ever share a page behind their backs. */
static long memory_nothing(void *arg, unsigned long *done)
{
	return 0;
}

/* Virtual NUMA is not offered. */
static long memory_unsupported(void *arg, unsigned long *done)
{
	return -EOPNOTSUPP;
}

static const struct {
	memory_fn *fn;
	u16 size;
	u8 access; /* enum call_access */
	u8 flags;
} memory_ops[] = {
	[XENMEM_increase_reservation] = { memory_increase, sizeof(struct xen_memory_reservation),
					  CALL_ANY, ROW_EXTENTS },
	[XENMEM_decrease_reservation] = { memory_decrease, sizeof(struct xen_memory_reservation),
					  CALL_ANY, ROW_EXTENTS },
	[XENMEM_maximum_ram_page] = { memory_maximum_ram_page, 0, CALL_ANY, 0 },
	[XENMEM_current_reservation] = { memory_current, sizeof(struct xen_memory_domain), CALL_ANY,
					 0 },
	[XENMEM_maximum_reservation] = { memory_maximum, sizeof(struct xen_memory_domain), CALL_ANY,
					 0 },
	[XENMEM_machphys_mfn_list] = { memory_m2p_list, sizeof(struct xen_machphys_mfn_list),
				       CALL_DOM0, ROW_OUT },
	[XENMEM_populate_physmap] = { memory_populate, sizeof(struct xen_memory_reservation),
				      CALL_ANY, ROW_EXTENTS },
	[XENMEM_add_to_physmap] = { memory_add, sizeof(struct xen_add_to_physmap), CALL_ANY,
				    ROW_EXTENTS },
	[XENMEM_memory_map] = { memory_map_get, sizeof(struct xen_memory_map), CALL_ANY, ROW_OUT },
	[XENMEM_machine_memory_map] = { memory_map_machine, sizeof(struct xen_memory_map),
					CALL_DOM0, ROW_OUT },
	[XENMEM_exchange] = { memory_exchange, sizeof(struct xen_memory_exchange), CALL_ANY,
			      ROW_OUT_ALWAYS },
	[XENMEM_machphys_mapping] = { memory_m2p_where, sizeof(struct xen_machphys_mapping),
				      CALL_ANY, ROW_OUT },
	[XENMEM_set_memory_map] = { memory_map_set, sizeof(struct xen_foreign_memory_map),
				    CALL_DOM0, 0 },
	[XENMEM_maximum_gpfn] = { memory_maximum_gpfn, sizeof(struct xen_memory_domain), CALL_ANY,
				  0 },
	[XENMEM_remove_from_physmap] = { memory_remove, sizeof(struct xen_remove_from_physmap),
					 CALL_ANY, 0 },
	[XENMEM_set_pod_target] = { memory_pod_set, sizeof(struct xen_pod_target), CALL_DOM0,
				    ROW_OUT },
	[XENMEM_get_pod_target] = { memory_pod_get, sizeof(struct xen_pod_target), CALL_DOM0,
				    ROW_OUT },
	[XENMEM_get_sharing_freed_pages] = { memory_nothing, 0, CALL_ANY, 0 },
	[XENMEM_get_sharing_shared_pages] = { memory_nothing, 0, CALL_ANY, 0 },
	[XENMEM_add_to_physmap_batch] = { memory_add_batch, sizeof(struct xen_add_to_physmap_batch),
					  CALL_ANY, ROW_EXTENTS },
	[XENMEM_claim_pages] = { memory_claim, sizeof(struct xen_memory_reservation), CALL_DOM0,
				 0 },
	[XENMEM_get_vnumainfo] = { memory_unsupported, 0, CALL_ANY, 0 },
	[XENMEM_reserved_device_memory_map] = { memory_reserved_devices,
						sizeof(struct xen_reserved_device_memory_map),
						CALL_DOM0, ROW_OUT },
	[XENMEM_acquire_resource] = { memory_acquire_resource,
				      sizeof(struct xen_mem_acquire_resource), CALL_DOM0,
				      ROW_OUT | ROW_EXTENTS },
};

#define MEMORY_ARG_MAX 128

long do_memory_op(unsigned long cmd, unsigned long arg, unsigned long a2, unsigned long a3,
		  unsigned long a4, unsigned long a5)
{
	unsigned long op = cmd & (BIT(MEMOP_EXTENT_SHIFT) - 1), done = cmd >> MEMOP_EXTENT_SHIFT;
	void __guest *guest_arg = (void __guest *)arg;
	u64 copy[MEMORY_ARG_MAX / sizeof(u64)];
	unsigned int flags, size;
	long ret;

	if (op >= ARRAY_SIZE(memory_ops) || !memory_ops[op].fn)
		return -ENOSYS;
	flags = memory_ops[op].flags;
	size = memory_ops[op].size;
	ASSERT(size <= sizeof(copy));
	if (memory_ops[op].access == CALL_DOM0 && !current->domain->is_privileged)
		return -EPERM;
	if (done && !(flags & ROW_EXTENTS))
		return -EINVAL;
	if (size && copy_from_guest(copy, guest_arg, size))
		return -EFAULT;
	ret = memory_ops[op].fn(copy, &done);
	if (((flags & ROW_OUT_ALWAYS) || ((flags & ROW_OUT) && (ret >= 0 || ret == -ERESTART))) &&
	    copy_to_guest(guest_arg, copy, size))
		return -EFAULT;
	if (ret == -ERESTART)
		hypercall_set_arg(0, op | done << MEMOP_EXTENT_SHIFT);
	return ret;
}
