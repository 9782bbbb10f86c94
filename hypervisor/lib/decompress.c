/* SPDX-License-Identifier: MIT */
/*
 * Decompression: finds the format by its magic number and hands the work to the format's library.
 */
#include "lib/decompress.h"
#include "lib/decompress_formats.h"
#include "lib/errno.h"
#include "lib/string.h"

#define DECOMPRESS_MAX GiB(1) /* some of the libraries count in int */

static const struct decompress_format {
	u8 magic[6];
	u8 magic_len;
	int (*decompress)(struct decompress_job *job);
	size_t (*mem_needed)(const u8 *src, size_t srclen); /* NULL: DECOMPRESS_MEM_MIN */
} formats[] = {
	{ { 0x1f, 0x8b, 8 }, 3, decompress_gzip, NULL },
	{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, decompress_xz, decompress_xz_mem_needed },
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, decompress_zstd, NULL },
	{ { 0x02, 0x21, 0x4c, 0x18 }, 4, decompress_lz4, NULL },
};

static const struct decompress_format *find_format(const void *src, size_t srclen)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (srclen >= formats[i].magic_len &&
		    !memcmp(src, formats[i].magic, formats[i].magic_len))
			return &formats[i];
	return NULL;
}

size_t decompress_mem_needed(const void *src, size_t srclen)
{
	const struct decompress_format *f = find_format(src, srclen);

	if (!f)
		return 0;
	return f->mem_needed ? f->mem_needed(src, srclen) : DECOMPRESS_MEM_MIN;
}

void *decompress_alloc(struct decompress_mem *mem, size_t size)
{
	u8 *p;

	if (size > mem->size || ROUND_UP(size, 16UL) > mem->size - mem->used)
		return NULL;
	p = (u8 *)mem->base + mem->used;
	mem->used += ROUND_UP(size, 16UL);
	return p;
}

int decompress(const void *src, size_t srclen, void *dst, size_t dstlen, size_t *outlen,
	       struct decompress_mem *mem, const char **why)
{
	const struct decompress_format *f = find_format(src, srclen);
	struct decompress_job job = {
		.src = src,
		.srclen = srclen,
		.dst = dst,
		.dstlen = dstlen,
		.mem = mem,
		.why = "",
	};
	int err;

	*outlen = 0;
	if (!f) {
		*why = "the compression is none of gzip, xz, zstd and lz4";
		return -EOPNOTSUPP;
	}
	if (srclen > DECOMPRESS_MAX || dstlen > DECOMPRESS_MAX) {
		*why = "the compressed data is larger than 1 GiB";
		return -E2BIG;
	}
	libc_shim_init();
	err = f->decompress(&job);
	*why = job.why;
	if (!err)
		*outlen = job.outlen;
	return err;
}
