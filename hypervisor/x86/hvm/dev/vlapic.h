/* SPDX-License-Identifier: MIT */
/*
 * A virtual local APIC (SDM 3A 11): registers, priorities, the timer. Pure: a state machine over
 * (time, input). What must happen outside it tells by struct vlapic_out, and x86/hvm/apic.c does
 * it: interrupts for other vCPUs, a wake-up, the next time at which the timer wants to be asked.
 */
#ifndef X86_HVM_DEV_VLAPIC_H
#define X86_HVM_DEV_VLAPIC_H

#include "lib/types.h"

#include <xen/arch-x86/hvm/save.h>

struct vlapic; /* the helper that builds it fills this in */

#endif
