/* SPDX-License-Identifier: MIT */
/*
 * Builds the page tables that the hypervisor runs on, while it still runs on boot's, which map the
 * image and everything below 4 GiB 1:1. Page-table pages come from below 4 GiB. The frame table and
 * the machine-to-phys table may lie anywhere, since they are filled after the switch. Each part of
 * the image is writable or executable, never both.
 */
#include "x86/mm/paging.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "x86/boot/sections.h"
#include "x86/cpu/regs.h"
#include "x86/mm/boot_alloc.h"
#include "x86/mm/frame_table.h"
#include "x86/mm/map_frame.h"

#define PTE_HV_RX (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)
#define PTE_HV_RO (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX)

/* The boot CPU's window, until it loads its idle vCPU's address space. */
static struct map_window boot_window;
#define BOOT_WINDOW_VIRT (DEVICE_VIRT_END - PERDOMAIN_WINDOW_PAGES * PAGE_SIZE)

static u64 *boot_l4_final __initdata; /* used through the 1:1 mapping */

/* The entry of va at `level`. Missing tables on the way are made, with `flags`. */
static u64 *__init boot_entry(unsigned long va, unsigned int level, u64 flags)
{
	u64 *table = boot_l4_final;

	for (unsigned int l = 4; l > level; l--) {
		u64 *entry = &table[pt_index(va, l)];

		if (!*entry)
			*entry = boot_alloc_table() | flags;
		table = (u64 *)mfn_to_maddr(pte_mfn(*entry));
	}
	return &table[pt_index(va, level)];
}

static void __init boot_map_large(unsigned long va, size_t size, u64 table_flags, u64 flags)
{
	for (size_t at = 0; at < size; at += MiB(2))
		*boot_entry(va + at, 2, table_flags) =
			boot_alloc_2m(~0UL) | flags | PTE_PSE | PTE_GLOBAL;
}

static void __init map_frame_tables(void)
{
	for (unsigned long gib = 0; gib * GIB_FRAMES < max_page; gib++) {
		if (!gib_has_ram(gib))
			continue;
		boot_map_large(FRAME_TABLE_VIRT + gib * FRAME_TABLE_PER_GIB, FRAME_TABLE_PER_GIB,
			       PTE_TABLE_HV, PTE_HV_RW);
		boot_map_large(M2P_RW_VIRT + gib * M2P_PER_GIB, M2P_PER_GIB, PTE_TABLE,
			       PTE_HV_RW | PTE_USER);
	}
	/*
	 * One set of tables, two views: no entry below an L4 entry can allow what the L4 entry
	 * forbids (SDM 3A 4.6).
	 */
	boot_l4_final[pt_index(M2P_RW_VIRT, 4)] &= ~(u64)PTE_USER;
	boot_l4_final[pt_index(M2P_RO_VIRT, 4)] =
		(boot_l4_final[pt_index(M2P_RW_VIRT, 4)] & ~(u64)PTE_RW) | PTE_USER;
}

static void __init map_heap_chunk(paddr_t chunk, unsigned int used)
{
	*boot_entry(HEAP_VIRT + chunk, 2, PTE_TABLE_HV) = chunk | PTE_HV_RW | PTE_PSE | PTE_GLOBAL;
}

static void __init map_heap(void)
{
	for (unsigned long gib = 0; gib * GIB_FRAMES < max_page; gib++)
		if (gib_has_ram(gib) && (gib << GIB_SHIFT) < HEAP_VIRT_END - HEAP_VIRT)
			boot_entry(HEAP_VIRT + (gib << GIB_SHIFT), 2, PTE_TABLE_HV);
}

static void __init map_image_part(const char *start, const char *end, u64 flags)
{
	for (unsigned long va = (unsigned long)start & PAGE_MASK; va < (unsigned long)end;
	     va += PAGE_SIZE)
		*boot_entry(va, 1, PTE_TABLE_HV) = image_to_maddr(va) | flags | PTE_GLOBAL;
}

static void __init map_image(void)
{
	map_image_part(_start, _etext, PTE_HV_RX);
	map_image_part(_srodata, _erodata, PTE_HV_RO);
	map_image_part(_sdata, _ebss, PTE_HV_RW);
	map_image_part(_sinittext, _einittext, PTE_HV_RX);
	map_image_part(_sinitdata, _einit, PTE_HV_RW);
}

static void __init add_heap_chunk(paddr_t chunk, unsigned int used)
{
	hv_heap_add_boot_chunk(maddr_to_mfn(chunk), used);
}

void __init paging_init(void)
{
	u64 *window_l1;

	frame_table_probe();
	boot_alloc_init(max_page << PAGE_SHIFT);
	boot_l4_final = (u64 *)boot_alloc_table();
	map_frame_tables();
	map_heap();
	map_image();
	window_l1 = boot_entry(BOOT_WINDOW_VIRT, 1, PTE_TABLE_HV);
	/* Last: every table is made. */
	boot_alloc_for_each_chunk(map_heap_chunk);

	write_cr3((unsigned long)boot_l4_final);
	idle_l4 = mfn_to_hv_virt(maddr_to_mfn((paddr_t)boot_l4_final));
	map_window_init(&boot_window, (u64 *)(HEAP_VIRT + (unsigned long)window_l1),
			BOOT_WINDOW_VIRT);
	this_cpu(map_window) = &boot_window;
	frame_table_init();
	boot_alloc_for_each_chunk(add_heap_chunk);
	log_info("memory: %lu MiB of RAM", total_pages >> (20 - PAGE_SHIFT));
}
