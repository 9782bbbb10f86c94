/* SPDX-License-Identifier: MIT */
/* Global system interrupts: struct irq_ops over the I/O APICs. */
#ifndef X86_IRQ_GSI_H
#define X86_IRQ_GSI_H

#include "x86/irq/irq.h"

extern const struct irq_ops gsi_irq_ops;
/*
 * How a GSI signals unless Domain-0 says otherwise: an ISA interrupt as the MADT says, any other
 * level-triggered and active low (PCI).
 */
void gsi_default_trigger(u32 gsi, bool *level, bool *active_low);
/* The hypervisor itself uses the pin: it is unmasked, with a vector that irq.c did not give out. */
bool gsi_is_taken(u32 gsi);

#endif
