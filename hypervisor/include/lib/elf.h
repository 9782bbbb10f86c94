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
	/* Of the section headers; shnum is 0 if there are none that can be used. */
	u64 shoff;
	u16 shentsize, shnum, shstrndx;
};

struct elf_segment {
	u32 type, flags; /* PT_LOAD = 1, PT_NOTE = 4; PF_X 1, PF_W 2, PF_R 4 */
	u64 vaddr, paddr, filesz, memsz;
	const u8 *data; /* filesz bytes inside the image */
};

enum { ELF_SHT_SYMTAB = 2, ELF_SHT_STRTAB = 3, ELF_SHT_NOTE = 7, ELF_SHT_NOBITS = 8 };

struct elf_section {
	const char *name; /* terminated; "" if it has none */
	u32 type, link;
	u64 size, align, entsize;
	const u8 *data; /* size bytes inside the image; NULL for ELF_SHT_NOBITS */
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
/*
 * Reads section header `index`. -EINVAL: the header, its name or what it describes is not all
 * inside the image. Loaders need no sections, so elf_open() does not check them.
 */
int __must_check elf_section_get(const struct elf_image *elf, unsigned int index,
				 struct elf_section *sec);
/* As elf_for_each_note(), for the notes in sections: of files that have no segment for them. */
int __must_check elf_for_each_section_note(const struct elf_image *elf,
					   int (*fn)(const struct elf_note *note, void *data),
					   void *data);
/* The numeric value of a 4 or 8 byte note descriptor; 0 for any other size. */
u64 elf_note_u64(const struct elf_note *note);

#endif
