/* SPDX-License-Identifier: MIT */
/*
 * Addresses for long-lived mappings: device registers, and single frames that every address space
 * needs. One bit for each page of the first GiB at DEVICE_VIRT.
 */
#include "hv/arch/map.h"

#include "hv/console.h"
#include "hv/spinlock.h"
#include "x86/map_device.h"
#include "x86/mm/paging.h"
#include "x86/mm/tlb.h"

#define VMAP_PAGES   ((unsigned int)(GiB(1) / PAGE_SIZE))
#define PTE_UNCACHED (PTE_HV_RW | PTE_PCD | PTE_PWT)
/* Entry 4 of the PAT (x86/cpu/feature.c). */
#define PTE_WRITE_COMBINING (PTE_HV_RW | PTE_PAT)

static DEFINE_SPINLOCK(vmap_lock, LOCK_VMAP);
static BITMAP(vmap_used, VMAP_PAGES); /* [vmap_lock] */
static unsigned int vmap_hint;	      /* [vmap_lock] all pages below are in use */

/* Reserves adjacent pages and returns their address; 0: no free range is that long. */
static unsigned long vmap_reserve(unsigned int pages)
{
	unsigned int first, end;
	unsigned long va = 0;

	spin_lock(&vmap_lock);
	first = bitmap_next_clear(vmap_used, VMAP_PAGES, vmap_hint);
	vmap_hint = first;
	while (first < VMAP_PAGES && pages <= VMAP_PAGES - first) {
		end = bitmap_next_set(vmap_used, VMAP_PAGES, first);
		if (end - first >= pages) {
			for (unsigned int i = 0; i < pages; i++)
				bitmap_set_bit(vmap_used, first + i);
			va = DEVICE_VIRT + first * PAGE_SIZE;
			break;
		}
		first = bitmap_next_clear(vmap_used, VMAP_PAGES, end);
	}
	spin_unlock(&vmap_lock);
	return va;
}

static void vmap_release(unsigned long va, unsigned int pages)
{
	unsigned int first = (unsigned int)((va - DEVICE_VIRT) >> PAGE_SHIFT);

	spin_lock(&vmap_lock);
	for (unsigned int i = first; i < first + pages; i++)
		bitmap_clear_bit(vmap_used, i);
	vmap_hint = min(vmap_hint, first);
	spin_unlock(&vmap_lock);
}

/* Flush every CPU before the addresses are free again. */
static void vmap_unmap(unsigned long va, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++) {
		hv_unmap_page(va + i * PAGE_SIZE);
		if (pages == 1)
			tlb_flush_page_mask(&cpu_online_map, va);
	}
	if (pages > 1)
		tlb_flush_mask_all(&cpu_online_map);
	vmap_release(va, pages);
}

static void *vmap(mfn_t mfn, unsigned long pages, u64 flags)
{
	unsigned long va = pages && pages <= VMAP_PAGES ? vmap_reserve((unsigned int)pages) : 0;

	for (unsigned int i = 0; va && i < pages; i++) {
		if (hv_map_page(va + i * PAGE_SIZE, mfn_add(mfn, i), flags)) {
			vmap_unmap(va, (unsigned int)pages);
			return NULL;
		}
	}
	return (void *)va;
}

void *map_frame_global(mfn_t mfn)
{
	return vmap(mfn, 1, PTE_HV_RW);
}

void unmap_frame_global(const void *addr)
{
	unsigned long va = (unsigned long)addr & PAGE_MASK;

	ASSERT(va >= DEVICE_VIRT && va - DEVICE_VIRT < VMAP_PAGES * PAGE_SIZE);
	vmap_unmap(va, 1);
}

static unsigned long device_pages(paddr_t addr, size_t size)
{
	return DIV_ROUND_UP((addr & ~PAGE_MASK) + size, PAGE_SIZE);
}

static void *map_bytes(paddr_t addr, size_t size, u64 flags)
{
	char *va;

	if (!size || size > VMAP_PAGES * PAGE_SIZE)
		return NULL;
	va = vmap(maddr_to_mfn(addr), device_pages(addr, size), flags);
	return va ? va + (addr & ~PAGE_MASK) : NULL;
}

void *map_device(paddr_t addr, size_t size)
{
	return map_bytes(addr, size, PTE_UNCACHED);
}

void *map_framebuffer(paddr_t addr, size_t size)
{
	return map_bytes(addr, size, PTE_WRITE_COMBINING);
}

void unmap_device(void *addr, size_t size)
{
	unsigned long va = (unsigned long)addr;

	if (addr)
		vmap_unmap(va & PAGE_MASK, (unsigned int)device_pages(va, size));
}
