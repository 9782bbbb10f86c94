/* SPDX-License-Identifier: MIT */
/* xz, by liblzma. */
#include "lib/decompress_formats.h"
#include "lib/errno.h"
#include <lzma.h>

static void *xz_alloc(void *opaque, size_t nmemb, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(nmemb, size, &bytes) ? NULL : decompress_alloc(opaque, bytes);
}

static void xz_free(void *opaque, void *ptr)
{
	(void)opaque;
	(void)ptr;
}

int decompress_xz(struct decompress_job *job)
{
	const lzma_allocator allocator = { .alloc = xz_alloc, .free = xz_free, .opaque = job->mem };
	uint64_t limit = UINT64_MAX; /* the allocator is the limit */
	size_t in = 0, out = 0;

	switch (lzma_stream_buffer_decode(&limit, 0, &allocator, job->src, &in, job->srclen,
					  job->dst, &out, job->dstlen)) {
	case LZMA_OK:
		break;
	case LZMA_MEM_ERROR:
		return decompress_fail(job, -ENOMEM,
				       "too little memory for the dictionary of the xz data");
	case LZMA_OPTIONS_ERROR:
	case LZMA_UNSUPPORTED_CHECK:
		return decompress_fail(job, -EOPNOTSUPP,
				       "the xz data uses an option that is not supported");
	case LZMA_BUF_ERROR:
		/* Input or output ran out. The input did if there is room for output. */
		if (out < job->dstlen)
			return decompress_fail(job, -EINVAL, "the xz data is cut off");
		return decompress_fail(job, -ENOSPC, "the xz data is larger than its header says");
	default:
		return decompress_fail(job, -EINVAL, "the xz data is damaged");
	}
	if (in != job->srclen)
		return decompress_fail(job, -EINVAL, "there is more behind the end of the xz data");
	job->outlen = out;
	return 0;
}

/*
 * Decoding the block header allocates the options of its filters: at most four filters, a few words
 * each.
 */
size_t decompress_xz_mem_needed(const u8 *src, size_t srclen)
{
	u8 small[1024] __aligned(16);
	struct decompress_mem mem = { .base = small, .size = sizeof(small) };
	const lzma_allocator allocator = { .alloc = xz_alloc, .free = xz_free, .opaque = &mem };
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	lzma_stream_flags flags;
	lzma_block block = { .version = 0, .filters = filters };
	uint64_t usage;

	if (srclen < LZMA_STREAM_HEADER_SIZE + LZMA_BLOCK_HEADER_SIZE_MIN ||
	    lzma_stream_header_decode(&flags, src) != LZMA_OK)
		return 0;
	block.check = flags.check;
	src += LZMA_STREAM_HEADER_SIZE;
	srclen -= LZMA_STREAM_HEADER_SIZE;
	/* The index comes at once: an empty file. */
	if (!src[0])
		return DECOMPRESS_MEM_MIN;
	block.header_size = lzma_block_header_size_decode(src[0]);
	if (block.header_size > srclen ||
	    lzma_block_header_decode(&block, &allocator, src) != LZMA_OK)
		return 0;
	usage = lzma_raw_decoder_memusage(filters);
	if (usage == UINT64_MAX)
		return 0;
	return usage + DECOMPRESS_MEM_MIN;
}
