/* SPDX-License-Identifier: MIT */
/*
 * A reader of ELF64 executables, and of the segments of ELF32 ones. It trusts nothing: it checks
 * every offset and size against the image before use. System V ABI, "Object Files"; Xen's notes:
 * public/elfnote.h.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include "lib/types.h"

struct elf_image {
	const u8 *data;
	size_t size;
	bool is_64bit;
	u64 entry;
	u64 phoff;
	u16 phentsize, phnum;
};

struct elf_segment {
	u32 type, flags; /* PT_LOAD = 1, PT_NOTE = 4; PF_X 1, PF_W 2, PF_R 4 */
	u64 vaddr, paddr, filesz, memsz;
	const u8 *data; /* filesz bytes inside the image */
};

struct elf_note {
	u32 type;
	const char *name; /* terminated */
	const u8 *desc;
	u32 descsz;
};

/* 0, or -EINVAL/-ENOEXEC with *why set to a sentence for a person. */
int __must_check elf_open(struct elf_image *elf, const void *data, size_t size, const char **why);
int __must_check elf_segment_get(const struct elf_image *elf, unsigned int index,
				 struct elf_segment *seg);
/*
 * Calls fn for each note of every PT_NOTE segment until fn returns non-zero. Returns that value, 0,
 * or -EINVAL for damaged notes.
 */
int __must_check elf_for_each_note(const struct elf_image *elf,
				   int (*fn)(const struct elf_note *note, void *data), void *data);
/* The numeric value of a 4 or 8 byte note descriptor; 0 for any other size. */
u64 elf_note_u64(const struct elf_note *note);

#endif
