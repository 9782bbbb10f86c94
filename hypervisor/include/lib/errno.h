/* SPDX-License-Identifier: MIT */
/*
 * The error numbers that guests and tools see: the public interface's own list, under their plain
 * names. A host test that has included the C library's <errno.h> keeps that one's macros; on x86-64
 * Linux the values are the same.
 */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#ifndef EINVAL
#define XEN_ERRNO(name, value) name = value,
enum errno_value {
#include <xen/errno.h>
/* The public header keeps these two from everybody but a hypervisor: no guest ever sees them. */
#ifndef __XEN__
	EINTR = 4,
	ERESTART = 85, /* a hypercall was preempted and is to be continued */
#endif
};
#endif

_Static_assert(EPERM == 1 && EINVAL == 22 && ENOSYS == 38 && EOPNOTSUPP == 95,
	       "Xen's error numbers");

#endif
