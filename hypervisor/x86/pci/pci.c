/* SPDX-License-Identifier: MIT */
/* Access to PCI configuration space, by ports or by memory (pci.h), and what is read from it. */
#include "x86/pci/pci.h"

#include "hv/domain.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/cpu/platform.h"
#include "x86/map_device.h"
#include "x86/pci/config.h"

#define BUS_SHIFT	 20 /* a bus takes 1 MiB of configuration memory */
#define BUS_SIZE	 (1UL << BUS_SHIFT)
#define PORT_SPACE	 0x100
#define MEMORY_SPACE	 0x1000
#define CAPABILITIES_MAX 48
#define HEADER_TYPE_MASK 0x7f
#define BAR_IO		 0x1
#define BAR_TYPE_MASK	 0x6
#define BAR_TYPE_64	 0x4
#define BAR_MEMORY_MASK	 0xfU

/* By entry of the MCFG: its buses, NULL where not mapped. Set once. */
static volatile u8 **mapped_buses[16];

static u32 port_address(struct pci_addr a, unsigned int reg)
{
	return 0x80000000U | (u32)a.bus << 16 | (u32)a.devfn << 8 | (reg & 0xfc);
}

static bool by_ports(struct pci_addr a, unsigned int reg)
{
	return a.seg == 0 && reg < PORT_SPACE;
}

/* The MCFG entry that covers the bus, or -1. */
static int mcfg_of(struct pci_addr a)
{
	for (unsigned int i = 0; i < platform.nr_mcfg; i++)
		if (platform.mcfg[i].segment == a.seg && a.bus >= platform.mcfg[i].start_bus &&
		    a.bus <= platform.mcfg[i].end_bus)
			return (int)i;
	return -1;
}

static volatile u8 *memory_of(struct pci_addr a, unsigned int reg)
{
	int i = mcfg_of(a);
	volatile u8 *bus;

	if (i < 0 || reg >= MEMORY_SPACE || !mapped_buses[i])
		return NULL;
	bus = READ_ONCE(mapped_buses[i][a.bus]);
	return bus ? bus + ((u32)a.devfn << 12) + reg : NULL;
}

int pci_prepare(struct pci_addr a)
{
	int i = mcfg_of(a);
	volatile u8 *bus;

	if (a.seg == 0)
		return 0; /* the ports reach all registers that are used */
	if (i < 0)
		return -ENODEV;
	if (!mapped_buses[i]) {
		mapped_buses[i] = hv_alloc(256 * sizeof(*mapped_buses[i]));
		if (!mapped_buses[i])
			return -ENOMEM;
	}
	if (mapped_buses[i][a.bus])
		return 0;
	bus = map_device(platform.mcfg[i].addr + (paddr_t)a.bus * BUS_SIZE, BUS_SIZE);
	if (!bus)
		return -ENOMEM;
	WRITE_ONCE(mapped_buses[i][a.bus], bus);
	return 0;
}

u32 pci_read(struct pci_addr a, unsigned int reg, unsigned int size)
{
	u32 ones = size == 4 ? ~0U : (1U << (size * 8)) - 1;
	volatile u8 *p;

	if (by_ports(a, reg))
		return pci_cf8_read(port_address(a, reg), reg & 3, size);
	p = memory_of(a, reg);
	if (!p)
		return ones;
	return size == 1 ? *p : size == 2 ? *(volatile u16 *)p : *(volatile u32 *)p;
}

void pci_write(struct pci_addr a, unsigned int reg, unsigned int size, u32 value)
{
	volatile u8 *p;

	if (by_ports(a, reg)) {
		pci_cf8_write(port_address(a, reg), reg & 3, size, value);
		return;
	}
	p = memory_of(a, reg);
	if (!p)
		return;
	if (size == 1)
		*p = (u8)value;
	else if (size == 2)
		*(volatile u16 *)p = (u16)value;
	else
		*(volatile u32 *)p = value;
}

bool pci_exists(struct pci_addr a)
{
	u32 id = pci_read(a, PCI_VENDOR_ID, 2);

	return id != 0xffff && id != 0;
}

unsigned int pci_find_capability(struct pci_addr a, u8 id)
{
	unsigned int reg;

	if (!(pci_read(a, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	reg = pci_read(a, PCI_CAPABILITIES, 1) & ~3U;
	/* A damaged list may be circular. */
	for (unsigned int i = 0; i < CAPABILITIES_MAX && reg >= 0x40; i++) {
		u32 head = pci_read(a, reg, 2);

		if ((head & 0xff) == id)
			return reg;
		reg = head >> 8 & ~3U;
	}
	return 0;
}

paddr_t pci_bar_address(struct pci_addr a, unsigned int bar)
{
	unsigned int nr_bars = (pci_read(a, PCI_HEADER_TYPE, 1) & HEADER_TYPE_MASK) == 0 ? 6 : 2;
	u32 low, high = 0;

	if (bar >= nr_bars)
		return 0;
	low = pci_read(a, PCI_BAR(bar), 4);
	if (low & BAR_IO)
		return 0;
	if ((low & BAR_TYPE_MASK) == BAR_TYPE_64) {
		if (bar + 1 >= nr_bars)
			return 0;
		high = pci_read(a, PCI_BAR(bar + 1), 4);
	}
	return (paddr_t)high << 32 | (low & ~BAR_MEMORY_MASK);
}
