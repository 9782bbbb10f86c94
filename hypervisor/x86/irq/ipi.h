/* SPDX-License-Identifier: MIT */
/* Interrupts from CPU to CPU. */
#ifndef X86_IRQ_IPI_H
#define X86_IRQ_IPI_H

#include "hv/cpumask.h"

/* Sends `vector` to each CPU of the set but this one; any context. */
void ipi_send_mask(const cpumask_t *cpus, unsigned int vector);

#endif
