/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space by the mechanism of ports 0xcf8 and 0xcfc (PCI Local Bus 3.0, 3.2.2.3.2).
 */
#ifndef X86_PCI_CONFIG_H
#define X86_PCI_CONFIG_H

#include "hv/spinlock.h"

/*
 * LOCK_PCI, interrupts off: held over a pair of accesses (address port, data port) that belong
 * together.
 */
extern spinlock_t pci_config_lock;

/*
 * `address` as port 0xcf8 takes it; `offset` 0 to 3 in the data port, offset + bytes at most 4;
 * bytes 1, 2 or 4.
 */
u32 pci_cf8_read(u32 address, unsigned int offset, unsigned int bytes);
void pci_cf8_write(u32 address, unsigned int offset, unsigned int bytes, u32 value);

/*
 * The function that the hypervisor keeps for itself, as bus << 8 | devfn; 0: none. Domain-0 sees
 * it, and what it writes to it is dropped.
 */
extern u16 pci_own_function;
/* Whether an address of port 0xcf8 is of that function. */
bool pci_cf8_is_own(u32 address);

#endif
