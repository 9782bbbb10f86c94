/* SPDX-License-Identifier: MIT */
/*
 * A kernel without Xen notes, with the string in the section __xen_guest that kernels had before:
 * it starts, and its hypercall page is the one that the string names.
 */
#include "guest.h"

extern const char hypercall_page[];

void test_main(void)
{
	/* Each call has 32 bytes in the page. */
	long (*call)(unsigned long, unsigned long) = (long (*)(unsigned long, unsigned long))(
		hypercall_page + __HYPERVISOR_xen_version * 32);
	long version = call(XENVER_version, 0);

	EXPECT_EQ(version >> 16, 4);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_version, 0), version);
}
