/* SPDX-License-Identifier: MIT */
/*
 * Walks of a guest's page tables, in all modes, over random tables, against a second model that is
 * written another way: it lists what the manuals say of each mode in words of its own.
 */
/* links: hypervisor/x86/hvm/guest_walk.c */
#include "x86/hvm/guest_walk.h"

#include <string.h>
#include "lib/errno.h"
#include "unit.h"

/* A guest's memory: 32 pages, at 0, so that random entries hit them. */
#define PAGES 32
static u8 memory[PAGES * 4096], model_memory[PAGES * 4096];
static u64 seed;
static unsigned int failing_cmpxchgs, reads;

static int mem_read(void *ctx, u64 gpa, unsigned int size, u64 *entry)
{
	assert_int_equal(gpa % size, 0);
	assert_true(size == 4 || size == 8);
	reads++;
	*entry = 0;
	if (gpa >= sizeof(memory))
		return -EFAULT;
	memcpy(entry, memory + gpa, size);
	return 0;
}

static int mem_cmpxchg(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new)
{
	u64 now = 0;

	assert_true(gpa < sizeof(memory) && gpa % size == 0);
	if (failing_cmpxchgs) {
		/* Another vCPU set the accessed bit of an entry meanwhile: it changes nothing. */
		failing_cmpxchgs--;
		return -EAGAIN;
	}
	memcpy(&now, memory + gpa, size);
	/* The same entry may be one of two levels of the walk. */
	if (now != old)
		return -EAGAIN;
	memcpy(memory + gpa, &new, size);
	return 0;
}

static const struct guest_walk_memory callbacks = { mem_read, mem_cmpxchg };

/* --- the second model --- */

struct model {
	int err;
	bool fault;
	u32 code;
	u64 gpa;
};

static u64 get(u64 gpa, unsigned int size, bool *ok)
{
	u64 v = 0;

	*ok = gpa + size <= sizeof(model_memory);
	if (*ok)
		memcpy(&v, model_memory + gpa, size);
	return v;
}

static u64 field(u64 v, int high, int low)
{
	return high < low ? 0 : (v >> low) & ((1ULL << (high - low) << 1) - 1);
}

static struct model fault(const struct guest_paging *p, u32 access, u32 why)
{
	struct model m = { -EFAULT, true, why, 0 };

	if (access & WALK_WRITE)
		m.code |= 2;
	if (access & WALK_USER)
		m.code |= 4;
	if ((access & WALK_FETCH) &&
	    (field(p->cr4, 20, 20) || (field(p->cr4, 5, 5) && field(p->efer, 11, 11))))
		m.code |= 16;
	return m;
}

/* One mode after the other, each spelt out. */
static struct model slow(const struct guest_paging *p, u64 la, u32 access)
{
	bool pg = field(p->cr0, 31, 31), pae = field(p->cr4, 5, 5), lma = field(p->efer, 10, 10),
	     pse = field(p->cr4, 4, 4), nxe = field(p->efer, 11, 11), ok, user = true, write = true,
	     nx = false;
	u64 at[4], e, base, size = 0, frame = 0;
	unsigned int n = 0, bytes = 8, flagged = 0;
	int width = (int)p->paddr_bits;
	struct model no_memory = { -EFAULT, false, 0, 0 }, m;

	if (!pg)
		return (struct model){ 0, false, 0, field(la, 31, 0) };
	if (lma) {
		if (field(la, 63, 47) != 0 && field(la, 63, 47) != 0x1ffff)
			return no_memory;
		base = field(p->cr3, 51, 12) << 12;
		for (int low = 39; low >= 12; low -= 9) {
			at[n] = base + 8 * field(la, low + 8, low);
			e = get(at[n++], 8, &ok);
			if (!ok)
				return no_memory;
			if (!field(e, 0, 0))
				return fault(p, access, 0);
			if (field(e, 51, width) || (!nxe && field(e, 63, 63)))
				return fault(p, access, 9);
			if (low == 39 && field(e, 7, 7))
				return fault(p, access, 9);
			if (low == 30 && field(e, 7, 7) && !p->has_1gib)
				return fault(p, access, 9);
			write = write && field(e, 1, 1);
			user = user && field(e, 2, 2);
			nx = nx || field(e, 63, 63);
			base = field(e, 51, 12) << 12;
			if (low > 12 && field(e, 7, 7)) {
				if (field(e, low - 1, 13))
					return fault(p, access, 9);
				size = 1ULL << low;
				break;
			}
			size = 4096;
		}
		frame = base & ~(size - 1);
	} else if (pae) {
		at[0] = (field(p->cr3, 31, 5) << 5) + 8 * field(la, 31, 30);
		e = get(at[0], 8, &ok);
		if (!ok)
			return no_memory;
		if (!field(e, 0, 0))
			return fault(p, access, 0);
		if (field(e, 2, 1) || field(e, 8, 5) || field(e, 63, width))
			return fault(p, access, 9);
		flagged = 1; /* this one has no accessed bit */
		at[1] = (field(e, 51, 12) << 12) + 8 * field(la, 29, 21);
		n = 2;
		e = get(at[1], 8, &ok);
		if (!ok)
			return no_memory;
		if (!field(e, 0, 0))
			return fault(p, access, 0);
		if (field(e, 62, width) || (!nxe && field(e, 63, 63)))
			return fault(p, access, 9);
		write = field(e, 1, 1);
		user = field(e, 2, 2);
		nx = field(e, 63, 63);
		if (field(e, 7, 7)) {
			if (field(e, 20, 13))
				return fault(p, access, 9);
			size = 2 << 20;
			frame = field(e, 51, 21) << 21;
		} else {
			at[2] = (field(e, 51, 12) << 12) + 8 * field(la, 20, 12);
			n = 3;
			e = get(at[2], 8, &ok);
			if (!ok)
				return no_memory;
			if (!field(e, 0, 0))
				return fault(p, access, 0);
			if (field(e, 62, width) || (!nxe && field(e, 63, 63)))
				return fault(p, access, 9);
			write = write && field(e, 1, 1);
			user = user && field(e, 2, 2);
			nx = nx || field(e, 63, 63);
			size = 4096;
			frame = field(e, 51, 12) << 12;
		}
	} else {
		bytes = 4;
		at[0] = (field(p->cr3, 31, 12) << 12) + 4 * field(la, 31, 22);
		n = 1;
		e = get(at[0], 4, &ok);
		if (!ok)
			return no_memory;
		if (!field(e, 0, 0))
			return fault(p, access, 0);
		write = field(e, 1, 1);
		user = field(e, 2, 2);
		if (pse && field(e, 7, 7)) {
			int top = width < 40 ? width : 40;

			if (field(e, 21, top - 19))
				return fault(p, access, 9);
			size = 4 << 20;
			frame = field(e, 31, 22) << 22 | field(e, 20, 13) << 32;
		} else {
			at[1] = (field(e, 31, 12) << 12) + 4 * field(la, 21, 12);
			n = 2;
			e = get(at[1], 4, &ok);
			if (!ok)
				return no_memory;
			if (!field(e, 0, 0))
				return fault(p, access, 0);
			write = write && field(e, 1, 1);
			user = user && field(e, 2, 2);
			size = 4096;
			frame = field(e, 31, 12) << 12;
		}
	}
	/* Rights: SDM 3A 4.6.1. */
	if (access & WALK_USER)
		ok = user && (!(access & WALK_WRITE) || write) && (!(access & WALK_FETCH) || !nx);
	else if (access & WALK_FETCH)
		ok = !nx && !(user && field(p->cr4, 20, 20)) &&
		     (!(access & WALK_WRITE) || write || !field(p->cr0, 16, 16));
	else
		ok = (!(access & WALK_WRITE) || write || !field(p->cr0, 16, 16)) &&
		     !(user && field(p->cr4, 21, 21) && !field(p->rflags, 18, 18));
	if (!ok)
		return fault(p, access, 1);
	for (unsigned int i = flagged; i < n; i++)
		model_memory[at[i]] |=
			(u8)(0x20 | (i == n - 1 && (access & WALK_WRITE) ? 0x40 : 0));
	m = (struct model){ 0, false, 0, frame | (la & (size - 1)) };
	(void)bytes;
	return m;
}

/* --- random tables --- */

static u64 random_entry(void)
{
	u64 r = unit_random(&seed), e = (unit_random(&seed) % PAGES) << 12;

	e |= r & 0xe67; /* P, RW, US, A, D, available bits */
	if (r % 16)
		e |= 1;
	if (r >> 20 & 1)
		e |= 6; /* most entries allow most */
	if ((r >> 24) % 4 == 0)
		e |= BIT(7);
	if ((r >> 28) % 8 == 0)
		e |= BIT(63);
	if ((r >> 32) % 16 == 0)
		e |= BIT(unit_random(&seed) % 64);
	if ((r >> 40) % 4 == 0) /* a good large page */
		e = (e & 0x8000000000000e67) | BIT(7) | (r >> 44) % 4 << 30;
	return e;
}

static void random_memory(void)
{
	for (unsigned int i = 0; i < sizeof(memory); i += 8) {
		u64 e = random_entry();

		memcpy(memory + i, &e, 8);
		if (unit_random(&seed) % 2) { /* for 32-bit tables */
			u32 w = (u32)random_entry();

			memcpy(memory + i + 4, &w, 4);
		}
	}
}

static u64 flag(unsigned int bit)
{
	return unit_random(&seed) % 2 ? BIT(bit) : 0;
}

static void test_random(void **state)
{
	unsigned long good = 0, faults[32] = { 0 }, sizes[4] = { 0 };

	seed = UNIT_SEED;
	for (unsigned int round = 0; round < 40; round++) {
		random_memory();
		for (unsigned int i = 0; i < 10000; i++) {
			struct guest_paging p = {
				.cr0 = BIT(31) | BIT(0) | flag(16),
				.cr3 = (unit_random(&seed) % PAGES) << 12 |
				       (unit_random(&seed) & 0xfff),
				.cr4 = flag(4) | flag(5) | flag(20) | flag(21),
				.efer = flag(11),
				.rflags = flag(18),
				.paddr_bits = 36 + (unsigned int)(unit_random(&seed) % 17),
				.has_1gib = unit_random(&seed) % 2,
			};
			u64 la = unit_random(&seed);
			u32 access = (u32)unit_random(&seed) & (WALK_WRITE | WALK_USER);
			struct guest_walk w;
			struct model m;
			int err;

			if (unit_random(&seed) % 4 == 0)
				access = (access & WALK_USER) | WALK_FETCH;
			if (unit_random(&seed) % 2) {
				p.efer |= BIT(10);
				p.cr4 |= BIT(5);
				if (unit_random(&seed) % 16)
					la = (u64)((s64)(la << 16) >> 16);
			} else {
				la = (u32)la;
			}
			if (unit_random(&seed) % 64 == 0)
				p.cr0 &= ~BIT(31);
			failing_cmpxchgs = unit_random(&seed) % 8 ? 0 : 3;
			reads = 0;
			memcpy(model_memory, memory, sizeof(memory));
			err = guest_walk(&p, la, access, &callbacks, NULL, &w);
			m = slow(&p, la, access);
			assert_int_equal(err, m.err);
			assert_true(reads <= 4 * 8);
			if (!err) {
				assert_true(w.gpa == m.gpa);
				good++;
				sizes[w.page_size == 4096  ? 0 :
				      w.page_size < MiB(4) ? 1 :
				      w.page_size < GiB(1) ? 2 :
							     3]++;
			} else {
				assert_int_equal(w.fault, m.fault);
				if (w.fault) {
					assert_int_equal(w.error_code, m.code);
					faults[w.error_code]++;
				}
			}
			assert_memory_equal(memory, model_memory, sizeof(memory));
		}
	}
	/* All kinds of results came up. */
	assert_true(good > 10000);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_true(sizes[i] > 100);
	for (unsigned int why = 0; why < 16; why++)
		if ((why & 9) != 8)
			assert_true(faults[why] > 100);
	assert_true(faults[0x10] > 100 && faults[0x11] > 100 && faults[0x15] > 100);
}

/* Tables that change all the time end the walk; read-only ones, too. */
static void test_busy(void **state)
{
	struct guest_paging p = { .cr0 = BIT(31), .cr3 = 0, .paddr_bits = 40 };
	struct guest_walk w;
	u32 entry = 1;

	memset(memory, 0, sizeof(memory));
	memcpy(memory, &entry, 4); /* points to itself */
	failing_cmpxchgs = 1000000;
	assert_int_equal(guest_walk(&p, 0, 0, &callbacks, NULL, &w), -EAGAIN);
	assert_true(failing_cmpxchgs > 1000000 - 100);
	failing_cmpxchgs = 0;
	assert_int_equal(guest_walk(&p, 0, 0, &callbacks, NULL, &w), 0);
	assert_true(w.gpa == 0 && w.page_size == 4096);
	assert_int_equal(memory[0], 0x21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
