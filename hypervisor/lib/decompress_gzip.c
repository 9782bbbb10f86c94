/* SPDX-License-Identifier: MIT */
/* gzip, by zlib. */
#include "lib/decompress_formats.h"
#include "lib/errno.h"
#include <zlib.h>

enum {
	GZIP_WINDOW_BITS = MAX_WBITS + 16
}; /* + 16: zlib expects a gzip header and trailer (zlib.h, inflateInit2) */

static voidpf gzip_alloc(voidpf opaque, uInt items, uInt size)
{
	return decompress_alloc(opaque, (size_t)items * size);
}

static void gzip_free(voidpf opaque, voidpf address)
{
	(void)opaque;
	(void)address;
}

int decompress_gzip(struct decompress_job *job)
{
	z_stream z = {
		.zalloc = gzip_alloc,
		.zfree = gzip_free,
		.opaque = job->mem,
		.next_in = (z_const Bytef *)job->src,
		.avail_in = (uInt)job->srclen,
		.next_out = job->dst,
		.avail_out = (uInt)job->dstlen,
	};
	int ret = inflateInit2(&z, GZIP_WINDOW_BITS);

	if (ret == Z_OK)
		ret = inflate(&z, Z_FINISH);
	if (ret == Z_MEM_ERROR)
		return decompress_fail(job, -ENOMEM, "too little memory to decompress gzip data");
	if (ret == Z_BUF_ERROR && z.avail_in == 0)
		return decompress_fail(job, -EINVAL, "the gzip data is cut off");
	if (ret == Z_BUF_ERROR)
		return decompress_fail(job, -ENOSPC,
				       "the gzip data is larger than its header says");
	if (ret != Z_STREAM_END)
		return decompress_fail(job, -EINVAL, "the gzip data is damaged");
	if (z.avail_in)
		return decompress_fail(job, -EINVAL,
				       "there is more behind the end of the gzip data");
	job->outlen = job->dstlen - z.avail_out;
	return 0;
}
