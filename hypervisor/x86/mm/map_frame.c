/* SPDX-License-Identifier: MIT */
/*
 * The map_frame window: a cache of mappings. A frame's home slot is its number modulo the number of
 * slots. An unused entry stays until its slot is needed for another frame, so mapping the same page
 * tables again costs nothing. Only the CPU that runs on the window's address space touches the
 * window, and never from an interrupt handler, so it needs no lock.
 *
 * Replacing an entry takes one INVLPG. Other CPUs need none: before they run in this address space,
 * they load CR3, which drops the window's translations (they are not global).
 */
#include "x86/mm/map_frame.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"
#include "x86/mm/paging.h"

#define WINDOW_MASK (PERDOMAIN_WINDOW_PAGES - 1U)
_Static_assert(!(PERDOMAIN_WINDOW_PAGES & WINDOW_MASK), "the home slot is found by masking");
_Static_assert(MAP_FRAME_NESTING < PERDOMAIN_WINDOW_PAGES, "a slot is always free");

DEFINE_PER_CPU(struct map_window *, map_window);

void map_window_init(struct map_window *w, u64 *l1, unsigned long virt)
{
	memset(w, 0, sizeof(*w));
	w->l1 = l1;
	w->virt = virt;
	for (unsigned int i = 0; i < PERDOMAIN_WINDOW_PAGES; i++)
		w->mfn[i] = mfn_x(INVALID_MFN);
}

/*
 * The home slot has another frame: takes the first slot from there on that maps this frame or is
 * unused.
 */
static noinline void *map_frame_slow(struct map_window *w, unsigned long mfn)
{
	unsigned int slot = mfn & WINDOW_MASK, tries = 0;

	while (w->mfn[slot] != mfn && w->users[slot]) {
		BUG_ON(++tries > PERDOMAIN_WINDOW_PAGES);
		slot = (slot + 1) & WINDOW_MASK;
	}
	if (w->mfn[slot] != mfn) {
		bool was_mapped = w->mfn[slot] != mfn_x(INVALID_MFN);

		WRITE_ONCE(w->l1[slot], pte_make(MFN(mfn), PTE_HV_RW));
		if (was_mapped)
			invlpg(w->virt + slot * PAGE_SIZE);
		w->mfn[slot] = mfn;
		w->touched[slot / 64] |= BIT(slot % 64);
	}
	w->users[slot]++;
	return (void *)(w->virt + slot * PAGE_SIZE);
}

void *map_frame(mfn_t mfn)
{
	struct map_window *w = this_cpu(map_window);
	unsigned int slot = mfn_x(mfn) & WINDOW_MASK;

	if (unlikely(w->mfn[slot] != mfn_x(mfn)))
		return map_frame_slow(w, mfn_x(mfn));
	w->users[slot]++;
	return (void *)(w->virt + slot * PAGE_SIZE);
}

void unmap_frame(const void *va)
{
	struct map_window *w = this_cpu(map_window);
	unsigned long slot = ((unsigned long)va - w->virt) >> PAGE_SHIFT;

	ASSERT(slot < PERDOMAIN_WINDOW_PAGES && w->users[slot]);
	w->users[slot]--;
}

mfn_t map_frame_mfn(const void *va)
{
	const struct map_window *w = this_cpu(map_window);

	return MFN(w->mfn[((unsigned long)va - w->virt) >> PAGE_SHIFT]);
}

void map_window_reset(struct vcpu *v)
{
	struct map_window *w = &v->arch->window;

	for (unsigned int word = 0; word < ARRAY_SIZE(w->touched); word++) {
		for (u64 bits = w->touched[word]; bits; bits &= bits - 1) {
			unsigned int slot = word * 64 + (unsigned int)__builtin_ctzl(bits);

			ASSERT(!w->users[slot]);
			w->l1[slot] = 0;
			w->mfn[slot] = mfn_x(INVALID_MFN);
		}
		w->touched[word] = 0;
	}
	/*
	 * The load of CR3 that starts v drops the window's translations. If v runs on this CPU now,
	 * drop them here.
	 */
	if (this_cpu(map_window) == w)
		write_cr3(read_cr3());
}

void frame_clear(mfn_t mfn)
{
	void *p = map_frame(mfn), *at = p;
	unsigned long n = PAGE_SIZE / 8;

	__asm__ __volatile__("rep stosq" : "+D"(at), "+c"(n) : "a"(0UL) : "memory");
	unmap_frame(p);
}

void frame_copy(mfn_t dst, mfn_t src)
{
	void *d = map_frame(dst), *s = map_frame(src), *d_at = d, *s_at = s;
	unsigned long n = PAGE_SIZE / 8;

	__asm__ __volatile__("rep movsq" : "+D"(d_at), "+S"(s_at), "+c"(n) : : "memory");
	unmap_frame(s);
	unmap_frame(d);
}
