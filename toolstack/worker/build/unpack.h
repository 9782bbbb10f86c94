/* SPDX-License-Identifier: MIT */
/* Unpacks what a kernel is compressed with: gzip, xz, zstd, lz4 (as Linux's build makes them). */
#ifndef WORKER_BUILD_UNPACK_H
#define WORKER_BUILD_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* Takes the next piece; non-zero ends the unpacking with that result. */
typedef int unpack_sink_fn(void *context, const void *data, size_t size);

/*
 * 0, or -errno with *why (words that follow "it is not usable: "). -ENOTSUP: a format that is not
 * offered; -EFBIG: more than `limit` bytes come out; -EINVAL: damaged. Uses at most 128 MiB of
 * memory beside the data.
 */
int unpack(const void *data, size_t size, uint64_t limit, unpack_sink_fn *sink, void *context,
	   const char **why);

#endif
