/* SPDX-License-Identifier: MIT */
/* This CPU's local APIC, in x2APIC mode where there is one (SDM 3A chapter 10). */
#ifndef X86_IRQ_APIC_H
#define X86_IRQ_APIC_H

#include "hv/config.h"
#include "lib/types.h"

extern bool apic_is_x2apic;
extern u32 apic_ids[HV_MAX_CPUS]; /* APIC ID of each CPU, by number */

void apic_init(
	void); /* boot CPU, once: finds out the mode, maps the registers, silences the old PICs */
void apic_cpu_init(void); /* this CPU: on, error and spurious vectors, timer masked */
void apic_eoi(void);
/* Interrupt `vector` to one CPU (by APIC ID), edge, fixed. */
void apic_send_ipi(u32 apic_id, unsigned int vector);
/* The start-up sequence of an application processor (SDM 3A 8.4.4). */
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);
/* In service or requested right now: which vectors' EOI is still due. */
bool apic_is_in_service(unsigned int vector);
/* After the clock is known: how many timer ticks a nanosecond is. */
void apic_timer_calibrate(void);
/* Timer interrupt: raises SOFTIRQ_TIMER. */
void apic_timer_interrupt(void);
/* Message address and data words that deliver `vector` to a CPU, for MSI and (as RTE halves) the
 * I/O APIC. */
u32 apic_msi_address(u32 apic_id);
u32 apic_msi_data(unsigned int vector);

#endif
