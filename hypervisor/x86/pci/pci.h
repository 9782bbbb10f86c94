/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space (PCI 3.0 chapter 6; PCI Express 7.2). The first 256 bytes of segment 0
 * are accessed through ports 0xcf8 and 0xcfc, everything else through the memory that the MCFG
 * table names.
 */
#ifndef X86_PCI_PCI_H
#define X86_PCI_PCI_H

#include "lib/types.h"

struct pci_addr {
	u16 seg;
	u8 bus, devfn;
};

#define PCI_VENDOR_ID	    0x00
#define PCI_COMMAND	    0x04
#define PCI_COMMAND_IO	    0x0001
#define PCI_COMMAND_MEMORY  0x0002
#define PCI_STATUS	    0x06
#define PCI_STATUS_CAP_LIST 0x0010
#define PCI_CLASS_PROG_IF   0x09
#define PCI_CLASS	    0x0a /* subclass, and above it the class */
#define PCI_HEADER_TYPE	    0x0e
#define PCI_BAR(n)	    (0x10 + 4 * (n))
#define PCI_CAPABILITIES    0x34
#define PCI_CAP_MSI	    0x05
#define PCI_CAP_MSIX	    0x11

/* size: 1, 2 or 4 bytes; reg is aligned to it. A register that does not exist reads as all ones. */
u32 pci_read(struct pci_addr a, unsigned int reg, unsigned int size);
void pci_write(struct pci_addr a, unsigned int reg, unsigned int size, u32 value);
/*
 * Makes the function accessible from any context. Call it where mapping memory is allowed. 0,
 * -ENODEV, -ENOMEM.
 */
int __must_check pci_prepare(struct pci_addr a);
bool pci_exists(struct pci_addr a);
/* Offset of a capability, or 0. */
unsigned int pci_find_capability(struct pci_addr a, u8 id);
/* Start of a memory BAR as programmed now; 0: none, I/O, or not set. */
paddr_t pci_bar_address(struct pci_addr a, unsigned int bar);

#endif
