/* SPDX-License-Identifier: MIT */
/*
 * Private to lib/decompress*.c. Each decompress_FORMAT() gets a source that begins with its
 * format's magic number; results and errors are those of decompress().
 */
#ifndef LIB_DECOMPRESS_FORMATS_H
#define LIB_DECOMPRESS_FORMATS_H

#include "lib/decompress.h"

struct decompress_job {
	const u8 *src;
	size_t srclen;
	u8 *dst;
	size_t dstlen, outlen;
	struct decompress_mem *mem;
	const char *why;
};

int decompress_gzip(struct decompress_job *job);
int decompress_xz(struct decompress_job *job);
int decompress_zstd(struct decompress_job *job);
int decompress_lz4(struct decompress_job *job);

/* Bytes of memory that this xz stream needs; 0 if its headers are damaged. */
size_t decompress_xz_mem_needed(const u8 *src, size_t srclen);

/* 16-byte aligned working memory, never freed; NULL when there is not enough. */
void *decompress_alloc(struct decompress_mem *mem, size_t size);

static inline int decompress_fail(struct decompress_job *job, int err, const char *why)
{
	job->why = why;
	return err;
}

/*
 * Does the work of the C library's startup code (lib/libc_shim.c). In a host program there is
 * nothing to do.
 */
void libc_shim_init(void);

#endif
