/* SPDX-License-Identifier: MIT */
/* A ring of whole lines. Positions count bytes and wrap modulo 2^32; the ring's size masks them. */
#include "core/base/log_ring.h"

static char byte_at(const struct log_ring *ring, u32 pos)
{
	return ring->bytes[pos & (ring->size - 1)];
}

void log_ring_put(struct log_ring *ring, const char *line, size_t len)
{
	bool whole = true;

	/* Make room first: a line that loses its beginning goes as a whole. */
	while (ring->next - ring->first + len > ring->size || (!whole && ring->first != ring->next))
		whole = byte_at(ring, ring->first++) == '\n';
	for (size_t i = 0; i < len; i++)
		ring->bytes[ring->next++ & (ring->size - 1)] = line[i];
}

static size_t read_until(const struct log_ring *ring, u32 *pos, char *buf, size_t len, bool line)
{
	u32 at = *pos - ring->first <= ring->next - ring->first ? *pos : ring->first;
	size_t n = 0;

	while (n < len && at != ring->next) {
		buf[n] = byte_at(ring, at++);
		if (buf[n++] == '\n' && line)
			break;
	}
	*pos = at;
	return n;
}

size_t log_ring_read(const struct log_ring *ring, u32 *pos, char *buf, size_t len)
{
	return read_until(ring, pos, buf, len, false);
}

size_t log_ring_read_line(const struct log_ring *ring, u32 *pos, char *buf, size_t len)
{
	return read_until(ring, pos, buf, len, true);
}
