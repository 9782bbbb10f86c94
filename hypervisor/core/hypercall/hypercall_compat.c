/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls of kernels from before interface 0x00030202 (NetBSD, Mini-OS). They differ from
 * today's in one thing: the number of the operation is in the guest's structure, before its
 * arguments. So each of these handlers reads the number and calls today's handler, which reads the
 * arguments.
 */
#include "hv/hypercall.h"

#include <xen/event_channel.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include "hv/arch/guest_access.h"
#include "hypercall_table.h"
#include "lib/errno.h"

#define COMPAT_ARGS(a0, a1)                                                               \
	unsigned long a0, unsigned long a1, unsigned long unused2, unsigned long unused3, \
		unsigned long unused4, unsigned long unused5

/*
 * Only yield, block and shutdown existed. The argument of shutdown is the reason itself
 * (xen/sched.h).
 */
long do_sched_op_compat(COMPAT_ARGS(cmd, arg))
{
	switch (cmd) {
	case SCHEDOP_yield:
	case SCHEDOP_block:
		return do_sched_op(cmd, 0, 0, 0, 0, 0);
	case SCHEDOP_shutdown:
		return arg > SHUTDOWN_MAX ? -EINVAL : domain_shutdown(current->domain, (u8)arg);
	default:
		return -ENOSYS;
	}
}

/* struct evtchn_op has members for the operations up to unmask. */
long do_event_channel_op_compat(COMPAT_ARGS(arg, unused1))
{
	evtchn_op_t __guest *op = (evtchn_op_t __guest *)arg;
	u32 cmd;

	if (copy_from_guest(&cmd, &op->cmd, sizeof(cmd)))
		return -EFAULT;
	if (cmd > EVTCHNOP_unmask)
		return -ENOSYS;
	return do_event_channel_op(cmd, (__force unsigned long)&op->u, 0, 0, 0, 0);
}

/*
 * PHYSDEVOP_IRQ_UNMASK_NOTIFY does nothing since interrupts have an EOI of their own
 * (xen/physdev.h).
 */
long do_physdev_op_compat(COMPAT_ARGS(arg, unused1))
{
	physdev_op_t __guest *op = (physdev_op_t __guest *)arg;
	u32 cmd;

	if (copy_from_guest(&cmd, &op->cmd, sizeof(cmd)))
		return -EFAULT;
	if (cmd == PHYSDEVOP_IRQ_UNMASK_NOTIFY)
		return 0;
	return do_physdev_op(cmd, (__force unsigned long)&op->u, 0, 0, 0, 0);
}
