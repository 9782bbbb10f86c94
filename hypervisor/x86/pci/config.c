/* SPDX-License-Identifier: MIT */
/* PCI configuration space by ports 0xcf8 and 0xcfc, one access at a time. */
#include "x86/pci/config.h"

#include "x86/cpu/regs.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc

DEFINE_SPINLOCK(pci_config_lock, LOCK_PCI);

u16 pci_own_function;

bool pci_cf8_is_own(u32 address)
{
	return pci_own_function && (u16)(address >> 8) == pci_own_function;
}

u32 pci_cf8_read(u32 address, unsigned int offset, unsigned int bytes)
{
	unsigned long flags = spin_lock_irqsave(&pci_config_lock);
	u16 port = (u16)(PORT_DATA + offset);
	u32 value;

	outl(PORT_ADDRESS, address);
	value = bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
	spin_unlock_irqrestore(&pci_config_lock, flags);
	return value;
}

void pci_cf8_write(u32 address, unsigned int offset, unsigned int bytes, u32 value)
{
	unsigned long flags = spin_lock_irqsave(&pci_config_lock);
	u16 port = (u16)(PORT_DATA + offset);

	outl(PORT_ADDRESS, address);
	if (bytes == 1)
		outb(port, (u8)value);
	else if (bytes == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
	spin_unlock_irqrestore(&pci_config_lock, flags);
}
