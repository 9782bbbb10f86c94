/* SPDX-License-Identifier: MIT */
/*
 * Control operations (core/hypercall, core/memory): facts about the machine, and those operations
 * of domctl and sysctl that depend on the processor.
 */
#ifndef HV_ARCH_CONTROL_H
#define HV_ARCH_CONTROL_H

#include "lib/types.h"

struct domain;
struct xen_domctl;
struct xen_sysctl;
struct xen_sysctl_cputopo;
struct xen_sysctl_physinfo;

/* Entry `index` of the machine's memory map (types as in E820). False: no such entry. */
bool arch_machine_memory_map(unsigned int index, u64 *start, u64 *size, u32 *type);
/* What UEFI said of itself at boot. */
struct efi_info {
	u64 config_tables; /* machine address of the configuration tables' list */
	u32 nr_config_tables;
	u32 revision, firmware_revision;
	u16 vendor[100]; /* a string, ends with 0 */
};
const struct efi_info *arch_efi_info(void); /* NULL: the machine was not booted by UEFI */
/* A piece of UEFI's memory map: machine address and bytes, type and attributes of UEFI 2.9, 7.2. */
struct efi_memory {
	u64 start, size, attributes;
	u32 type;
};
/* NULL: UEFI's map, if there is one, has no piece there. */
const struct efi_memory *arch_efi_memory(u64 addr);
void arch_cpu_ids(unsigned int cpu, u32 *apic_id, u32 *acpi_id);
/* VCPUOP_get_physid: id[31:0] APIC ID, id[63:32] ACPI processor ID. */
u64 arch_cpu_physid(unsigned int cpu);
void arch_cpu_topology(unsigned int cpu, struct xen_sysctl_cputopo *out);
bool arch_pci_exists(u16 segment, u8 bus, u8 devfn);
void arch_physinfo(struct xen_sysctl_physinfo *out); /* threads, cores, capabilities, hw_cap */
bool arch_hvm_available(void); /* Can this host run guests under hardware virtualization? */
/*
 * Sub-operations that core has no row for; op->cmd names one. Both set *copyback (false before) if
 * op must be copied back to the caller: for a domctl whatever the result, for a sysctl only on
 * success. -ENOSYS: unknown.
 */
long arch_domctl(struct domain *d, struct xen_domctl *op, bool *copyback);
long arch_sysctl(struct xen_sysctl *op, bool *copyback);
/* This lock (LOCK_PV_MMU) covers each change of what d's page tables may map. */
void arch_mmu_lock(struct domain *d);
void arch_mmu_unlock(struct domain *d);

#endif
