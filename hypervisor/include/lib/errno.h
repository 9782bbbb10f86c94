/* SPDX-License-Identifier: MIT */
/*
 * The error numbers that guests and tools see: the public interface's list, without the XEN_
 * prefix. A host test that has included the C library's <errno.h> keeps the macros of that header;
 * on x86-64 Linux the values are the same.
 */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#ifndef EINVAL
#define XEN_ERRNO(name, value) name = value,
enum errno_value {
#include <xen/errno.h>
/* The public header defines these two for a hypervisor only: no guest ever sees them. */
#ifndef __XEN__
	EINTR = 4,
	ERESTART = 85, /* a hypercall was preempted and is to be continued */
#endif
};
#endif

_Static_assert(EPERM == 1 && EINVAL == 22 && ENOSYS == 38 && EOPNOTSUPP == 95,
	       "Xen's error numbers");

#endif
