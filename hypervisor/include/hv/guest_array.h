/* SPDX-License-Identifier: MIT */
/*
 * The one loop of hypercalls that take an array of equal elements in the guest's memory, and that
 * are continued with the rest of the array.
 */
#ifndef HV_GUEST_ARRAY_H
#define HV_GUEST_ARRAY_H

#include "hv/arch/guest_access.h"
#include "hv/hypercall.h"
#include "lib/errno.h"

/* The elements that are not done yet. */
struct guest_array {
	char __guest *next;
	unsigned long left;
};

/* elem: a private copy of the element at `where`. 0, or -errno, which ends the loop. */
typedef long guest_array_fn(void *ctx, void *elem, char __guest *where);

/*
 * Calls fn for each element, which it copies once, into `elem` of `size` bytes. Moves *a past each
 * element that fn returned 0 for. Checks for preemption after every `interval` elements, so that
 * each run of the hypercall makes progress. 0: all are done. -ERESTART: continue with *a. Else
 * -EFAULT, or the error of fn. Inlined: a constant fn costs no indirect call.
 */
static __always_inline long guest_array_run(struct guest_array *a, void *elem, size_t size,
					    unsigned int interval, guest_array_fn *fn, void *ctx)
{
	long ret;

	for (unsigned long n = 1; a->left; n++) {
		if (unlikely(copy_from_guest(elem, a->next, size)))
			return -EFAULT;
		ret = fn(ctx, elem, a->next);
		if (unlikely(ret))
			return ret;
		a->next += size;
		a->left--;
		if (a->left && n % interval == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

#endif
