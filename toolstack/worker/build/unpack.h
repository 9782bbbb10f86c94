/* SPDX-License-Identifier: MIT */
/* The decompressors for kernels: gzip, xz, zstd and lz4 as Linux's build makes them. */
#ifndef WORKER_BUILD_UNPACK_H
#define WORKER_BUILD_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* Takes the next piece of output. A result other than 0 ends the unpacking with that result. */
typedef int unpack_sink_fn(void *context, const void *data, size_t size);

/*
 * Unpacks data and gives the output to sink. Returns 0, or -errno with *why set to words that
 * follow "it is not usable: ". -ENOTSUP: an unsupported format; -EFBIG: more than `limit` bytes of
 * output; -EINVAL: damaged data. Uses at most 128 MiB of memory in addition to data.
 */
int unpack(const void *data, size_t size, uint64_t limit, unpack_sink_fn *sink, void *context,
	   const char **why);

#endif
