/* SPDX-License-Identifier: MIT */
/* What core/ asks about devices (hv/arch.h). */
#include "hv/arch.h"

#include "x86/pci/pci.h"

/* In a segment that needs memory to reach it, the functions that Domain-0 told us of (pci_prepare).
 */
bool arch_pci_exists(u16 segment, u8 bus, u8 devfn)
{
	return pci_exists((struct pci_addr){ segment, bus, devfn });
}
