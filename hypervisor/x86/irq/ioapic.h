/* SPDX-License-Identifier: MIT */
/*
 * I/O APICs have a redirection table entry (RTE) for each pin. Global system interrupts (GSIs)
 * number the pins of all I/O APICs, and the MADT says which GSI each ISA interrupt has. Boot masks
 * every pin. (82093AA data sheet; ACPI 5.2.12)
 */
#ifndef X86_IRQ_IOAPIC_H
#define X86_IRQ_IOAPIC_H

#include "lib/types.h"

#define RTE_VECTOR_MASK	   0x000000ffUL
#define RTE_DELIVERY_FIXED 0UL
#define RTE_DEST_LOGICAL   BIT(11)
#define RTE_PENDING	   BIT(12)
#define RTE_ACTIVE_LOW	   BIT(13)
#define RTE_REMOTE_IRR	   BIT(14)
#define RTE_LEVEL	   BIT(15)
#define RTE_MASKED	   BIT(16)
#define RTE_DEST_SHIFT	   56

struct ioapic {
	volatile u32 *regs; /* mapped registers */
	paddr_t addr;
	u8 id, version;
	u32 gsi_base;
	unsigned int nr_pins;
};

#define MAX_IOAPICS 128
extern struct ioapic ioapics[MAX_IOAPICS];
extern unsigned int nr_ioapics;

void ioapic_init(void); /* boot: maps each I/O APIC of the MADT and masks its pins */
/* The I/O APIC of a GSI, and the pin there; NULL: no I/O APIC has it. */
struct ioapic *ioapic_of_gsi(u32 gsi, unsigned int *pin);
u32 ioapic_gsi_end(void); /* one more than the highest GSI */
u32 ioapic_read(const struct ioapic *io, u8 reg);
/*
 * Read and write whole RTEs; an RTE is masked while it is written. Each call alone is safe. A write
 * that depends on an earlier read needs the lock of the GSI's descriptor.
 */
u64 ioapic_read_rte(const struct ioapic *io, unsigned int pin);
void ioapic_write_rte(const struct ioapic *io, unsigned int pin, u64 rte);
/* An RTE that sends `vector` to the CPU with this APIC ID (8 bits). */
u64 ioapic_make_rte(unsigned int vector, u32 apic_id, bool level, bool active_low);
void ioapic_mask(u32 gsi);
void ioapic_unmask(u32 gsi);

/* ISA interrupt 0 to 15: its GSI and how it signals (MADT interrupt source overrides). */
struct isa_irq {
	u32 gsi;
	bool level, active_low;
};
struct isa_irq ioapic_isa_irq(unsigned int irq);

#endif
