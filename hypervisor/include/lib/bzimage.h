/* SPDX-License-Identifier: MIT */
/* Finds the compressed kernel in a bzImage. Linux: Documentation/arch/x86/boot.rst. */
#ifndef LIB_BZIMAGE_H
#define LIB_BZIMAGE_H

#include "lib/types.h"

struct bzimage_payload {
	const u8 *data; /* inside the image */
	/* Bytes of the compressed stream, without the length that Linux's build appends to it. */
	size_t size;
	/* The unpacked size that the image claims: a hint, to be checked for plausibility. */
	size_t unpacked;
};

/*
 * 0; -ENOEXEC: not a bzImage; -EINVAL: damaged or too old (protocol < 2.08, Linux 2.6.26). On an
 * error *why is a sentence for a person.
 */
int __must_check bzimage_find_payload(const void *image, size_t size, struct bzimage_payload *out,
				      const char **why);

#endif
