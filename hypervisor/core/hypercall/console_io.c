/* SPDX-License-Identifier: MIT */
/*
 * The hypercall console_io. Domain-0's output goes to the console's device unchanged. When the
 * device is behind, Domain-0's vCPU sleeps and repeats the call, because the interface cannot
 * report a short write. The output of other domains goes to the log of guests.
 */
#include "hv/console.h"

#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/hypercall_handlers.h"
#include "hv/sched.h"
#include "lib/errno.h"

#define CHUNK	  128
#define FULL_WAIT MILLISECS(10) /* the device needs much longer for Domain-0's share */

static long console_io_write(unsigned long count, char __guest *buffer)
{
	struct domain *d = current->domain;
	char chunk[CHUNK];

	while (count) {
		size_t n = min(count, (unsigned long)CHUNK), taken = n;

		if (copy_from_guest(chunk, buffer, n))
			return -EFAULT;
		if (d->is_privileged)
			taken = console_write_dom0(chunk, n);
		else
			console_write_guest(d, chunk, n);
		count -= taken;
		buffer += taken;
		if (taken < n)
			vcpu_poll_until(time_now() + FULL_WAIT);
		if (taken < n || (count && hypercall_preempt_check())) {
			hypercall_set_arg(1, count);
			hypercall_set_arg(2, (__force unsigned long)buffer);
			return -ERESTART;
		}
	}
	return 0;
}

static long console_io_read(unsigned long count, char __guest *buffer)
{
	char chunk[CHUNK];
	size_t n = 0;
	int c;

	if (!current->domain->is_privileged)
		return -EPERM;
	/*
	 * A character that is taken out must reach the caller: check first that the buffer is
	 * writable.
	 */
	count = min(count, (unsigned long)CHUNK);
	if (clear_guest(buffer, count))
		return -EFAULT;
	while (n < count && (c = console_getc()) >= 0)
		chunk[n++] = (char)c;
	return copy_to_guest(buffer, chunk, n) ? -EFAULT : (long)n;
}

long do_console_io(unsigned long cmd, unsigned long count, unsigned long buffer, unsigned long a3,
		   unsigned long a4, unsigned long a5)
{
	/* The interface has 32-bit counts. */
	count &= 0xffffffffUL;
	if (count > 0x7fffffffUL)
		return -EINVAL;
	switch (cmd) {
	case CONSOLEIO_write:
		return console_io_write(count, (char __guest *)buffer);
	case CONSOLEIO_read:
		return console_io_read(count, (char __guest *)buffer);
	default:
		return -ENOSYS;
	}
}
