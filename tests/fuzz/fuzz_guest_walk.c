/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a guest's control registers and page tables. A walk must read aligned entries, a
 * bounded number of them, set nothing but accessed and dirty bits, and end at an address that the
 * guest's processor can name.
 */
/* links: hypervisor/x86/hvm/guest_walk.c */
#include "x86/hvm/guest_walk.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static u8 memory[8 * 4096];
static unsigned int reads;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int mem_read(void *ctx __maybe_unused, u64 gpa, unsigned int size, u64 *entry)
{
	check((size == 4 || size == 8) && gpa % size == 0 && gpa < BIT(52));
	check(++reads <= 4 * 16);
	*entry = 0;
	/* The few pages repeat through the whole address space, but for one. */
	if ((gpa >> 12) % 16 == 15)
		return -EFAULT;
	memcpy(entry, memory + gpa % sizeof(memory), size);
	return 0;
}

static int mem_cmpxchg(void *ctx __maybe_unused, u64 gpa, unsigned int size, u64 old, u64 new)
{
	u64 now = 0;

	check(gpa % size == 0 && new != old && (new & ~old & ~0x60UL) == 0 && (old & ~new) == 0);
	memcpy(&now, memory + gpa % sizeof(memory), size);
	if (now != old)
		return -EAGAIN;
	memcpy(memory + gpa % sizeof(memory), &new, size);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct guest_walk_memory callbacks = { mem_read, mem_cmpxchg };
	struct guest_paging p;
	struct guest_walk w;
	u64 words[7];
	u32 access;
	int err;

	if (size < sizeof(words))
		return 0;
	memcpy(words, data, sizeof(words));
	p = (struct guest_paging){ words[0],	      words[1], words[2],
				   words[3],	      words[4], 32 + (unsigned int)(words[5] % 21),
				   words[5] >> 32 & 1 };
	access = (u32)(words[5] >> 40) & (WALK_WRITE | WALK_USER | WALK_FETCH);
	memset(memory, 0, sizeof(memory));
	for (size_t at = 0; size > sizeof(words) && at < sizeof(memory); at++)
		memory[at] = data[sizeof(words) + at % (size - sizeof(words))];
	reads = 0;
	if (!(p.efer & BIT(10)))
		words[6] = (u32)words[6];
	err = guest_walk(&p, words[6], access, &callbacks, NULL, &w);
	check(!err || err == -EFAULT || err == -EAGAIN);
	if (!err)
		check(w.gpa < BIT(p.paddr_bits) || !(p.cr0 & BIT(31)));
	else if (w.fault)
		check(err == -EFAULT && !(w.error_code & ~0x1fU) &&
		      (!(w.error_code & WALK_RESERVED) || (w.error_code & WALK_PRESENT)));
	return 0;
}
