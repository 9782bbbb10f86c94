/* SPDX-License-Identifier: MIT */
/* The hypercalls mmu_update and mmuext_op: an array of requests, and how many of them were done. */
#ifndef X86_PV_PV_ARRAY_H
#define X86_PV_PV_ARRAY_H

#include "hv/guest_array.h"
#include "x86/mm/page_validate.h"

/* A bit of `count` in a continuation: *pdone holds the number of requests done so far. */
#define PV_ARRAY_CONTINUED 0x80000000UL

/*
 * Runs fn on the `count` requests at `list`; see guest_array_run. Then settles the table that the
 * vCPU holds. pdone: the address of the guest's count of requests done, or 0. 0, or -errno; with
 * -ERESTART, the arguments of the continuation are set.
 */
static __always_inline long pv_array_run(unsigned long list, unsigned long count,
					 unsigned long pdone, void *request, size_t size,
					 unsigned int interval, guest_array_fn *fn, void *ctx)
{
	struct guest_array a = { (char __guest *)list, (u32)count & ~PV_ARRAY_CONTINUED };
	u32 __guest *guest_done = (u32 __guest *)pdone;
	u32 done = 0;
	long ret;

	if ((count & PV_ARRAY_CONTINUED) && guest_done &&
	    copy_from_guest(&done, guest_done, sizeof(done)))
		return -EFAULT;
	done += (u32)a.left;
	ret = guest_array_run(&a, request, size, interval, fn, ctx);
	if (!ret)
		ret = page_held_settle(NULL);
	done -= (u32)a.left;
	if (guest_done && copy_to_guest(guest_done, &done, sizeof(done)))
		ret = -EFAULT;
	if (ret == -ERESTART) {
		hypercall_set_arg(0, (__force unsigned long)a.next);
		hypercall_set_arg(1, a.left | PV_ARRAY_CONTINUED);
	}
	return ret;
}

#endif
