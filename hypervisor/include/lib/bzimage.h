/* SPDX-License-Identifier: MIT */
/* Finds the compressed kernel in a bzImage. Linux: Documentation/arch/x86/boot.rst. */
#ifndef LIB_BZIMAGE_H
#define LIB_BZIMAGE_H

#include "lib/types.h"

struct bzimage_payload {
	const u8 *data;	 /* inside the image */
	size_t size;	 /* bytes of the compressed stream, without the length that Linux's build
			    appends to it */
	size_t unpacked; /* the size that the image says it has unpacked: a hint, check it for
			    plausibility */
};

/* 0; -ENOEXEC: no bzImage; -EINVAL: damaged or too old (protocol < 2.08, Linux 2.6.26), with *why
 * for a person. */
int __must_check bzimage_find_payload(const void *image, size_t size, struct bzimage_payload *out,
				      const char **why);

#endif
