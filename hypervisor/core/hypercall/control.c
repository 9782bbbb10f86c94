/* SPDX-License-Identifier: MIT */
/* One control operation: copy the guest's struct in, check its version, lock, run, copy it back. */
#include "core/hypercall/control.h"

#include "hv/arch/guest_access.h"
#include "lib/errno.h"

long control_op(const struct control_call *c, void *op, unsigned long arg)
{
	void __guest *guest_op = (void __guest *)arg;
	const struct control_header *header = op;
	bool copyback = false;
	long ret;

	if (copy_from_guest(op, guest_op, c->size))
		return -EFAULT;
	if (header->interface_version != c->interface_version)
		return -EACCES;
	if (c->lock && !spin_trylock(c->lock))
		return -ERESTART;
	ret = c->run(op, &copyback);
	if (c->lock)
		spin_unlock(c->lock);
	if (copyback && copy_to_guest(guest_op, op, c->size))
		return -EFAULT;
	return ret;
}
