# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/hvm/p2m.c hypervisor/x86/hvm/p2m_log.c hypervisor/x86/hvm/p2m_format.c hypervisor/x86/hvm/guest_walk.c hypervisor/x86/hvm/guest_memory.c hypervisor/x86/hvm/physmap.c
