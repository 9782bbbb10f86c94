/* SPDX-License-Identifier: MIT */
/*
 * Host version: the same limits and the same regions, but at addresses of a user process. The
 * hypervisor's L4 slot 256 becomes slot 64, which AddressSanitizer, the program and its libraries
 * leave free.
 */
#include_next "hv/config.h"

#ifndef UNIT_HV_CONFIG_H
#define UNIT_HV_CONFIG_H

#undef L4_SLOT_ADDR
#define L4_SLOT_ADDR(slot) ((unsigned long)((slot)-256 + 64) << 39)

#endif
