/* SPDX-License-Identifier: MIT */
/*
 * A log of whole lines in a ring: the oldest lines make room for new ones. A position is the number
 * of bytes ever written before it, modulo 2^32. The caller holds the log's lock.
 */
#ifndef CORE_BASE_LOG_RING_H
#define CORE_BASE_LOG_RING_H

#include "lib/types.h"

struct log_ring {
	char *bytes;
	u32 size;	 /* a power of two, longer than any line */
	u32 first, next; /* positions of the oldest byte and of the next to write */
};

/* Adds a line of `len` bytes, which ends in '\n'. */
void log_ring_put(struct log_ring *ring, const char *line, size_t len);
/*
 * Copies at most `len` bytes from *pos on and advances *pos. A position that is no longer (or not
 * yet) in the ring means the oldest byte. Returns the number of bytes.
 */
size_t log_ring_read(const struct log_ring *ring, u32 *pos, char *buf, size_t len);
/* The same, but stops behind the end of the line. */
size_t log_ring_read_line(const struct log_ring *ring, u32 *pos, char *buf, size_t len);

#endif
