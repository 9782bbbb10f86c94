/* SPDX-License-Identifier: MIT */
/*
 * The serial console: an NS16550-compatible UART. The console polls it for output
 * (core/base/console_tx.c); input comes by interrupt or is polled.
 */
#ifndef X86_CPU_SERIAL_H
#define X86_CPU_SERIAL_H

#include "lib/types.h"

/* Sets up the UART that boot_options names and makes it the console's device. Works before anything
 * else does. */
void serial_init(void);
/* Takes what came in (interrupt, or timer). */
void serial_receive(void);
/* ISA interrupt of the UART that is in use; 0: none, poll it. */
unsigned int serial_irq(void);
/* Lets the UART interrupt when something comes in. */
void serial_enable_irq(void);
/* Polls it by a timer of this CPU instead. */
void serial_enable_polling(void);

#endif
