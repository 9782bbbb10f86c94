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
	uint64_t filesz, memsz; /* of the one segment, whose bytes count from 1 on */
	int mod_start_pfn, no_notes, is_32bit;
};

/* As Linux's: base 0xffffffff80000000, at 16 MiB. */
#define KERNEL_SPEC_LINUX                                                                    \
	{                                                                                    \
		.virt_base = 0xffffffff80000000ULL, .virt = 0xffffffff81000000ULL,           \
		.entry = 0xffffffff81000100ULL, .init_p2m = 0x8000000000ULL, .filesz = 5000, \
		.memsz = 20000, .mod_start_pfn = 1                                           \
	}

/* Where the program header of the segment and the notes lie in the image, for tests that damage it.
 */
#define KERNEL_IMAGE_PHDR   64
#define KERNEL_IMAGE_NOTES  0x100
#define KERNEL_IMAGE_OFFSET 0x1000

void kernel_image_make(struct str *out, const struct kernel_spec *spec);
/* A bzImage with that payload. gzip says itself how long it is; for other formats the length is
 * appended. */
void kernel_image_wrap(struct str *out, const void *payload, size_t size, size_t unpacked,
		       int is_gzip);

#endif
