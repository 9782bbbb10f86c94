/* SPDX-License-Identifier: MIT */
/* The answer to core/'s question about devices (hv/arch/control.h). */
#include "hv/arch/control.h"

#include "x86/pci/pci.h"

/* In other segments than 0, finds only functions that Domain-0 has announced (pci_prepare). */
bool arch_pci_exists(u16 segment, u8 bus, u8 devfn)
{
	return pci_exists((struct pci_addr){ segment, bus, devfn });
}
