/* SPDX-License-Identifier: MIT */
/*
 * Mappings that only boot needs. Addresses are handed out upwards from BOOT_VIRT and never reused.
 */
#include "x86/mm/boot_map.h"

#include "hv/console.h"
#include "hv/frame.h"
#include "hv/page_alloc.h"
#include "x86/mm/paging.h"

/* Boot runs on one CPU and maps few things, so addresses are handed out once and not used again. */
static unsigned long boot_virt_next __initdata = BOOT_VIRT;

static unsigned long __init boot_virt_reserve(size_t pages)
{
	unsigned long va = boot_virt_next;

	if (pages > (BOOT_VIRT_END - va) / PAGE_SIZE)
		panic("the boot modules do not fit into %lu GiB of address space",
		      (BOOT_VIRT_END - BOOT_VIRT) >> 30);
	boot_virt_next += pages * PAGE_SIZE;
	return va;
}

const void *__init boot_map(paddr_t start, size_t size)
{
	paddr_t first = start & PAGE_MASK;
	size_t pages = DIV_ROUND_UP(start - first + size, PAGE_SIZE);
	unsigned long va = boot_virt_reserve(pages);

	for (size_t i = 0; i < pages; i++)
		if (hv_map_page(va + i * PAGE_SIZE, maddr_to_mfn(first + i * PAGE_SIZE),
				PTE_HV_RW & ~PTE_RW))
			panic("not enough memory to map a boot module");
	return (const void *)(va + (start - first));
}

void *__init boot_buffer_alloc(size_t size)
{
	size_t pages = DIV_ROUND_UP(size, PAGE_SIZE), done = 0;
	unsigned long va = boot_virt_reserve(pages);
	unsigned int order = 9;

	while (done < pages) {
		struct page_info *pg;

		while (order && (pages - done) < (1UL << order))
			order--;
		pg = page_alloc(NULL, order, MEMF_NO_SCRUB);
		if (!pg && order) {
			order--;
			continue;
		}
		for (size_t i = 0; pg && i < (1UL << order); i++) {
			if (hv_map_page(va + (done + i) * PAGE_SIZE, mfn_add(page_to_mfn(pg), i),
					PTE_HV_RW)) {
				page_free(pg, order);
				pg = NULL;
			}
		}
		if (!pg) {
			boot_buffer_free((void *)va, done * PAGE_SIZE);
			return NULL;
		}
		done += 1UL << order;
	}
	return (void *)va;
}

void __init boot_unmap(const void *p, size_t size)
{
	unsigned long va = (unsigned long)p & PAGE_MASK, end = (unsigned long)p + size;

	for (; va < end; va += PAGE_SIZE)
		hv_unmap_page(va);
}

void __init boot_buffer_free(void *buf, size_t size)
{
	unsigned long va = (unsigned long)buf, end = va + size;

	for (; va < end; va += PAGE_SIZE) {
		struct page_info *pg = mfn_to_page(pte_mfn(hv_lookup_pte(va)));

		hv_unmap_page(va);
		page_free(pg, 0);
	}
}
