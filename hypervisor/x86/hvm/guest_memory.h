/* SPDX-License-Identifier: MIT */
/*
 * The memory of a guest under hardware virtualization, as the hypervisor reaches it: by the guest's
 * linear addresses through its own page tables, and by guest-physical addresses through the p2m.
 * Nothing of it stays mapped.
 */
#ifndef X86_HVM_GUEST_MEMORY_H
#define X86_HVM_GUEST_MEMORY_H

#include "x86/guest/guest_ops.h"
#include "x86/hvm/guest_walk.h"

/*
 * copy_from, copy_to, clear: hypercall arguments, by the current vCPU's linear addresses, with the
 * rights of its kernel. Without long mode, addresses have 32 bits.
 */
extern const struct guest_memory_ops hvm_memory_ops;

/*
 * Copies from the current vCPU's memory. access: WALK_USER for an access with
 * user rights, WALK_FETCH for instructions. 0; -EFAULT: part may have been copied, and if
 * walk->fault is set, walk->error_code and *fault_address are those of a page fault; -EAGAIN: the
 * page tables change all the time.
 */
struct hvm_access_fault {
	struct guest_walk walk;
	u64 address;
};
int __must_check hvm_read_linear(void *dst, u64 linear, size_t size, u32 access,
				 struct hvm_access_fault *fault);

#endif
