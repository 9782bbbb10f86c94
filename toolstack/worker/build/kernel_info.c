/* SPDX-License-Identifier: MIT */
/* Describes a kernel from its ELF segments and Xen notes, and checks such a description. */
#include "worker/build/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/elf.h"
#include "lib/pv_notes.h"

#define PT_LOAD 1

/*
 * The addresses of the hypervisor's slots in the top-level page table (xen/arch-x86/xen-x86_64.h).
 */
#define HV_VIRT_START 0xffff800000000000ULL
#define HV_VIRT_END   0xffff880000000000ULL
/* The address range that a p2m list may use: one top-level page table entry. */
#define L4_ENTRY_SIZE (1ULL << 39)

/* The size without the zeros at the end. */
static uint64_t without_zero_tail(const uint8_t *data, uint64_t size)
{
	static const uint8_t zeros[4096];

	while (size >= sizeof(zeros) &&
	       memcmp(data + size - sizeof(zeros), zeros, sizeof(zeros)) == 0)
		size -= sizeof(zeros);
	while (size > 0 && data[size - 1] == 0)
		size--;
	return size;
}

static int take_segments(const struct elf_image *elf, const struct pv_notes *notes,
			 struct kernel_info *info, const char **why)
{
	struct elf_segment seg;

	info->virt_start = ~0ULL;
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct kernel_segment *out = &info->segments[info->nr_segments];

		if (elf_segment_get(elf, i, &seg)) {
			*why = "an ELF segment is damaged";
			return -EINVAL;
		}
		if (seg.type != PT_LOAD || seg.memsz == 0)
			continue;
		if (info->nr_segments == KERNEL_SEGMENTS_MAX) {
			*why = "it has too many ELF segments";
			return -E2BIG;
		}
		*out = (struct kernel_segment){
			.offset = (uint64_t)(seg.data - elf->data),
			.filesz = without_zero_tail(seg.data, seg.filesz),
			.virt = pv_notes_virt(notes, seg.paddr),
			.memsz = seg.memsz,
		};
		info->nr_segments++;
		/* kernel_info_check() refuses sums that wrap around. */
		if (info->virt_start > (out->virt & ~(KERNEL_PAGE - 1)))
			info->virt_start = out->virt & ~(KERNEL_PAGE - 1);
		if (info->virt_end <
		    ((out->virt + out->memsz + KERNEL_PAGE - 1) & ~(KERNEL_PAGE - 1)))
			info->virt_end =
				(out->virt + out->memsz + KERNEL_PAGE - 1) & ~(KERNEL_PAGE - 1);
	}
	return 0;
}

/* Fills in what the notes say. */
static void take_notes(const struct pv_notes *notes, struct kernel_info *info)
{
	static const struct {
		uint32_t note, flag;
	} flags[] = {
		{ PV_NOTES_INIT_P2M, KERNEL_HAS_INIT_P2M },
		{ PV_NOTES_MOD_START_PFN, KERNEL_MOD_START_PFN },
		{ PV_NOTES_HYPERCALL_PAGE, KERNEL_HYPERCALL_PAGE },
		{ PV_NOTES_BSD_SYMTAB, KERNEL_BSD_SYMTAB },
		{ PV_NOTES_SUSPEND_CANCEL, KERNEL_SUSPEND_CANCEL },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		info->flags |= notes->flags & flags[i].note ? flags[i].flag : 0;
	info->virt_base = notes->virt_base;
	info->entry = notes->entry;
	info->hypercall_page = notes->hypercall_page;
	info->init_p2m = notes->init_p2m;
	memcpy(info->guest_os, notes->guest_os, sizeof(info->guest_os));
	memcpy(info->guest_version, notes->guest_version, sizeof(info->guest_version));
	memcpy(info->loader, notes->loader, sizeof(info->loader));
}

_Static_assert(PV_NOTES_TEXT == sizeof(((struct kernel_info *)0)->guest_os), "what fits fits");

int kernel_info_read(const void *image, size_t size, struct kernel_info *info, const char **why)
{
	/* Static, for *why may lie in it. */
	static struct pv_notes notes;
	struct elf_image elf;
	int rc = elf_open(&elf, image, size, why);

	memset(info, 0, sizeof(*info));
	if (rc)
		return rc;
	if (!elf.is_64bit) {
		*why = "it is a 32-bit kernel, and the hypervisor runs 64-bit paravirtualized "
		       "guests only";
		return -ENOEXEC;
	}
	rc = pv_notes_read(&elf, &notes, why);
	if (rc)
		return rc;
	if (notes.flags & PV_NOTES_DOM0_ONLY) {
		*why = "it can be Domain-0's kernel only";
		return -ENOEXEC;
	}
	memcpy(info->magic, KERNEL_INFO_MAGIC, sizeof(info->magic));
	info->image_size = size;
	take_notes(&notes, info);
	rc = take_segments(&elf, &notes, info, why);
	return rc ? rc : kernel_info_check(info, size, why);
}

/*
 * Whether a guest may use [start, start + size): canonical, without wrap, outside the hypervisor's
 * range.
 */
static bool virt_ok(uint64_t start, uint64_t size)
{
	uint64_t last = start + size - 1;

	if (size == 0 || last < start)
		return false;
	if (last < HV_VIRT_START)
		return last < 1ULL << 47;
	return start >= HV_VIRT_END;
}

static bool text_ok(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static int check_segment(const struct kernel_info *info, const struct kernel_segment *seg,
			 const char **why)
{
	if (seg->filesz > seg->memsz || seg->offset > info->image_size ||
	    seg->filesz > info->image_size - seg->offset) {
		*why = "an ELF segment is cut off or has an impossible size";
		return -EINVAL;
	}
	if (seg->memsz == 0 || seg->memsz > KERNEL_SIZE_MAX || !virt_ok(seg->virt, seg->memsz) ||
	    seg->virt < info->virt_start || seg->virt > info->virt_end ||
	    seg->memsz > info->virt_end - seg->virt) {
		*why = "an ELF segment is to lie where no guest may have it";
		return -EINVAL;
	}
	return 0;
}

int kernel_info_check(const struct kernel_info *info, uint64_t image_size, const char **why)
{
	uint64_t size = info->virt_end - info->virt_start;

	*why = "its description is damaged";
	if (memcmp(info->magic, KERNEL_INFO_MAGIC, sizeof(info->magic)) != 0 ||
	    info->image_size != image_size || info->flags & ~(uint32_t)KERNEL_FLAGS_ALL ||
	    info->nr_segments > KERNEL_SEGMENTS_MAX ||
	    !text_ok(info->guest_os, sizeof(info->guest_os)) ||
	    !text_ok(info->guest_version, sizeof(info->guest_version)) ||
	    !text_ok(info->loader, sizeof(info->loader)))
		return -EINVAL;
	if (info->nr_segments == 0) {
		*why = "it has nothing to load";
		return -EINVAL;
	}
	if ((info->virt_base | info->virt_start | info->virt_end) & (KERNEL_PAGE - 1)) {
		*why = "its addresses are not those of whole pages";
		return -EINVAL;
	}
	if (info->virt_start >= info->virt_end || info->virt_start < info->virt_base ||
	    info->virt_end - info->virt_base > 2 * KERNEL_SIZE_MAX || size > KERNEL_SIZE_MAX ||
	    !virt_ok(info->virt_base, info->virt_end - info->virt_base)) {
		*why = "it is to lie where no guest may have it, or is far too large";
		return -EINVAL;
	}
	for (uint32_t i = 0; i < info->nr_segments; i++) {
		int rc = check_segment(info, &info->segments[i], why);

		if (rc)
			return rc;
	}
	if (info->entry < info->virt_start || info->entry >= info->virt_end) {
		*why = "its entry point lies outside of it";
		return -EINVAL;
	}
	if (info->flags & KERNEL_HYPERCALL_PAGE &&
	    (info->hypercall_page < info->virt_start || info->hypercall_page >= info->virt_end ||
	     info->hypercall_page & (KERNEL_PAGE - 1))) {
		*why = "its hypercall page lies outside of it";
		return -EINVAL;
	}
	/*
	 * The list may use a whole top-level entry; pv_start_plan() checks that nothing else is
	 * there.
	 */
	if (info->flags & KERNEL_HAS_INIT_P2M &&
	    (info->init_p2m & (L4_ENTRY_SIZE - 1) || !virt_ok(info->init_p2m, L4_ENTRY_SIZE))) {
		*why = "it wants the list of its frames where no guest may have it";
		return -EINVAL;
	}
	*why = NULL;
	return 0;
}
