/* SPDX-License-Identifier: MIT */
/*
 * lz4's legacy frame, the one that Linux's build makes: the magic number, then blocks of a 32-bit
 * length and that many bytes, each at most 8 MiB when unpacked (lz4's doc/lz4_Frame_format.md,
 * "Legacy frame"). There is no checksum.
 */
#include "lib/decompress_formats.h"
#include "lib/errno.h"
#include "lib/string.h"
#include <lz4.h>

enum {
	LZ4_LEGACY_MAGIC = 0x184c2102,
	LZ4_LEGACY_BLOCK = 8 << 20,
};

int decompress_lz4(struct decompress_job *job)
{
	size_t in = 4, out = 0;

	while (in < job->srclen) {
		u32 size;
		int made;

		if (job->srclen - in < sizeof(size))
			return decompress_fail(job, -EINVAL, "the lz4 data is cut off");
		memcpy(&size, job->src + in, sizeof(size));
		in += sizeof(size);
		if (size == LZ4_LEGACY_MAGIC) /* another frame of the same data */
			continue;
		if (!size || size > LZ4_COMPRESSBOUND(LZ4_LEGACY_BLOCK))
			return decompress_fail(job, -EINVAL, "the lz4 data is damaged");
		if (size > job->srclen - in)
			return decompress_fail(job, -EINVAL, "the lz4 data is cut off");
		made = LZ4_decompress_safe((const char *)job->src + in, (char *)job->dst + out,
					   (int)size,
					   (int)min(job->dstlen - out, (size_t)LZ4_LEGACY_BLOCK));
		if (made < 0)
			return decompress_fail(
				job, -EINVAL,
				"the lz4 data is damaged or larger than its header says");
		in += size;
		out += (size_t)made;
	}
	if (!out)
		return decompress_fail(job, -EINVAL, "the lz4 data is cut off");
	job->outlen = out;
	return 0;
}
