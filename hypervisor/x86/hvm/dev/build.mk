# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/hvm/dev/vlapic.c hypervisor/x86/hvm/dev/vlapic_timer.c hypervisor/x86/hvm/dev/vlapic_ipi.c
hv-src += hypervisor/x86/hvm/dev/vlapic_save.c hypervisor/x86/hvm/dev/vlapic_mmio.c hypervisor/x86/hvm/dev/mtrr.c
hv-src += hypervisor/x86/hvm/dev/record_list.c hypervisor/x86/hvm/dev/record_cpu.c
