/* SPDX-License-Identifier: MIT */
/*
 * Undoes xz's x86 filter: finds opcodes 16 bytes at a time, and reproduces the original filter's
 * rule for overlaps.
 */
#include "worker/build/x86_filter.h"

#include <emmintrin.h>
#include <stdbool.h>
#include <string.h>

#define INSTRUCTION 5 /* bytes: opcode and operand */

static bool is_opcode(uint8_t byte)
{
	return (byte & 0xfe) == 0xe8;
}

/* Whether an operand with this highest byte is one that the filter changes. */
static bool is_sign(uint8_t byte)
{
	return byte == 0x00 || byte == 0xff;
}

/* The position of the next opcode from `at` on; `size` if there is none. */
static size_t next_opcode(const uint8_t *data, size_t at, size_t size)
{
	const __m128i mask = _mm_set1_epi8((char)0xfe), opcode = _mm_set1_epi8((char)0xe8);

	for (; size - at >= sizeof(__m128i); at += sizeof(__m128i)) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(data + at));
		int found = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(bytes, mask), opcode));

		if (found != 0)
			return at + (size_t)__builtin_ctz((unsigned int)found);
	}
	while (at < size && !is_opcode(data[at]))
		at++;
	return at;
}

/*
 * Earlier opcodes whose operand overlaps this one's. 1 to 3: there is one, that many bytes before;
 * 0: there is none; -1: there are several, and the filter changed nothing.
 */
static int overlap(unsigned int history)
{
	switch (history) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return 2;
	case 4:
		return 3;
	default:
		return -1;
	}
}

/*
 * The relative operand for an absolute one. Where an earlier opcode overlaps, the original filter
 * repeated its step until the shared byte could not be taken for a sign; so does this.
 */
static uint32_t relative(uint32_t absolute, uint32_t next, int overlap_bytes)
{
	unsigned int shared_shift = 24 - 8 * (unsigned int)overlap_bytes;
	uint32_t below = overlap_bytes > 0 ? (UINT32_MAX >> (8 * overlap_bytes)) : 0;
	uint32_t value = absolute - next;

	while (overlap_bytes > 0 && is_sign((uint8_t)(value >> shared_shift)))
		value = (value ^ below) - next;
	/* The filter keeps 25 bits, of which one is the sign. */
	value &= 0x01ffffff;
	return value & 0x01000000 ? value | 0xfe000000 : value;
}

/* If the instruction at data was filtered, restores it and returns true. */
static bool undo_one(const struct x86_filter *filter, uint8_t *data)
{
	int shared = overlap(filter->history);
	uint32_t operand;

	if (shared < 0 || !is_sign(data[4]) || (shared > 0 && is_sign(data[4 - shared])))
		return false;
	memcpy(&operand, data + 1, sizeof(operand));
	operand = relative(operand, filter->position + INSTRUCTION, shared);
	memcpy(data + 1, &operand, sizeof(operand));
	return true;
}

/* Advances by n bytes, none of which is an opcode that was left alone. */
static void move_on(struct x86_filter *filter, size_t n)
{
	filter->history = n < 3 ? filter->history << n & 7 : 0;
	filter->position += (uint32_t)n;
}

size_t x86_filter_undo(struct x86_filter *filter, uint8_t *data, size_t size)
{
	/* The end of the positions at which a whole instruction fits. */
	size_t end = size < INSTRUCTION ? 0 : size - INSTRUCTION + 1;
	size_t i = 0;

	while (i < end) {
		size_t at = next_opcode(data, i, end);

		move_on(filter, at - i);
		i = at;
		if (i == end)
			break;
		if (undo_one(filter, data + i)) {
			/* This may pass `end` by up to 4 bytes, but not `size`. */
			move_on(filter, INSTRUCTION);
			i += INSTRUCTION;
		} else {
			move_on(filter, 1);
			filter->history |= 1;
			i++;
		}
	}
	return i;
}
