/* SPDX-License-Identifier: MIT */
/*
 * How much memory Domain-0 gets, and how much it may ever have: what dom0_mem means on this
 * machine. Pure.
 */
#ifndef X86_PV_DOM0_DOM0_MEMORY_H
#define X86_PV_DOM0_DOM0_MEMORY_H

#include "hv/cmdline.h"

struct dom0_memory {
	unsigned long nr_pages; /* at its start */
	u32 max_pages;		/* its limit; Linux sizes its tables for it */
	bool too_little;	/* nr_pages is less than the option says: memory is short */
};

/*
 * avail: free frames. Without a size Domain-0 gets all but a sixteenth of them, at most 128 MiB,
 * which stays for the hypervisor and its guests. min and max bound the size. max is also the limit;
 * without max there is no limit.
 */
struct dom0_memory dom0_memory_choose(const struct boot_options *options, unsigned long avail);

#endif
