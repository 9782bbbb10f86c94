/* SPDX-License-Identifier: MIT */
/* Makes 4-level page tables page by page; the lowest table is kept at hand for the next page. */
#include "worker/build/tables.h"

#include <stdbool.h>

#define ENTRIES 512
/* Page table entries (Intel SDM, volume 3, 4.5): present, writable, user, accessed, dirty. A PV
 * kernel runs in user mode. */
#define PTE_TABLE 0x67ULL
#define PTE_RW	  0x67ULL
#define PTE_RO	  0x25ULL
#define PTE_FRAME 0x000ffffffffff000ULL

struct maker {
	const struct layout *layout;
	const uint64_t *p2m;
	uint64_t *tables;
	uint64_t used; /* tables in use, with the root */
	/* The level 1 table of the last address: a neighbouring page needs no walk. */
	uint64_t *l1;
	uint64_t l1_of;
};

/* The table that entry `index` of `table` points to; a new one if the entry is empty. */
static uint64_t *next_table(struct maker *m, uint64_t *table, unsigned int index)
{
	uint64_t number;

	if (table[index] == 0) {
		/* layout_make() has counted them: there is room for it. */
		number = m->used++;
		table[index] = m->p2m[m->layout->pt + number] * KERNEL_PAGE | PTE_TABLE;
		return m->tables + number * ENTRIES;
	}
	/* Search the table by its machine frame; there are few tables. */
	for (number = 1; number < m->used; number++)
		if (m->p2m[m->layout->pt + number] == (table[index] & PTE_FRAME) / KERNEL_PAGE)
			break;
	return m->tables + number * ENTRIES;
}

static void map_page(struct maker *m, uint64_t virt, uint64_t pfn, uint64_t flags)
{
	if (m->l1 == 0 || m->l1_of != virt >> 21) {
		uint64_t *table = m->tables;

		for (unsigned int shift = 39; shift > 12; shift -= 9)
			table = next_table(m, table, (unsigned int)(virt >> shift) & (ENTRIES - 1));
		m->l1 = table;
		m->l1_of = virt >> 21;
	}
	m->l1[(virt >> 12) & (ENTRIES - 1)] = m->p2m[pfn] * KERNEL_PAGE | flags;
}

void tables_make(const struct layout *l, const uint64_t *p2m, uint64_t *tables)
{
	struct maker m = { .layout = l, .p2m = p2m, .tables = tables, .used = 1 };

	for (uint64_t pfn = 0; pfn < l->mapped_end; pfn++) {
		bool is_table = pfn >= l->pt && pfn < l->pt + l->nr_pt;

		map_page(&m, layout_virt(l, pfn), pfn, is_table ? PTE_RO : PTE_RW);
	}
	if (l->p2m >= l->mapped_end)
		for (uint64_t i = 0; i < l->nr_p2m; i++)
			map_page(&m, l->p2m_virt + i * KERNEL_PAGE, l->p2m + i, PTE_RW);
}
