/* SPDX-License-Identifier: MIT */
/*
 * A card's port is a 16550 behind one of its base address registers, which the firmware has set
 * (PCI 3.0, 6.2.5). A card with several ports has one in each register, or all in one: the first
 * counts. Ports in memory are passed over: nothing is mapped yet when the console begins.
 */
#include "x86/boot/serial_card.h"

#include "hv/cmdline.h"
#include "hv/console.h"
#include "lib/string.h"
#include "x86/pci/config.h"
#include "x86/pci/pci.h"

#define CLASS_SERIAL	 0x0700 /* its programming interfaces 0 to 6 are a 16450 and its successors */
#define CLASS_MULTIPORT	 0x0702
#define PROG_IF_LAST	 6
#define HEADER_KIND	 0x7f
#define HEADER_DEVICE	 0x00
#define HEADER_FUNCTIONS 0x80 /* more than function 0 */
#define BARS		 6
#define BAR_IO		 0x1
#define BAR_64BIT	 0x4
#define BAR_MEMORY_KIND	 0x7
#define UART_PORTS	 8U

static bool __init is_serial_card(struct pci_addr a)
{
	u32 class = pci_read(a, PCI_CLASS, 2);

	if ((pci_read(a, PCI_HEADER_TYPE, 1) & HEADER_KIND) != HEADER_DEVICE)
		return false;
	return class == CLASS_MULTIPORT ||
	       (class == CLASS_SERIAL && pci_read(a, PCI_CLASS_PROG_IF, 1) <= PROG_IF_LAST);
}

/* How many ports the register decodes. The card must not decode meanwhile. */
static u32 __init count_ports(struct pci_addr a, unsigned int bar)
{
	u32 value = pci_read(a, PCI_BAR(bar), 4), mask;

	pci_write(a, PCI_BAR(bar), 4, ~0U);
	mask = pci_read(a, PCI_BAR(bar), 4) & 0xfffcU;
	pci_write(a, PCI_BAR(bar), 4, value);
	return mask & -mask;
}

/* The first port of the first register that has room for a UART; 0: none. */
static u16 __init find_port(struct pci_addr a)
{
	for (unsigned int i = 0; i < BARS; i++) {
		u32 value = pci_read(a, PCI_BAR(i), 4);

		if (!(value & BAR_IO)) {
			/* The upper half of an address may look like anything. */
			if ((value & BAR_MEMORY_KIND) == BAR_64BIT)
				i++;
			continue;
		}
		value &= ~3U;
		if (value && value <= 0x10000 - UART_PORTS && count_ports(a, i) >= UART_PORTS)
			return (u16)value;
	}
	return 0;
}

/* Switches the ports of a card on; 0: it has none for us. */
static u16 __init try_function(struct pci_addr a)
{
	u32 command;
	u16 port;

	if (!is_serial_card(a))
		return 0;
	command = pci_read(a, PCI_COMMAND, 2);
	pci_write(a, PCI_COMMAND, 2, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	port = find_port(a);
	pci_write(a, PCI_COMMAND, 2, port ? command | PCI_COMMAND_IO : command);
	if (port)
		pci_own_function = (u16)(a.bus << 8 | a.devfn);
	return port;
}

static u16 __init try_device(u8 bus, u8 device)
{
	struct pci_addr a = { .bus = bus, .devfn = (u8)(device << 3) };
	unsigned int functions;
	u16 port = 0;

	if (pci_read(a, PCI_VENDOR_ID, 2) == 0xffff)
		return 0;
	functions = pci_read(a, PCI_HEADER_TYPE, 1) & HEADER_FUNCTIONS ? 8 : 1;
	for (unsigned int i = 0; i < functions && !port; i++) {
		a.devfn = (u8)(device << 3 | i);
		if (pci_read(a, PCI_VENDOR_ID, 2) != 0xffff)
			port = try_function(a);
	}
	return port;
}

static u16 __init find_card(u16 function)
{
	u16 port = 0;

	if (function) {
		struct pci_addr a = { .bus = (u8)(function >> 8), .devfn = (u8)function };

		return pci_read(a, PCI_VENDOR_ID, 2) == 0xffff ? 0 : try_function(a);
	}
	for (unsigned int i = 0; i < 256 * 32 && !port; i++)
		port = try_device((u8)(i / 32), (u8)(i % 32));
	return port;
}

void __init serial_card_find(void)
{
	__typeof__(boot_options.com1) *com = NULL;

	if (!strcmp(boot_options.console, "com1"))
		com = &boot_options.com1;
	else if (!strcmp(boot_options.console, "com2"))
		com = &boot_options.com2;
	if (!com || !com->pci)
		return;
	com->port = find_card(com->pci_function);
	if (!com->port)
		log_warn("console=%s: there is no PCI card with a serial port behind I/O ports%s",
			 boot_options.console, com->pci_function ? " at that address" : "");
}
