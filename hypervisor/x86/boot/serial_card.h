/* SPDX-License-Identifier: MIT */
/* A serial port on a PCI card, as the console of a machine that has none of its own. */
#ifndef X86_BOOT_SERIAL_CARD_H
#define X86_BOOT_SERIAL_CARD_H

/*
 * Finds the card if the console is to be on one (comN=...,pci), switches its ports on, and puts the
 * first one's number into boot_options, for serial_init(). Without such a card the port is 0. Needs
 * nothing else to work yet: PCI's first 256 registers are reached by ports.
 */
void serial_card_find(void);

#endif
