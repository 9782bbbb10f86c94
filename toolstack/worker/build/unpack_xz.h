/* SPDX-License-Identifier: MIT */
/*
 * xz data as Linux's build makes them: one block, the x86 filter over LZMA2, a CRC32. liblzma
 * unpacks the LZMA2; filter and checksum are ours and libgcrypt's, which take a fifth of the
 * library's instructions for them.
 */
#ifndef WORKER_BUILD_UNPACK_XZ_H
#define WORKER_BUILD_UNPACK_XZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/build/unpack.h"

/* Whether the data are such. False for all else that is xz or is not, damaged headers included. */
bool unpack_xz_is_kernel(const uint8_t *data, size_t size);
/* As unpack(), for data of which the function above says yes. */
int unpack_xz_kernel(const uint8_t *data, size_t size, unpack_sink_fn *sink, void *context,
		     const char **why);

#endif
