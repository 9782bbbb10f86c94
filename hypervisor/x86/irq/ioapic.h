/* SPDX-License-Identifier: MIT */
/*
 * I/O APICs: a redirection table entry (RTE) for each pin; global system interrupts (GSIs) number
 * the pins of all of them, and the MADT says which GSI each ISA interrupt has. At boot every pin is
 * masked. (82093AA data sheet; ACPI 5.2.12)
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

#define MAX_IOAPICS 32
extern struct ioapic ioapics[MAX_IOAPICS];
extern unsigned int nr_ioapics;

void ioapic_init(void); /* boot: maps each of the MADT's and masks its pins */
/* Pin of a GSI, or NULL if no I/O APIC has it. */
struct ioapic *ioapic_of_gsi(u32 gsi, unsigned int *pin);
u32 ioapic_gsi_end(void); /* one more than the greatest GSI */
u32 ioapic_read(const struct ioapic *io, u8 reg);
/* Whole RTEs. The caller holds a lock of rank LOCK_IOAPIC over a read and the write that depends on
 * it; each call alone is safe. */
u64 ioapic_read_rte(const struct ioapic *io, unsigned int pin);
void ioapic_write_rte(const struct ioapic *io, unsigned int pin, u64 rte);
/* Masked for as long as the entry is changed; an RTE for `vector` to a CPU's APIC ID. */
u64 ioapic_make_rte(unsigned int vector, u32 apic_id, bool level, bool active_low);
void ioapic_mask(u32 gsi);
void ioapic_unmask(u32 gsi);

/* Of ISA interrupt 0-15: its GSI and how it signals (MADT interrupt source overrides). */
struct isa_irq {
	u32 gsi;
	bool level, active_low;
};
struct isa_irq ioapic_isa_irq(unsigned int irq);

#endif
