/* SPDX-License-Identifier: MIT */
/* How much memory Domain-0 gets, and how much it may ever have: what dom0_mem comes to on this
 * machine. Pure. */
#ifndef X86_PV_DOM0_DOM0_MEMORY_H
#define X86_PV_DOM0_DOM0_MEMORY_H

#include "hv/cmdline.h"

struct dom0_memory {
	unsigned long nr_pages; /* at its start */
	u32 max_pages;		/* its limit: Linux makes its tables for so many */
	bool too_little;	/* nr_pages is less than the option says: there is not so much */
};

/*
 * avail: free frames. Without a size Domain-0 gets all of them but a sixteenth, at most 128 MiB,
 * that is kept for the hypervisor and its guests. min and max bound the size; max is the limit,
 * too; without it there is none.
 */
struct dom0_memory dom0_memory_choose(const struct boot_options *options, unsigned long avail);

#endif
