/* SPDX-License-Identifier: MIT */
/* Starts, reads what it was given, and stops. */
#include "pvh.h"

void pvh_test(void)
{
	EXPECT_EQ(start_info->magic, XEN_HVM_START_MAGIC_VALUE);
	EXPECT(start_info->version >= 1);
	EXPECT(start_info->memmap_entries > 0);
	EXPECT(hc2(__HYPERVISOR_xen_version, XENVER_version, 0) >= 0x40011);
}
