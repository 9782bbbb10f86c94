/* SPDX-License-Identifier: MIT */
/*
 * Undoes the x86 filter of xz: before compression, operands of calls and jumps (the bytes after E8
 * and E9) whose highest byte is 00 or FF were made absolute addresses, so that calls of the same
 * function look the same. Pure.
 */
#ifndef WORKER_BUILD_X86_FILTER_H
#define WORKER_BUILD_X86_FILTER_H

#include <stddef.h>
#include <stdint.h>

struct x86_filter {
	uint32_t position; /* of the next byte in the whole data */
	unsigned int
		history; /* bit n: n + 1 bytes before there was an opcode that was left alone */
};

/*
 * Works on the bytes in place, from where the last call stopped. Returns how many are done: all but
 * the last 4 at the most, which are to come again in front of what follows, or are done as they are
 * at the end of the data.
 */
size_t x86_filter_undo(struct x86_filter *filter, uint8_t *data, size_t size);

#endif
