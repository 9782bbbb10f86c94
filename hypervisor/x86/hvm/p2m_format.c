/* SPDX-License-Identifier: MIT */
#include "x86/hvm/p2m_format.h"

/*
 * The processor takes every access of a guest for one of user mode. Accessed and dirty are set from
 * the start, so that only the hypervisor ever writes to an entry. PCD with PWT is the type
 * "uncacheable" of the host's PAT; the guest's own PAT and MTRRs can only make a type stricter.
 */
#define NPT_P	      BIT(0)
#define NPT_RW	      BIT(1)
#define NPT_US	      BIT(2)
#define NPT_PWT	      BIT(3)
#define NPT_PCD	      BIT(4)
#define NPT_A	      BIT(5)
#define NPT_D	      BIT(6)
#define NPT_PS	      BIT(7)
#define NPT_NX	      BIT(63)
#define NPT_READ      (NPT_P | NPT_US | NPT_A | NPT_D)
#define NPT_AVL_SHIFT 9

const struct p2m_format p2m_format_npt = {
	.name = "NPT",
	.rights = {
		[P2M_RAM_RW] = NPT_READ | NPT_RW,
		[P2M_RAM_RO] = NPT_READ,
		[P2M_RAM_LOGDIRTY] = NPT_READ,
		[P2M_GRANT_RW] = NPT_READ | NPT_RW | NPT_NX,
		[P2M_GRANT_RO] = NPT_READ | NPT_NX,
		[P2M_FOREIGN] = NPT_READ | NPT_RW | NPT_NX,
		[P2M_MMIO] = NPT_READ | NPT_RW | NPT_PCD | NPT_PWT | NPT_NX,
	},
	.table = NPT_READ | NPT_RW,
	.large = NPT_PS,
	.writable = NPT_RW,
	.type_shift = NPT_AVL_SHIFT,
};

/*
 * The memory type in bits 5:3 takes the place of the MTRRs; the guest's PAT still counts (bit 6,
 * "ignore PAT", is clear). The accessed and dirty flags of EPT stay off.
 */
#define EPT_R	      BIT(0)
#define EPT_W	      BIT(1)
#define EPT_X	      BIT(2)
#define EPT_WB	      (6UL << 3)
#define EPT_UC	      (0UL << 3)
#define EPT_PS	      BIT(7)
#define EPT_AVL_SHIFT 52

const struct p2m_format p2m_format_ept = {
	.name = "EPT",
	.rights = {
		[P2M_RAM_RW] = EPT_R | EPT_W | EPT_X | EPT_WB,
		[P2M_RAM_RO] = EPT_R | EPT_X | EPT_WB,
		[P2M_RAM_LOGDIRTY] = EPT_R | EPT_X | EPT_WB,
		[P2M_GRANT_RW] = EPT_R | EPT_W | EPT_WB,
		[P2M_GRANT_RO] = EPT_R | EPT_WB,
		[P2M_FOREIGN] = EPT_R | EPT_W | EPT_WB,
		[P2M_MMIO] = EPT_R | EPT_W | EPT_UC,
	},
	.table = EPT_R | EPT_W | EPT_X,
	.large = EPT_PS,
	.writable = EPT_W,
	.type_shift = EPT_AVL_SHIFT,
};
