# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/boot/head.S hypervisor/x86/boot/trampoline.S
hv-src += hypervisor/x86/boot/acpi.c hypervisor/x86/boot/acpi_tables.c hypervisor/x86/boot/dom0.c hypervisor/x86/boot/memory_map.c
hv-src += hypervisor/x86/boot/multiboot.c hypervisor/x86/boot/setup.c hypervisor/x86/boot/smp.c
hv-src += hypervisor/x86/boot/efi.c hypervisor/x86/boot/video.c
