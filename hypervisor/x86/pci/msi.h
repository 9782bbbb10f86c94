/* SPDX-License-Identifier: MIT */
/* Message-signalled interrupts (PCI 3.0 6.8): messages that devices send, as the hypervisor
 * programs them. */
#ifndef X86_PCI_MSI_H
#define X86_PCI_MSI_H

#include "x86/irq/irq.h"
#include "x86/pci/pci.h"

#define MSI_MAX_MESSAGES 32

struct msi_request {
	struct pci_addr addr;
	bool msix;
	unsigned int nr;    /* MSI: messages, a power of two up to MSI_MAX_MESSAGES */
	unsigned int entry; /* MSI-X: which of its table */
	paddr_t table_base; /* MSI-X: start of the BAR that holds the table */
};

/*
 * Makes descriptors for the messages and writes them, masked where the device can mask, into the
 * device. 0 and descs[0
 * .. nr - 1]; -ENODEV: no such device or capability; -EINVAL; -EBUSY: in use; -ENXIO: its memory is
 * switched off; -ENOMEM, -ENOSPC.
 */
int __must_check msi_create(const struct msi_request *rq, struct irq_desc **descs);
/* The other way, for all messages of the group. They are stopped. */
void msi_destroy(struct irq_desc *first);
/* The device lost its settings: writes all its messages again. -ENODEV: it has none. */
int msi_restore(struct pci_addr a);

#endif
