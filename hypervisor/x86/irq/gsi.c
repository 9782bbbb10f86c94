/* SPDX-License-Identifier: MIT */
/* Interrupts of the I/O APICs' pins: struct irq_ops for them, and how each pin signals. */
#include "x86/irq/gsi.h"

#include "x86/irq/apic.h"
#include "x86/irq/ioapic.h"
#include "x86/irq/vectors.h"

#define NR_ISA_IRQS 16

static void gsi_mask(struct irq_desc *desc)
{
	ioapic_mask(desc->gsi);
}

static void gsi_unmask(struct irq_desc *desc)
{
	ioapic_unmask(desc->gsi);
}

/*
 * While Remote IRR is set, the local APIC's EOI is still due. The I/O APIC matches that EOI by
 * vector, so the vector must not change (82093AA data sheet, Remote IRR).
 */
static bool gsi_route(struct irq_desc *desc, unsigned int cpu, unsigned int vector)
{
	unsigned int pin;
	const struct ioapic *io = ioapic_of_gsi(desc->gsi, &pin);
	u64 rte;

	if (!io)
		return false;
	rte = ioapic_read_rte(io, pin);
	if (desc->started && (rte & RTE_LEVEL) && (rte & RTE_REMOTE_IRR))
		return false;
	ioapic_write_rte(io, pin,
			 ioapic_make_rte(vector, apic_ids[cpu], desc->level, desc->active_low) |
				 (rte & RTE_MASKED));
	return true;
}

const struct irq_ops gsi_irq_ops = {
	.mask = gsi_mask,
	.unmask = gsi_unmask,
	.route = gsi_route,
};

void gsi_default_trigger(u32 gsi, bool *level, bool *active_low)
{
	for (unsigned int irq = 0; irq < NR_ISA_IRQS; irq++) {
		struct isa_irq isa = ioapic_isa_irq(irq);

		if (isa.gsi == gsi) {
			*level = isa.level;
			*active_low = isa.active_low;
			return;
		}
	}
	*level = *active_low = gsi >= NR_ISA_IRQS;
}

bool gsi_is_taken(u32 gsi)
{
	unsigned int pin;
	const struct ioapic *io = ioapic_of_gsi(gsi, &pin);
	u64 rte;

	if (!io)
		return false;
	rte = ioapic_read_rte(io, pin);
	return !(rte & RTE_MASKED) && (rte & RTE_VECTOR_MASK) > VECTOR_DEVICE_LAST;
}
