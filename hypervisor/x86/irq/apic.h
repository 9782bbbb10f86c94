/* SPDX-License-Identifier: MIT */
/* This CPU's local APIC, in x2APIC mode where available (SDM 3A chapter 10). */
#ifndef X86_IRQ_APIC_H
#define X86_IRQ_APIC_H

#include "hv/config.h"
#include "lib/types.h"

extern bool apic_is_x2apic;
extern u32 apic_ids[HV_MAX_CPUS]; /* APIC ID of each CPU, by number */

/* Boot CPU, once: finds the mode, maps the registers, masks the old PICs. */
void apic_init(void);
/* This CPU: enables the APIC, sets the error and spurious vectors, stops the timer. */
void apic_cpu_init(void);
void apic_eoi(void);
/* Sends `vector` to the CPU with this APIC ID: fixed delivery, edge-triggered. */
void apic_send_ipi(u32 apic_id, unsigned int vector);
/* The start-up sequence of an application processor (SDM 3A 8.4.4). */
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);
/* `vector` is in service on this CPU: its EOI is still due. */
bool apic_is_in_service(unsigned int vector);
/* Measures the timer's rate against the clock, which must work already. */
void apic_timer_calibrate(void);
/* The timer interrupt: acknowledges it and raises SOFTIRQ_TIMER. */
void apic_timer_interrupt(void);
/* Address and data of a message-signalled interrupt that delivers `vector` to a CPU. */
u32 apic_msi_address(u32 apic_id);
u32 apic_msi_data(unsigned int vector);

#endif
