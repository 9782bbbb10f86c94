/* SPDX-License-Identifier: MIT */
/* Mapping of grants, by the current domain's kind of guest. */
#include "hv/arch/guest.h"
#include "x86/guest/guest_ops.h"

int arch_grant_map(u64 addr, mfn_t frame, unsigned int flags)
{
	return guest_call(current->domain, grant_map, addr, frame, flags);
}

int arch_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags)
{
	return guest_call(current->domain, grant_unmap, addr, frame, new_addr, flags);
}
