/* SPDX-License-Identifier: MIT */
/*
 * The machine as ACPI describes it. x86/boot/acpi_tables.c fills this in once; it is constant
 * afterwards.
 */
#ifndef X86_CPU_PLATFORM_H
#define X86_CPU_PLATFORM_H

#include "hv/config.h"
#include "lib/types.h"

/* A register in ACPI's generic address structure (ACPI 5.2.3.2). */
struct acpi_address {
	u8 space; /* 0 memory, 1 I/O port, 2 PCI configuration space */
	u8 bits, offset, access;
	u64 address;
} __packed;

struct platform_info {
	unsigned int nr_cpus;
	struct {
		u32 apic_id, acpi_id;
	} cpus[HV_MAX_CPUS]; /* the enabled CPUs, in the MADT's order */
	unsigned int nr_ioapics;
	struct {
		u8 id;
		u32 addr, gsi_base;
	} ioapics[128];
	struct {
		bool present;
		u32 gsi;
		u16 flags; /* MPS INTI flags, ACPI 5.2.12.5 */
	} overrides[16];
	u64 hpet_addr; /* 0: none */
	unsigned int nr_mcfg;
	struct {
		u64 addr;
		u16 segment;
		u8 start_bus, end_bus;
	} mcfg[16];
	bool has_fadt;
	u32 pm1a_cnt, pm1b_cnt, pm1a_evt, pm1b_evt, pm_timer; /* ports; 0: none */
	u8 pm1_evt_len;
	u16 sci_irq;
	u32 facs; /* machine address */
	bool has_s5;
	u8 s5_typ_a, s5_typ_b; /* SLP_TYP values of power-off */
	bool has_reset_reg;
	struct acpi_address reset_reg;
	u8 reset_value;
};
extern struct platform_info platform;

/*
 * Turns this CPU's hardware virtualization off: before the machine restarts, or the CPU stops for
 * good. NULL: it was never on. Takes no lock.
 */
extern void (*cpu_virtualization_off)(void);

#define ACPI_SLP_TYP_SHIFT 10
#define ACPI_SLP_EN	   BIT(13)

#endif
