/* SPDX-License-Identifier: MIT */
/*
 * xz data as Linux's build makes them: one block, the x86 filter over LZMA2, a CRC32. liblzma
 * unpacks the LZMA2. The filter is ours and the checksum libgcrypt's: both need a fifth of the
 * instructions that liblzma's need.
 */
#ifndef WORKER_BUILD_UNPACK_XZ_H
#define WORKER_BUILD_UNPACK_XZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/build/unpack.h"

/*
 * Whether the data have exactly that form. False for any other data, xz or not, and for damaged
 * headers.
 */
bool unpack_xz_is_kernel(const uint8_t *data, size_t size);
/* The same as unpack(), for data for which unpack_xz_is_kernel() is true. */
int unpack_xz_kernel(const uint8_t *data, size_t size, unpack_sink_fn *sink, void *context,
		     const char **why);

#endif
