/* SPDX-License-Identifier: MIT */
/* Interrupts from CPU to CPU. */
#ifndef X86_IRQ_IPI_H
#define X86_IRQ_IPI_H

#include "hv/cpumask.h"

/* Sends `vector` to each CPU of the set but this one; any context. */
void ipi_send_mask(const cpumask_t *cpus, unsigned int vector);
/* Runs fn on each CPU of the set and waits; interrupts must be on; fn runs in interrupt context. */
void ipi_call_on(const cpumask_t *cpus, void (*fn)(void *), void *data);

#endif
