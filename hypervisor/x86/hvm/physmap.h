/* SPDX-License-Identifier: MIT */
/*
 * What changes the numbers of a guest's frames: hypercalls on memory (hv/arch/frame.h, arch_gfn_*)
 * and mappings of grants (hv/arch/guest.h).
 */
#ifndef X86_HVM_PHYSMAP_H
#define X86_HVM_PHYSMAP_H

#include "hv/arch/frame.h"

int hvm_gfn_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum gfn_use use);
int hvm_gfn_unmap(struct domain *d, gfn_t gfn, mfn_t mfn);
unsigned int hvm_gfn_give_up(struct domain *d, const gfn_t *gfns, unsigned int nr,
			     unsigned int order);
unsigned long hvm_gfn_max(const struct domain *d);

/* Of the current domain; addr is guest-physical. GNTST_*. */
int hvm_grant_map(u64 addr, mfn_t frame, unsigned int flags);
int hvm_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags);

#endif
