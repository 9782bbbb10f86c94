/* SPDX-License-Identifier: MIT */
/*
 * zstd, by libzstd. ZSTD_STATIC_LINKING_ONLY gives access to a decoder in memory of ours; the
 * library is linked statically.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include "lib/decompress_formats.h"
#include "lib/errno.h"
#include <zstd.h>
#include <zstd_errors.h>

int decompress_zstd(struct decompress_job *job)
{
	size_t work_size = ZSTD_estimateDCtxSize(), frame, out;
	void *work = decompress_alloc(job->mem, work_size);
	ZSTD_DCtx *ctx = work ? ZSTD_initStaticDCtx(work, work_size) : NULL;

	if (!ctx)
		return decompress_fail(job, -ENOMEM, "too little memory to decompress zstd data");
	/*
	 * ZSTD_decompressDCtx() would also decode what follows the frame, so find the frame's end
	 * first.
	 */
	frame = ZSTD_findFrameCompressedSize(job->src, job->srclen);
	if (ZSTD_isError(frame))
		return decompress_fail(job, -EINVAL, "the zstd data is damaged or cut off");
	if (frame != job->srclen)
		return decompress_fail(job, -EINVAL,
				       "there is more behind the end of the zstd data");
	out = ZSTD_decompressDCtx(ctx, job->dst, job->dstlen, job->src, frame);
	if (ZSTD_getErrorCode(out) == ZSTD_error_dstSize_tooSmall)
		return decompress_fail(job, -ENOSPC,
				       "the zstd data is larger than its header says");
	if (ZSTD_isError(out))
		return decompress_fail(job, -EINVAL, "the zstd data is damaged");
	job->outlen = out;
	return 0;
}
