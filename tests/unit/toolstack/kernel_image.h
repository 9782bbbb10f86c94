/* SPDX-License-Identifier: MIT */
/* Makes small kernels for tests: ELF images with Xen notes, and bzImages around compressed ones. */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

struct kernel_spec {
	uint64_t virt_base, virt, entry, hypercall_page,
		init_p2m;	/* the last two: 0 for no such note */
	uint64_t filesz, memsz; /* of the one segment; its bytes count up from 1 */
	int mod_start_pfn, no_notes, is_32bit;
	int symbols; /* wants its symbols: as many as that are at the file's end */
};

/* Like Linux: base 0xffffffff80000000, loaded at 16 MiB. */
#define KERNEL_SPEC_LINUX                                                                    \
	{                                                                                    \
		.virt_base = 0xffffffff80000000ULL, .virt = 0xffffffff81000000ULL,           \
		.entry = 0xffffffff81000100ULL, .init_p2m = 0x8000000000ULL, .filesz = 5000, \
		.memsz = 20000, .mod_start_pfn = 1                                           \
	}

/* Offsets of the segment's program header and of the notes, for tests that damage them. */
#define KERNEL_IMAGE_PHDR   64
#define KERNEL_IMAGE_NOTES  0x100
#define KERNEL_IMAGE_OFFSET 0x1000

void kernel_image_make(struct str *out, const struct kernel_spec *spec);
/* Makes a bzImage with that payload. gzip data contain their length; for other formats the length
 * is appended. */
void kernel_image_wrap(struct str *out, const void *payload, size_t size, size_t unpacked,
		       int is_gzip);

#endif
