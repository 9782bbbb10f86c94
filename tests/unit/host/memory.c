/* SPDX-License-Identifier: MIT */
/* The simulated machine's RAM, frame table and allocations, and the guest's memory. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/map.h"
#include "hv/frame.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/mm/map_frame.h"

#define __weak __attribute__((weak))

long host_alloc_fail_after = -1;
unsigned long host_allocs_live;
bool (*host_guest_fault)(const void *addr, size_t size);

__weak unsigned long max_page, total_pages;

static unsigned long ram_pages;
static bool *ram_used; /* frames that hv_alloc_pages() has handed out */
static unsigned int frames_mapped;

static void *map_at(unsigned long addr, size_t size)
{
	void *p = mmap((void *)addr, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)addr)
		fail_msg("no memory for the simulated machine at %#lx", addr);
	return p;
}

void host_ram_init(unsigned long pages)
{
	size_t table = ROUND_UP(pages * sizeof(struct page_info), PAGE_SIZE);

	if (ram_pages) {
		munmap((void *)HEAP_VIRT, ram_pages << PAGE_SHIFT);
		munmap((void *)FRAME_TABLE_VIRT,
		       ROUND_UP(ram_pages * sizeof(struct page_info), PAGE_SIZE));
		free(ram_used);
	}
	map_at(HEAP_VIRT, pages << PAGE_SHIFT);
	map_at(FRAME_TABLE_VIRT, table);
	ram_used = calloc(pages, sizeof(*ram_used));
	ram_pages = max_page = total_pages = pages;
	frames_mapped = 0;
	host_allocs_live = 0;
	host_alloc_fail_after = -1;
}

static bool injected_failure(void)
{
	if (host_alloc_fail_after < 0)
		return false;
	return host_alloc_fail_after-- == 0;
}

__weak void *hv_alloc(size_t size)
{
	void *p = injected_failure() ? NULL : calloc(1, size ? size : 1);

	host_allocs_live += p != NULL;
	return p;
}

__weak void hv_free(void *p)
{
	host_allocs_live -= p != NULL;
	free(p);
}

static bool range_is_free(unsigned long first, unsigned long nr)
{
	for (unsigned long i = first; i < first + nr; i++)
		if (ram_used[i])
			return false;
	return true;
}

__weak void *hv_alloc_pages(unsigned int order)
{
	unsigned long nr = 1UL << order, first;
	void *va;

	if (injected_failure() || ram_pages < nr)
		return NULL;
	for (first = ROUND_DOWN(ram_pages - nr, nr); !range_is_free(first, nr); first -= nr)
		if (!first)
			return NULL;
	for (unsigned long i = first; i < first + nr; i++)
		ram_used[i] = true;
	va = (void *)(HEAP_VIRT + (first << PAGE_SHIFT));
	memset(va, 0, nr << PAGE_SHIFT);
	host_allocs_live++;
	return va;
}

__weak void hv_free_pages(void *va, unsigned int order)
{
	unsigned long first = ((unsigned long)va - HEAP_VIRT) >> PAGE_SHIFT;

	for (unsigned long i = first; i < first + (1UL << order); i++) {
		assert_true(i < ram_pages && ram_used[i]);
		ram_used[i] = false;
	}
	host_allocs_live--;
}

__weak mfn_t virt_to_mfn(const void *va)
{
	return MFN(((unsigned long)va - HEAP_VIRT) >> PAGE_SHIFT);
}

__weak void *mfn_to_hv_virt(mfn_t mfn)
{
	return (void *)(HEAP_VIRT + mfn_to_maddr(mfn));
}

__weak bool mfn_valid(mfn_t mfn)
{
	return mfn_x(mfn) < max_page;
}

__weak void *map_frame(mfn_t mfn)
{
	assert_true(mfn_x(mfn) < ram_pages);
	frames_mapped++;
	return (void *)(HEAP_VIRT + mfn_to_maddr(mfn));
}

__weak mfn_t map_frame_mfn(const void *va)
{
	return virt_to_mfn(va);
}

__weak void arch_pfn_written(const struct domain *d, unsigned long pfn)
{
}

__weak void unmap_frame(const void *va)
{
	assert_true(frames_mapped > 0);
	frames_mapped--;
}

unsigned int host_frames_mapped(void)
{
	return frames_mapped;
}

__weak void *map_frame_global(mfn_t mfn)
{
	assert_true(mfn_x(mfn) < ram_pages);
	return (void *)(HEAP_VIRT + mfn_to_maddr(mfn));
}

__weak void unmap_frame_global(const void *va)
{
}

__weak void frame_copy(mfn_t dst, mfn_t src)
{
	memcpy(mfn_to_hv_virt(dst), mfn_to_hv_virt(src), PAGE_SIZE);
}

__weak void frame_clear(mfn_t mfn)
{
	memset(mfn_to_hv_virt(mfn), 0, PAGE_SIZE);
}

/* Guest memory is the test's own memory. */
__weak int copy_from_guest(void *dst, const void __guest *src, size_t size)
{
	if (host_guest_fault && host_guest_fault((__force const void *)src, size))
		return -EFAULT;
	memcpy(dst, (__force const void *)src, size);
	return 0;
}

__weak int copy_to_guest(void __guest *dst, const void *src, size_t size)
{
	if (host_guest_fault && host_guest_fault((__force const void *)dst, size))
		return -EFAULT;
	memcpy((__force void *)dst, src, size);
	return 0;
}

__weak int clear_guest(void __guest *dst, size_t size)
{
	if (host_guest_fault && host_guest_fault((__force const void *)dst, size))
		return -EFAULT;
	memset((__force void *)dst, 0, size);
	return 0;
}

__weak bool guest_range_ok(const void __guest *addr, size_t size)
{
	return true;
}
