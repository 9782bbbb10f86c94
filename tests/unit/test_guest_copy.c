/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/bitmap.c */
/*
 * Which addresses a guest may name: each edge of its halves of the address space, of the
 * hypervisor's range between them, and of the 64-bit space, for copies of many sizes; and that
 * another kind of guest than a paravirtualized one is never reached directly.
 */
#include <string.h>
#include "host/host.h"
#include "unit.h"

/* A copy that faults ends the test: no fault is repaired on the host, no instruction replaced. */
#define X86_CPU_EXTABLE_H
#define EXTABLE_C(fault, fixup)
__asm__(".data\n\t.globl _alternatives_start, _alternatives_end\n_alternatives_start: "
	"_alternatives_end: .quad "
	"0\n\t.previous");

/* The processor's addresses from here on, not those that the host's regions have. */
#undef L4_SLOT_ADDR
#define L4_SLOT_ADDR(slot) (0xffff000000000000UL | 1UL * (slot) << 39)

#include "x86/guest/guest_copy.c"

const struct guest_ops pv_guest_ops;
static struct arch_domain arch;
static struct domain domain = { .arch = &arch };
static struct vcpu vcpu = { .domain = &domain };
static unsigned int other_copies;

struct page_info *page_get_from_mfn(mfn_t mfn, const struct domain *d)
{
	return mfn_to_page(mfn);
}

static int other_copy_from(void *dst, const void __guest *src, size_t size)
{
	other_copies++;
	return 0;
}

static int other_copy_to(void __guest *dst, const void *src, size_t size)
{
	other_copies++;
	return 0;
}

static int other_clear(void __guest *dst, size_t size)
{
	other_copies++;
	return 0;
}

static struct page_info *other_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	*mfn = MFN(gfn_x(gfn) + 7);
	return mfn_to_page(*mfn);
}

static const struct guest_memory_ops other_memory = {
	.frame_get = other_frame_get,
	.copy_from = other_copy_from,
	.copy_to = other_copy_to,
	.clear = other_clear,
};
static const struct guest_ops other_ops = { .memory = &other_memory };

static void run_as(const struct guest_ops *ops)
{
	arch.ops = ops;
	arch.memory_ops = ops->memory;
	current = &vcpu;
	guest_copy_load(&domain);
}

static const unsigned long edges[] = {
	0,
	PAGE_SIZE,
	GUEST_LOWER_HALF_END - COPY_SLACK,
	GUEST_LOWER_HALF_END,
	L4_SLOT_ADDR(HV_FIRST_SLOT),
	HEAP_VIRT,
	IMAGE_VIRT,
	GUEST_UPPER_HALF - COPY_SLACK,
	GUEST_UPPER_HALF,
	GUEST_UPPER_HALF + COPY_SLACK,
	0x8000000000000000UL,
	~0UL - COPY_SLACK,
	~0UL,
};
static const size_t sizes[] = {
	0, 1, 2, 8, 16, PAGE_SIZE, COPY_SLACK - 1, COPY_SLACK, COPY_SLACK + 1, 1UL << 40, ~0UL
};

/* Every byte of the range, seen one by one, is a guest's. Steps of a page suffice: edges are pages.
 */
static bool every_byte_is_a_guests(unsigned long first, size_t size)
{
	for (size_t at = 0; at < size; at = at + PAGE_SIZE < at ? size : at + PAGE_SIZE) {
		unsigned long addr = first + at, last = first + min(at + PAGE_SIZE, size) - 1;

		if (!(addr < GUEST_LOWER_HALF_END || addr >= GUEST_UPPER_HALF) ||
		    !(last < GUEST_LOWER_HALF_END || last >= GUEST_UPPER_HALF))
			return false;
	}
	return true;
}

static void a_direct_copy_stays_in_the_guests_halves(void **state)
{
	unsigned int direct = 0;

	run_as(&pv_guest_ops);
	for (unsigned int e = 0; e < ARRAY_SIZE(edges); e++)
		for (long off = -20; off <= 20; off++)
			for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
				unsigned long first = edges[e] + (unsigned long)off;

				if (!is_direct((void __guest *)first, sizes[s]))
					continue;
				direct++;
				assert_true(sizes[s] <= COPY_SLACK);
				assert_true(every_byte_is_a_guests(first, sizes[s]));
			}
	assert_true(direct > 1000);
}

/* What is not direct is decided exactly: a copy that ends at an edge is good, one byte more is not.
 */
static void the_rest_is_decided_to_the_byte(void **state)
{
	run_as(&pv_guest_ops);
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes) - 2; s++) {
		size_t size = sizes[s];

		assert_true(guest_range_ok((void __guest *)(GUEST_LOWER_HALF_END - size), size));
		assert_true(guest_range_ok((void __guest *)GUEST_UPPER_HALF, size));
		if (!size)
			continue;
		assert_false(
			guest_range_ok((void __guest *)(GUEST_LOWER_HALF_END - size + 1), size));
		assert_false(guest_range_ok((void __guest *)(GUEST_UPPER_HALF - 1), size));
		assert_int_equal(copy_from_guest(&size, (void __guest *)(GUEST_UPPER_HALF - 1), 8),
				 -EFAULT);
	}
	assert_int_equal(copy_from_guest(&vcpu, (void __guest *)HEAP_VIRT, 8), -EFAULT);
	assert_int_equal(copy_to_guest((void __guest *)IMAGE_VIRT, &vcpu, 8), -EFAULT);
	assert_int_equal(clear_guest((void __guest *)(~0UL - 3), 8), -EFAULT);
}

static void copies_move_the_bytes(void **state)
{
	u64 from[4] = { 1, 2, 3, 4 }, to[4] = { 0 };

	run_as(&pv_guest_ops);
	for (size_t size = 0; size <= sizeof(from); size++) {
		memset(to, 0, sizeof(to));
		assert_int_equal(copy_from_guest(to, (void __guest *)from, size), 0);
		assert_memory_equal(to, from, size);
		memset(to, 0, sizeof(to));
		assert_int_equal(copy_to_guest((void __guest *)to, from, size), 0);
		assert_memory_equal(to, from, size);
		assert_true(size == sizeof(to) || ((u8 *)to)[size] == 0);
	}
	assert_int_equal(clear_guest((void __guest *)to, 9), 0);
	assert_int_equal(to[0], 0);
	assert_int_equal(to[2], 3);
}

static void another_kind_is_never_reached_directly(void **state)
{
	unsigned int calls = 0;
	mfn_t mfn;
	u64 word = 0;

	run_as(&other_ops);
	other_copies = 0;
	for (unsigned int e = 0; e < ARRAY_SIZE(edges); e++) {
		assert_int_equal(copy_from_guest(&word, (void __guest *)edges[e], 8), 0);
		assert_int_equal(copy_to_guest((void __guest *)edges[e], &word, 8), 0);
		assert_int_equal(clear_guest((void __guest *)edges[e], 8), 0);
		calls += 3;
	}
	assert_int_equal(other_copies, calls);
	assert_false(guest_frames_are_machine(&domain));
	assert_ptr_equal(guest_frame_get(&domain, GFN(1), &mfn), mfn_to_page(MFN(8)));
	assert_int_equal(mfn_x(mfn), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_direct_copy_stays_in_the_guests_halves),
		cmocka_unit_test(the_rest_is_decided_to_the_byte),
		cmocka_unit_test(copies_move_the_bytes),
		cmocka_unit_test(another_kind_is_never_reached_directly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
