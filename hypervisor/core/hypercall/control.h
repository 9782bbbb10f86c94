/* SPDX-License-Identifier: MIT */
/* What domctl, sysctl and platform_op have in common: Domain-0's operations by one struct. */
#ifndef CORE_HYPERCALL_CONTROL_H
#define CORE_HYPERCALL_CONTROL_H

#include "hv/spinlock.h"

/* How each of those structs begins. */
struct control_header {
	u32 cmd, interface_version;
};

#define CHECK_CONTROL_HEADER(type)                                                         \
	_Static_assert(offsetof(type, cmd) == offsetof(struct control_header, cmd) &&      \
			       offsetof(type, interface_version) ==                        \
				       offsetof(struct control_header, interface_version), \
		       "the struct begins as all of them do")

struct control_call {
	size_t size; /* of the struct */
	u32 interface_version;
	spinlock_t *lock; /* NULL: several operations may run at once */
	/*
	 * Runs the operation in `op`, a private copy, with the lock held. Sets *copyback to let the
	 * caller have the struct as it is afterwards, whatever the operation returns.
	 */
	long (*run)(void *op, bool *copyback);
};

/*
 * Runs one operation of the guest's struct at address `arg`; op: room for c->size bytes.
 * hypercalls.tbl lets only Domain-0 call. -EFAULT; -EACCES: another version of the interface;
 * -ERESTART: the lock is taken (spinning could block its holder); or what c->run returns.
 */
long control_op(const struct control_call *c, void *op, unsigned long arg);

#endif
