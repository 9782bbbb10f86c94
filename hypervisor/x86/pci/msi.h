/* SPDX-License-Identifier: MIT */
/* Message-signalled interrupts (PCI 3.0 6.8), as the hypervisor programs them into devices. */
#ifndef X86_PCI_MSI_H
#define X86_PCI_MSI_H

#include "x86/irq/irq.h"
#include "x86/pci/pci.h"

#define MSI_MAX_MESSAGES 32

struct msi_request {
	struct pci_addr addr;
	bool msix;
	unsigned int nr;    /* MSI: messages, a power of two up to MSI_MAX_MESSAGES */
	unsigned int entry; /* MSI-X: index in its table */
	paddr_t table_base; /* MSI-X: start of the BAR that holds the table */
};

/*
 * Makes descriptors for the messages and writes the messages into the device, masked where it can
 * mask. 0: descs[0] to descs[nr - 1] are set. -ENODEV: no such device or capability; -EINVAL;
 * -EBUSY: in use; -ENXIO: the device's memory decoding is off; -ENOMEM, -ENOSPC.
 */
int __must_check msi_create(const struct msi_request *rq, struct irq_desc **descs);
/* Undoes msi_create for all messages of the group, which are stopped. */
void msi_destroy(struct irq_desc *first);
/*
 * Writes all messages of a device that lost its settings. 0; -ENODEV: it has none; -ENXIO: its
 * memory decoding is off.
 */
int msi_restore(struct pci_addr a);

#endif
