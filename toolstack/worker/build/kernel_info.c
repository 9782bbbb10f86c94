/* SPDX-License-Identifier: MIT */
/* Describes a kernel from its ELF segments and Xen notes, and checks such a description. */
#include "worker/build/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/elfnote.h>

#include "lib/elf.h"

#define PT_LOAD 1

/*
 * The addresses of the hypervisor's slots in the top-level page table (xen/arch-x86/xen-x86_64.h).
 */
#define HV_VIRT_START 0xffff800000000000ULL
#define HV_VIRT_END   0xffff880000000000ULL
/* The address range that a p2m list may use: one top-level page table entry. */
#define L4_ENTRY_SIZE (1ULL << 39)

struct notes {
	uint64_t virt_base, paddr_offset, entry, hypercall_page, init_p2m;
	bool has_virt_base, has_entry, has_hypercall_page, has_init_p2m, mod_start_pfn, any;
	char guest_os[24], guest_version[24], loader[24];
};

static void note_text(char *to, size_t size, const struct elf_note *note)
{
	size_t n = strnlen((const char *)note->desc, note->descsz);

	n = n < size ? n : size - 1;
	memcpy(to, note->desc, n);
	to[n] = '\0';
	/* People see this text, and logs contain it. */
	for (char *c = to; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static int take_note(const struct elf_note *note, void *data)
{
	struct notes *n = data;

	if (strcmp(note->name, "Xen") != 0)
		return 0;
	n->any = true;
	switch (note->type) {
	case XEN_ELFNOTE_VIRT_BASE:
		n->virt_base = elf_note_u64(note);
		n->has_virt_base = true;
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		n->paddr_offset = elf_note_u64(note);
		break;
	case XEN_ELFNOTE_ENTRY:
		n->entry = elf_note_u64(note);
		n->has_entry = true;
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		n->hypercall_page = elf_note_u64(note);
		n->has_hypercall_page = true;
		break;
	case XEN_ELFNOTE_INIT_P2M:
		n->init_p2m = elf_note_u64(note);
		n->has_init_p2m = true;
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		n->mod_start_pfn = elf_note_u64(note) != 0;
		break;
	case XEN_ELFNOTE_GUEST_OS:
		note_text(n->guest_os, sizeof(n->guest_os), note);
		break;
	case XEN_ELFNOTE_GUEST_VERSION:
		note_text(n->guest_version, sizeof(n->guest_version), note);
		break;
	case XEN_ELFNOTE_LOADER:
		note_text(n->loader, sizeof(n->loader), note);
		break;
	}
	return 0;
}

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

static int take_segments(const struct elf_image *elf, const struct notes *notes,
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
			.virt = notes->virt_base + seg.paddr - notes->paddr_offset,
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

int kernel_info_read(const void *image, size_t size, struct kernel_info *info, const char **why)
{
	struct notes notes = { 0 };
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
	if (elf_for_each_note(&elf, take_note, &notes)) {
		*why = "its ELF notes are damaged";
		return -EINVAL;
	}
	if (!notes.any || !notes.has_virt_base) {
		*why = "it has no Xen notes, so it was built without support for running as a "
		       "paravirtualized guest";
		return -ENOEXEC;
	}
	memcpy(info->magic, KERNEL_INFO_MAGIC, sizeof(info->magic));
	info->image_size = size;
	info->virt_base = notes.virt_base;
	info->entry = notes.has_entry ? notes.entry : elf.entry;
	info->hypercall_page = notes.hypercall_page;
	info->init_p2m = notes.init_p2m;
	info->flags = (notes.has_init_p2m ? KERNEL_HAS_INIT_P2M : 0) |
		      (notes.mod_start_pfn ? KERNEL_MOD_START_PFN : 0) |
		      (notes.has_hypercall_page ? KERNEL_HYPERCALL_PAGE : 0);
	memcpy(info->guest_os, notes.guest_os, sizeof(info->guest_os));
	memcpy(info->guest_version, notes.guest_version, sizeof(info->guest_version));
	memcpy(info->loader, notes.loader, sizeof(info->loader));
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
	    seg->virt < info->virt_start || seg->virt + seg->memsz > info->virt_end) {
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
