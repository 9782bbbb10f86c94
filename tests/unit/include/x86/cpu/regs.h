/* SPDX-License-Identifier: MIT */
/* Host version: byte ports are a device of the test's own (host_inb, host_outb), CR3 a variable. */
#ifndef UNIT_X86_CPU_REGS_H
#define UNIT_X86_CPU_REGS_H

#include_next "x86/cpu/regs.h"

u8 host_inb(u16 port);
void host_outb(u16 port, u8 value);
#define inb  host_inb
#define outb host_outb
extern unsigned long host_cr3;
#define read_cr3() host_cr3

#endif
