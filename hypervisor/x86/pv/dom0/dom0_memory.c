/* SPDX-License-Identifier: MIT */
/* Turns the option dom0_mem into numbers of pages for this machine. */
#include "x86/pv/dom0/dom0_memory.h"

#include "hv/config.h"

#define HV_RESERVE_MAX MiB(128)
#define NO_LIMIT       (~0U)

static bool __init is_said(const struct mem_amount *a)
{
	return a->bytes || a->percent || a->less;
}

static unsigned long __init amount_pages(const struct mem_amount *a, unsigned long avail)
{
	unsigned long pages = (a->bytes >> PAGE_SHIFT) + avail / 100 * a->percent;

	if (!a->less)
		return pages;
	return pages < avail ? avail - pages : 0;
}

struct dom0_memory __init dom0_memory_choose(const struct boot_options *options,
					     unsigned long avail)
{
	const struct mem_amount *size = &options->dom0_mem.size, *least = &options->dom0_mem.min,
				*most = &options->dom0_mem.max;
	/*
	 * The reserve supplies contiguous memory for 32-bit devices, and what guests cost the
	 * hypervisor.
	 */
	unsigned long reserve = min(avail / 16, HV_RESERVE_MAX >> PAGE_SHIFT);
	struct dom0_memory m = { .nr_pages = avail - reserve, .max_pages = NO_LIMIT };

	if (is_said(size))
		m.nr_pages = amount_pages(size, avail);
	if (is_said(least))
		m.nr_pages = max(m.nr_pages, amount_pages(least, avail));
	if (is_said(most)) {
		m.max_pages = (u32)min(amount_pages(most, avail), (unsigned long)NO_LIMIT);
		m.nr_pages = min(m.nr_pages, (unsigned long)m.max_pages);
	}
	if (m.nr_pages > avail - reserve / 4) {
		m.nr_pages = avail - reserve;
		m.too_little = true;
	}
	return m;
}
