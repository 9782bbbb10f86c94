/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_BOOT_MEMORY_H
#define X86_BOOT_BOOT_MEMORY_H

#include "lib/types.h"

/* `size` bytes of the machine's memory at addr; NULL: not all of them are within reach. */
typedef const void *boot_memory_fn(u64 addr, size_t size);

#endif
