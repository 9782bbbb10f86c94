/* SPDX-License-Identifier: MIT */
/*
 * The serial console: an NS16550-compatible UART. The console polls the UART for output
 * (core/base/console_tx.c). Input comes by interrupt or by polling.
 */
#ifndef X86_CPU_SERIAL_H
#define X86_CPU_SERIAL_H

#include "lib/types.h"

/*
 * Sets up the UART that boot_options names, and makes it the console's device. Needs nothing else
 * to work yet.
 */
void serial_init(void);
/* Takes the received bytes; called by interrupt or timer. */
void serial_receive(void);
/* The ISA interrupt of the UART in use; 0: none, poll. */
unsigned int serial_irq(void);
/* Makes the UART interrupt when it receives. */
void serial_enable_irq(void);
/* Polls the UART by a timer of this CPU instead. */
void serial_enable_polling(void);

#endif
