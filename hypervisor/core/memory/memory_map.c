/* SPDX-License-Identifier: MIT */
/*
 * Memory maps: the machine's, the one that a builder gave to a domain, and the machine-to-phys
 * table.
 */
#include "core/memory/memory_op.h"

#include "hv/arch/control.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/frame.h"
#include "lib/errno.h"
#include "lib/string.h"

/* An entry in the format of the BIOS call INT 0x15 AX=0xE820. */
struct e820_entry {
	u64 start, size;
	u32 type;
} __packed;
_Static_assert(sizeof(struct e820_entry) == 20, "xen/memory.h: the format of E820");
_Static_assert(sizeof(((struct domain *)NULL)->memory_map.entries[0]) == sizeof(struct e820_entry),
	       "copied as it is");

static void __guest *entry_at(const struct xen_memory_map *map, unsigned int i)
{
	return (__force char __guest *)map->buffer.p + (size_t)i * sizeof(struct e820_entry);
}

long memory_map_get(void *arg, unsigned long *done)
{
	struct xen_memory_map *map = arg;
	struct domain *d = current->domain;
	struct e820_entry copy[DOMAIN_MEMORY_MAP_MAX];
	unsigned int n;

	spin_lock(&d->lock);
	n = min(d->memory_map.nr, map->nr_entries);
	memcpy(copy, d->memory_map.entries, sizeof(copy));
	if (!d->memory_map.nr) {
		spin_unlock(&d->lock);
		return -ENOSYS;
	}
	spin_unlock(&d->lock);
	map->nr_entries = n;
	return copy_to_guest(entry_at(map, 0), copy, n * sizeof(copy[0]));
}

long memory_map_set(void *arg, unsigned long *done)
{
	const struct xen_foreign_memory_map *set = arg;
	struct e820_entry copy[DOMAIN_MEMORY_MAP_MAX];
	unsigned int n = set->map.nr_entries;
	struct domain *d;
	int err;

	if (n > DOMAIN_MEMORY_MAP_MAX)
		return -EINVAL;
	d = hypercall_target(set->domid, &err);
	if (!d)
		return err;
	err = copy_from_guest(copy, entry_at(&set->map, 0), n * sizeof(copy[0]));
	if (!err) {
		spin_lock(&d->lock);
		memcpy(d->memory_map.entries, copy, n * sizeof(copy[0]));
		d->memory_map.nr = n;
		spin_unlock(&d->lock);
	}
	domain_put(d);
	return err;
}

long memory_map_machine(void *arg, unsigned long *done)
{
	struct xen_memory_map *map = arg;
	struct e820_entry e;
	unsigned int n;
	u32 type;
	u64 start, size;

	for (n = 0; arch_machine_memory_map(n, &start, &size, &type); n++) {
		if (guest_handle_is_null(map->buffer))
			continue;
		if (n == map->nr_entries)
			break;
		e.start = start;
		e.size = size;
		e.type = type;
		if (copy_to_guest(entry_at(map, n), &e, sizeof(e)))
			return -EFAULT;
	}
	map->nr_entries = n;
	return 0;
}

/* The number of frames that 2 MiB of the table describe. */
#define M2P_EXTENT_FRAMES (MiB(2) / sizeof(unsigned long))

long memory_m2p_list(void *arg, unsigned long *done)
{
	struct xen_machphys_mfn_list *list = arg;
	unsigned long n =
		min(DIV_ROUND_UP(max_page, M2P_EXTENT_FRAMES), (unsigned long)list->max_extents);
	xen_pfn_t last = 0;

	for (unsigned long i = 0; i < n; i++) {
		mfn_t mfn = arch_m2p_extent(i);

		/*
		 * The caller maps these frames as ordinary memory, so each must exist: a hole
		 * repeats the entry before it.
		 */
		if (!mfn_eq(mfn, INVALID_MFN))
			last = mfn_x(mfn);
		if (copy_to_guest_offset(list->extent_start, i, &last, 1))
			return -EFAULT;
	}
	list->nr_extents = (unsigned int)n;
	return 0;
}

long memory_m2p_where(void *arg, unsigned long *done)
{
	struct xen_machphys_mapping *m = arg;

	/*
	 * Report the whole range that a table may ever have: a guest asks only once, even if it
	 * moves to a larger machine.
	 */
	m->v_start = MACH2PHYS_VIRT_START;
	m->v_end = MACH2PHYS_VIRT_END;
	m->max_mfn = (m->v_end - m->v_start) / sizeof(unsigned long) - 1;
	return 0;
}
