/* SPDX-License-Identifier: MIT */
/*
 * CPUID as a guest sees it: its domain's policy, the parts that depend on the vCPU, and Xen's
 * own leaves (xen/arch-x86/cpuid.h).
 */
#include "x86/guest/guest_ops.h"

#include <xen/arch-x86/cpuid.h>
#include "hv/arch/time.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/feature.h"

#define XEN_INTERFACE_VERSION_MAJOR 4U
#define XEN_INTERFACE_VERSION_MINOR 17U
#define HYPERCALL_MSR		    0x40000000U

static void cpuid_xen_leaf(const struct vcpu *v, u32 leaf, u32 sub, struct cpuid_leaf *out)
{
	struct time_calibration c;

	switch (leaf) {
	case XEN_CPUID_LEAF(0):
		*out = (struct cpuid_leaf){ XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES),
					    XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX,
					    XEN_CPUID_SIGNATURE_EDX };
		break;
	case XEN_CPUID_LEAF(1):
		out->a = XEN_INTERFACE_VERSION_MAJOR << 16 | XEN_INTERFACE_VERSION_MINOR;
		break;
	case XEN_CPUID_LEAF(2):
		out->a = 1; /* hypercall pages */
		out->b = HYPERCALL_MSR;
		out->c = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case XEN_CPUID_LEAF(3):
		time_get_calibration(&c);
		if (sub == 0) {
			out->a = cpu_features.invariant_tsc ? 2 :
							      0; /* the TSC is safe on this host */
			out->b = v->domain->arch->tsc_mode;
			out->c = (u32)time_tsc_khz();
			out->d = v->domain->arch->incarnation;
		} else if (sub == 2) {
			out->a = (u32)time_tsc_khz();
		}
		break;
	case XEN_CPUID_LEAF(5):
		out->b = cpu_features.paddr_bits & XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK;
		break;
	default:
		break;
	}
}

void guest_cpuid(const struct vcpu *v, u32 leaf, u32 sub, struct cpuid_leaf *out)
{
	const struct cpu_policy *policy = guest_cpu_policy(v->domain);
	const xen_cpuid_leaf_t *l;

	*out = (struct cpuid_leaf){ 0 };
	if (leaf - XEN_CPUID_FIRST_LEAF <= 0xff) {
		cpuid_xen_leaf(v, leaf, sub, out);
		return;
	}
	l = cpu_policy_find(policy, leaf, sub);
	if (l)
		*out = (struct cpuid_leaf){ l->a, l->b, l->c, l->d };
	switch (leaf) {
	case 1:
		out->b |= (v->id * 2) << 24; /* initial APIC ID */
		break;
	case 0xd:
		/*
		 * The policy holds the size for all components that may be enabled; a guest reads
		 * the size for those enabled now.
		 */
		if (sub == 0 && out->b)
			out->b = cpu_policy_xsave_size(policy, v->arch->xcr0);
		else if (sub == 1 && out->b)
			out->b = cpu_policy_xsavec_size(policy, v->arch->xcr0);
		break;
	default:
		break;
	}
}
