/* SPDX-License-Identifier: MIT */
/* Which addresses a PV guest may name. */
#ifndef X86_PV_ADDRESS_H
#define X86_PV_ADDRESS_H

#include "lib/types.h"
#include "x86/cpu/regs.h"

#include <xen/xen.h>

/*
 * In the part of the address space that a PV guest leaves to the hypervisor
 * (xen/arch-x86/xen-x86_64.h).
 */
static inline bool is_hypervisor_address(unsigned long addr)
{
	return addr >= __HYPERVISOR_VIRT_START && addr < __HYPERVISOR_VIRT_END;
}

static inline bool pv_guest_address_ok(unsigned long addr)
{
	return is_canonical(addr) && !is_hypervisor_address(addr);
}

#endif
