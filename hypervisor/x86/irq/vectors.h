/* SPDX-License-Identifier: MIT */
/*
 * The use of interrupt vectors. A higher vector has the higher priority (SDM 3A 10.8.3).
 *  0x00-0x1f  exceptions
 *  0x20-0x2f  unused; a stray interrupt of the old PICs would arrive here
 *  0x30-0xef  devices', given out by x86/irq/irq.c, except for 0x80 and 0x82, which guests use
 *             with INT
 *  0xf0-0xff  fixed
 */
#ifndef X86_IRQ_VECTORS_H
#define X86_IRQ_VECTORS_H

#define VECTOR_PIC_FIRST       0x20
#define VECTOR_DEVICE_FIRST    0x30
#define VECTOR_DEVICE_LAST     0xef
#define VECTOR_GUEST_SYSCALL   0x80 /* guests' INT 0x80: never a device's */
#define VECTOR_GUEST_HYPERCALL 0x82
#define VECTOR_TIMER	       0xf0
#define VECTOR_SERIAL	       0xf1
#define VECTOR_EVENT_CHECK     0xf8 /* check for softirqs */
#define VECTOR_CALL_FUNCTION   0xf9
#define VECTOR_TLB_FLUSH       0xfa
#define VECTOR_HALT	       0xfb /* the machine stops: never returns */
#define VECTOR_ERROR	       0xfe
#define VECTOR_SPURIOUS	       0xff

#ifndef __ASSEMBLY__
#include "lib/types.h"

/*
 * Boot: sets the handler of a fixed vector (VECTOR_TIMER and up). fn acknowledges the local APIC
 * itself (apic_eoi).
 */
void interrupt_register(unsigned int vector, void (*fn)(void));

/*
 * The handler of device vectors (x86/irq/irq.c). It acknowledges the local APIC itself (apic_eoi).
 */
void irq_device_vector(unsigned int vector);
#endif

#endif
