/* SPDX-License-Identifier: MIT */
/*
 * On the host: the same limits, the same regions, but at addresses of a user process. L4 slot 256
 * of the hypervisor becomes slot 64, which AddressSanitizer, the program and its libraries leave
 * free.
 */
#include_next "hv/config.h"

#ifndef UNIT_HV_CONFIG_H
#define UNIT_HV_CONFIG_H

#undef L4_SLOT_ADDR
#define L4_SLOT_ADDR(slot) ((unsigned long)((slot)-256 + 64) << 39)

#endif
