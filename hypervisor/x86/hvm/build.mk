# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/hvm/p2m.c hypervisor/x86/hvm/p2m_log.c hypervisor/x86/hvm/p2m_format.c hypervisor/x86/hvm/guest_walk.c hypervisor/x86/hvm/guest_memory.c hypervisor/x86/hvm/physmap.c
hv-src += hypervisor/x86/hvm/hvm.c hypervisor/x86/hvm/domain.c hypervisor/x86/hvm/vcpu.c hypervisor/x86/hvm/entry.c
hv-src += hypervisor/x86/hvm/exits.c hypervisor/x86/hvm/hypercall.c hypervisor/x86/hvm/msr.c hypervisor/x86/hvm/apic.c hypervisor/x86/hvm/apic_mmio.c
hv-src += hypervisor/x86/hvm/state.c hypervisor/x86/hvm/save.c hypervisor/x86/hvm/hvm_op.c
