/* SPDX-License-Identifier: MIT */
/*
 * Crashes with a p2m list that is as long as its command line says ("pfns=N", by default for 4 TiB)
 * and names one frame over and over. The list costs the guest only five pages, because its page
 * tables lead to the same page again and again. It runs as a guest, and proves that a tool that
 * reads the list takes no more memory than the guest has.
 */
#include "guest.h"

#define SLOT	 5UL /* entry of the top-level page table */
#define PFNS_MAX (1UL << 30)

/* A page filled with one entry, and read-only as a page table must be. */
static unsigned long page_of(uint64_t entry)
{
	uint64_t *page = page_take();

	for (unsigned int i = 0; i < 512; i++)
		page[i] = entry;
	set_writable(page, false);
	return virt_to_mfn(page);
}

void test_main(void)
{
	unsigned long list = page_of(virt_to_mfn(page_take()));
	unsigned long l1 = page_of(list << 12 | 0x65);
	unsigned long l2 = page_of(l1 << 12 | 0x67);
	unsigned long l3 = page_of(l2 << 12 | 0x67);
	mmu_update_t update = { .ptr = entry_maddr((uint64_t *)start_info->pt_base + SLOT),
				.val = l3 << 12 | 0x67 };
	struct sched_shutdown crash = { .reason = SHUTDOWN_crash };

	if (hc4(__HYPERVISOR_mmu_update, &update, 1, 0, DOMID_SELF))
		guest_error("the list cannot be mapped");
	EXPECT_EQ(*(volatile uint64_t *)(SLOT << 39),
		  *(volatile uint64_t *)((SLOT << 39) + (1UL << 38)));
	shared_info->arch.max_pfn = guest_option("pfns=", PFNS_MAX);
	shared_info->arch.p2m_cr3 = virt_to_mfn((void *)start_info->pt_base) << 12;
	shared_info->arch.p2m_vaddr = SLOT << 39;
	guest_printf("p2m: a list of %lu frames\n", shared_info->arch.max_pfn);
	hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &crash);
	guest_error("it lives on");
}
