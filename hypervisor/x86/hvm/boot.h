/* SPDX-License-Identifier: MIT */
/* Hardware virtualization at boot and at the machine's end (hvm.c). */
#ifndef X86_HVM_BOOT_H
#define X86_HVM_BOOT_H

#include "lib/types.h"

/*
 * Finds what the processor has and enables it on the boot CPU, which has its descriptors. Prints
 * what there is, or why there is nothing.
 */
void hvm_init(void);
int __must_check hvm_cpu_prepare(unsigned int cpu); /* memory for a CPU: 0, -ENOMEM */
void hvm_cpu_start(void);			    /* on each other CPU, before it is online */

#endif
