/* SPDX-License-Identifier: MIT */
/* What the decompressors of the single formats share. */
#ifndef WORKER_BUILD_UNPACK_FORMATS_H
#define WORKER_BUILD_UNPACK_FORMATS_H

#include <stdint.h>

#include "worker/build/unpack.h"

/* Bytes of output at a time, and of memory that a decompressor may use. */
#define UNPACK_CHUNK  (256U << 10)
#define UNPACK_MEMORY (128U << 20)

struct unpack_out {
	unpack_sink_fn *sink;
	void *context;
	uint64_t left;	/* bytes that the output may still have */
	uint8_t *chunk; /* UNPACK_CHUNK bytes for the decompressor */
	const char **why;
};

/* Unpacks the data, which begin with the format's magic number. Results as of unpack(). */
typedef int unpack_format_fn(const uint8_t *data, size_t size, struct unpack_out *out);

unpack_format_fn unpack_bzip2, unpack_gzip, unpack_lz4_frame, unpack_lz4_legacy, unpack_lzma,
	unpack_lzo, unpack_xz, unpack_zstd;

/* Passes a piece of output on. */
int unpack_emit(struct unpack_out *out, const void *data, size_t size);
/* Sets *out->why and returns -errnum. */
int unpack_fail(const struct unpack_out *out, int errnum, const char *why);

#define UNPACK_NO_MEMORY "there is not enough memory to unpack it"

static inline uint32_t unpack_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#endif
