/* SPDX-License-Identifier: MIT */
/* A frame is writable or a page table, never both. mmu_update, update_va_mapping and pinning
 * enforce that. */
#include "guest.h"

static long pin(unsigned int cmd, unsigned long mfn)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };

	return hc4(__HYPERVISOR_mmuext_op, &op, 1, 0, DOMID_SELF);
}

static long mmu_update(uint64_t ptr, uint64_t val)
{
	mmu_update_t u = { .ptr = ptr, .val = val };

	return hc4(__HYPERVISOR_mmu_update, &u, 1, 0, DOMID_SELF);
}

static void test_pinning(void)
{
	uint64_t *table = page_take();
	char *data = page_take();
	unsigned long mfn = virt_to_mfn(table);

	/* Mapped writable: no page table. */
	EXPECT(pin(MMUEXT_PIN_L1_TABLE, mfn) < 0);
	table[0] = virt_to_mfn(data) << 12 | 0x67;
	set_writable(table, false);
	EXPECT_EQ(pin(MMUEXT_PIN_L1_TABLE, mfn), 0);
	/* A page table: not to be mapped writable, nor to be pinned as another level. */
	EXPECT(hc3(__HYPERVISOR_update_va_mapping, table, mfn << 12 | 0x67, UVMF_INVLPG) < 0);
	EXPECT(pin(MMUEXT_PIN_L2_TABLE, mfn) < 0);
	/* Changed through the hypercall, seen through the read-only mapping. */
	EXPECT_EQ(mmu_update(mfn << 12 | 8 | MMU_NORMAL_PT_UPDATE, virt_to_mfn(data) << 12 | 0x65),
		  0);
	EXPECT_EQ(table[1] & ~0x160UL, (virt_to_mfn(data) << 12 | 5));
	/* Entries that map a page table writable, the hypervisor's memory, or memory of nobody are
	 * refused. */
	EXPECT(mmu_update(mfn << 12 | 16, mfn << 12 | 0x67) < 0);
	EXPECT_EQ(table[2], 0);
	EXPECT(mmu_update(mfn << 12 | 16, 0x3ffffffffffUL << 12 | 0x67) < 0);
	/* Direct writes to a page table are caught and done by the hypervisor. */
	((volatile uint64_t *)table)[3] = virt_to_mfn(data) << 12 | 0x65;
	EXPECT_EQ(table[3] & ~0x160UL, virt_to_mfn(data) << 12 | 5);
	EXPECT_EQ(pin(MMUEXT_UNPIN_TABLE, mfn), 0);
	EXPECT(pin(MMUEXT_UNPIN_TABLE, mfn) < 0);
	set_writable(table, true);
	table[0] = 0;
}

static void test_bad_tables(void)
{
	uint64_t *table = page_take();
	unsigned long mfn = virt_to_mfn(table);

	/* Reserved bits, large pages, itself. */
	table[7] = 0x3ffffffffffUL << 12 | 0x67;
	set_writable(table, false);
	EXPECT(pin(MMUEXT_PIN_L1_TABLE, mfn) < 0);
	set_writable(table, true);
	table[7] = 0;
	table[0] = mfn << 12 | 0x67;
	set_writable(table, false);
	EXPECT(pin(MMUEXT_PIN_L1_TABLE, mfn) < 0);
	EXPECT(pin(MMUEXT_PIN_L2_TABLE, mfn) < 0);
	EXPECT(pin(MMUEXT_PIN_L4_TABLE, mfn) < 0);
	set_writable(table, true);
	table[0] = 0 << 12 | 0xe7;
	set_writable(table, false);
	EXPECT(pin(MMUEXT_PIN_L2_TABLE, mfn) < 0);
	set_writable(table, true);
	table[0] = 0;
	set_writable(table, false);
	EXPECT_EQ(pin(MMUEXT_PIN_L3_TABLE, mfn), 0);
	EXPECT_EQ(pin(MMUEXT_UNPIN_TABLE, mfn), 0);
	set_writable(table, true);
}

/* An empty page table for a region far from this program. */
static uint64_t *take_table(void)
{
	uint64_t *table = page_take();

	set_writable(table, false);
	return table;
}

/* An update by address, and a write by the guest, follow each change of the upper-level entries. */
static void test_upper_entries(void)
{
	char *va = (char *)0xc800000, *data = page_take();
	uint64_t *first = take_table(), *second = take_table();
	uint64_t l2 = entry_maddr(entry_of(va, 2)), pte = virt_to_mfn(data) << 12 | 0x67;

	EXPECT_EQ(mmu_update(l2, virt_to_mfn(first) << 12 | 0x67), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, va, pte, UVMF_INVLPG), 0);
	EXPECT_EQ(CATCH("movb $1, (%0)", "r"(va)), -1);
	/* Less is allowed. */
	EXPECT_EQ(mmu_update(l2, virt_to_mfn(first) << 12 | 0x65), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, va, pte, UVMF_INVLPG), 0);
	EXPECT_EQ(CATCH("movb $2, (%0)", "r"(va)), 14);
	EXPECT_EQ(*data, 1);
	/* Another table, and none. */
	EXPECT_EQ(mmu_update(l2, virt_to_mfn(second) << 12 | 0x67), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, va + PAGE_SIZE, pte,
		      UVMF_INVLPG | UVMF_LOCAL),
		  0);
	EXPECT_EQ(first[1], 0);
	EXPECT_EQ(second[1] & ~0x160UL, pte & ~0x160UL);
	EXPECT_EQ(CATCH("movb $3, (%0)", "r"(va + PAGE_SIZE)), -1);
	EXPECT_EQ(mmu_update(l2, 0), 0);
	EXPECT(hc3(__HYPERVISOR_update_va_mapping, va, pte, UVMF_INVLPG) < 0);
	/* Neither is a table any more. */
	set_writable(first, true);
	set_writable(second, true);
}

static void test_top_level(void)
{
	uint64_t *l4 = (uint64_t *)start_info->pt_base;
	unsigned long mfn = virt_to_mfn(l4);

	/* The hypervisor's slots are not for guests. */
	for (unsigned int slot = 256; slot < 272; slot++)
		EXPECT(mmu_update((mfn << 12) + slot * 8, 0) < 0);
	/* The machine-to-phys table is readable and right. */
	EXPECT_EQ(machine_to_phys_mapping[virt_to_mfn(shared_info - 1)],
		  (unsigned long)(shared_info - 1) >> 12);
	EXPECT_EQ(CATCH("movabsq %0, %%rax\n\tmovq %%rax, (%%rax)", "i"(0xffff800000000000UL)), 14);
}

void test_main(void)
{
	test_pinning();
	test_bad_tables();
	test_upper_entries();
	test_top_level();
}
