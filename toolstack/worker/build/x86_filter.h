/* SPDX-License-Identifier: MIT */
/*
 * Undoes the x86 filter of xz. Before compression, that filter replaced the relative operands of
 * calls and jumps (the 4 bytes after E8 and E9, if the highest one is 00 or FF) by absolute
 * addresses, so that calls of the same function look the same. Pure.
 */
#ifndef WORKER_BUILD_X86_FILTER_H
#define WORKER_BUILD_X86_FILTER_H

#include <stddef.h>
#include <stdint.h>

struct x86_filter {
	uint32_t position; /* of the next byte, from the start of all data */
	unsigned int
		/* bit n: an opcode n + 1 bytes earlier was left alone */
		history;
};

/*
 * Undoes the filter in place, from where the last call stopped. Returns how many bytes are done:
 * all but at most the last 4. The caller gives these again in front of the next bytes; at the end
 * of the data they stay as they are.
 */
size_t x86_filter_undo(struct x86_filter *filter, uint8_t *data, size_t size);

#endif
