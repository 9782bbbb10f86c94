/* SPDX-License-Identifier: MIT */
/*
 * The only way to the memory of the current guest. No address that a guest gives leads to the
 * hypervisor's memory, and a fault ends the copy, so a bad address gives -EFAULT.
 *
 * Read guest memory once, into a local; the guest may change it at any time. Call these only on
 * behalf of `current`, and without any spinlock that an interrupt handler takes.
 */
#ifndef HV_GUEST_ACCESS_H
#define HV_GUEST_ACCESS_H

#include "lib/types.h"

/* 0 or -EFAULT; on -EFAULT part may have been copied. */
int __must_check copy_from_guest(void *dst, const void __guest *src, size_t size);
int __must_check copy_to_guest(void __guest *dst, const void *src, size_t size);
int __must_check clear_guest(void __guest *dst, size_t size);

/*
 * guest_ptr: the guest pointer in a public struct's XEN_GUEST_HANDLE. guest_array_at: the address
 * of element i.
 */
#define guest_ptr(handle)	     ((__force __typeof__(*(handle).p) __guest *)(handle).p)
#define guest_array_at(handle, i)    ((__force void __guest *)((handle).p + (i)))
#define guest_handle_is_null(handle) ((handle).p == NULL)

/* Copy `nr` elements, from element i on, of the array that a public handle names. */
#define copy_from_guest_offset(dst, handle, i, nr) \
	copy_from_guest(dst, guest_array_at(handle, i), sizeof(*(handle).p) * (nr))
#define copy_to_guest_offset(handle, i, src, nr) \
	copy_to_guest(guest_array_at(handle, i), src, sizeof(*(handle).p) * (nr))

/* Does [addr, addr + size) lie wholly in the part of the address space that a guest may name? */
bool guest_range_ok(const void __guest *addr, size_t size);

#endif
