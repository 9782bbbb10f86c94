/* SPDX-License-Identifier: MIT */
/* xen_version returns a 4.x version and the capabilities of a 64-bit PV host, and refuses unknown
 * subcommands. */
#include "guest.h"

void test_main(void)
{
	xen_capabilities_info_t caps = "";
	xen_platform_parameters_t platform = { 0 };
	xen_feature_info_t features = { .submap_idx = 0 };
	long version = hc2(__HYPERVISOR_xen_version, XENVER_version, 0);

	guest_printf("version %ld.%ld\n", version >> 16, version & 0xffff);
	EXPECT_EQ(version >> 16, 4);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_capabilities, caps), 0);
	guest_printf("capabilities %s\n", caps);
	EXPECT_EQ(memcmp(caps, "xen-3.0-x86_64", 14), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_pagesize, 0), 4096);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_platform_parameters, &platform), 0);
	EXPECT_EQ(platform.virt_start, 0xffff800000000000UL);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_get_features, &features), 0);
	EXPECT(features.submap & (1u << XENFEAT_dom0));
	EXPECT(features.submap & (1u << XENFEAT_mmu_pt_update_preserve_ad));
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, 9999, 0), -XENOSYS);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_capabilities, 0x7ffff000), -XEFAULT);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_capabilities, 0xffff830000000000UL),
		  -XEFAULT);
}
