/* SPDX-License-Identifier: MIT */
/*
 * The decompressors for kernels: bzip2, gzip, lz4, lzma, lzo, xz and zstd as Linux's build makes
 * them, and as the programs of those names do.
 */
#ifndef WORKER_BUILD_UNPACK_H
#define WORKER_BUILD_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the next piece of output. A result other than 0 ends the unpacking with that result. */
typedef int unpack_sink_fn(void *context, const void *data, size_t size);

/* Whether the data begin like those of a format that unpack() knows. */
bool unpack_is_known(const void *data, size_t size);

/*
 * Unpacks data and gives the output to sink. Returns 0, or -errno with *why set to words that
 * follow "it is not usable: ". -ENOTSUP: an unsupported format; -EFBIG: more than `limit` bytes of
 * output; -EINVAL: damaged data. Uses at most 192 MiB of memory in addition to data.
 */
int unpack(const void *data, size_t size, uint64_t limit, unpack_sink_fn *sink, void *context,
	   const char **why);

#endif
