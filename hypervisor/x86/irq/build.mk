# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/irq/apic.c hypervisor/x86/irq/ioapic.c hypervisor/x86/irq/ipi.c
hv-src += hypervisor/x86/irq/irq.c hypervisor/x86/irq/gsi.c hypervisor/x86/irq/pirq.c
