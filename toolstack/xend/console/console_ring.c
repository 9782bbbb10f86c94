/* SPDX-License-Identifier: MIT */
/*
 * Copies between a console's ring and a buffer; every index is masked, every count is bounded by
 * the ring's size.
 */
#include "xend/console/console_ring.h"

#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/console.h>

#define MASK(index, ring) ((index) & (sizeof(ring) - 1))

static uint32_t read_index(const XENCONS_RING_IDX *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void write_index(XENCONS_RING_IDX *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

size_t console_ring_take(struct xencons_interface *page, char *to, size_t room)
{
	uint32_t cons = read_index(&page->out_cons), prod = read_index(&page->out_prod);
	size_t n = prod - cons;

	/* More than the ring holds: the guest's indices are invalid. Skip to its newest byte. */
	if (n > sizeof(page->out)) {
		write_index(&page->out_cons, prod);
		return 0;
	}
	if (n > room)
		n = room;
	for (size_t i = 0; i < n; i++)
		to[i] = ((volatile char *)page->out)[MASK(cons + i, page->out)];
	write_index(&page->out_cons, cons + (uint32_t)n);
	return n;
}

size_t console_ring_give(struct xencons_interface *page, const char *from, size_t length)
{
	uint32_t cons = read_index(&page->in_cons), prod = read_index(&page->in_prod);
	size_t used = prod - cons, n;

	if (used > sizeof(page->in))
		return 0;
	n = sizeof(page->in) - used;
	if (n > length)
		n = length;
	for (size_t i = 0; i < n; i++)
		((volatile char *)page->in)[MASK(prod + i, page->in)] = from[i];
	write_index(&page->in_prod, prod + (uint32_t)n);
	return n;
}
