# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/guest/domain.c hypervisor/x86/guest/vcpu.c hypervisor/x86/guest/context.c
hv-src += hypervisor/x86/guest/guest_copy.c hypervisor/x86/guest/grant_map.c hypervisor/x86/guest/vcpu_time.c
hv-src += hypervisor/x86/guest/cpuid.c hypervisor/x86/guest/policy_copy.c hypervisor/x86/guest/msr.c
hv-src += hypervisor/x86/guest/domctl.c hypervisor/x86/guest/domctl_policy.c hypervisor/x86/guest/domctl_state.c hypervisor/x86/guest/domctl_shadow.c
hv-src += hypervisor/x86/guest/physdev.c
