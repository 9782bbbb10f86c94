/* SPDX-License-Identifier: MIT */
/*
 * Translates the frame numbers in a vCPU's registers. One function serves both directions: the
 * translation that it is given makes the difference.
 */
#include "worker/stream/vcpu_frames.h"

#include <errno.h>

#define ENTRIES_PER_FRAME 512
#define GDT_FRAMES	  16

int vcpu_frames_translate(vcpu_guest_context_t *c, bool suspended, frames_translate_fn *translate,
			  void *data, const char **what)
{
	uint64_t frame;

	*what = "the descriptor table";
	if (c->gdt_ents > (unsigned long)GDT_FRAMES * ENTRIES_PER_FRAME)
		return -ERANGE;
	for (unsigned long i = 0; i * ENTRIES_PER_FRAME < c->gdt_ents; i++) {
		frame = translate(data, c->gdt_frames[i]);
		if (frame == FRAME_INVALID)
			return -ERANGE;
		c->gdt_frames[i] = frame;
	}
	*what = "the page table";
	frame = translate(data, xen_cr3_to_pfn(c->ctrlreg[3]));
	if (frame == FRAME_INVALID)
		return -ERANGE;
	c->ctrlreg[3] = xen_pfn_to_cr3(frame);
	/*
	 * The page table of user mode, if any. In a stream, the low bit says that there is one; the
	 * hypervisor ignores that bit.
	 */
	*what = "the user's page table";
	if (c->ctrlreg[1] != 0) {
		frame = translate(data, xen_cr3_to_pfn(c->ctrlreg[1]));
		if (frame == FRAME_INVALID)
			return -ERANGE;
		c->ctrlreg[1] = xen_pfn_to_cr3(frame) | 1;
	}
	*what = "start info";
	if (suspended) {
		frame = translate(data, c->user_regs.rdx);
		if (frame == FRAME_INVALID)
			return -ERANGE;
		c->user_regs.rdx = frame;
	}
	return 0;
}
