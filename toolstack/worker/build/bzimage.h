/* SPDX-License-Identifier: MIT */
/* Finds the compressed kernel in the contents of a kernel's file. */
#ifndef WORKER_BUILD_BZIMAGE_H
#define WORKER_BUILD_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>

struct bzimage {
	const uint8_t *payload; /* inside the data */
	size_t size;
};

/*
 * Accepts a bzImage (Linux: Documentation/arch/x86/boot.rst) or bare compressed data. Returns 0, or
 * -errno with *why set to words that follow "the kernel is not usable: ".
 */
int bzimage_open(struct bzimage *image, const void *data, size_t size, const char **why);

#endif
