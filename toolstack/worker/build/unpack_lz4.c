/* SPDX-License-Identifier: MIT */
/* lz4: the legacy format, which Linux's build uses, and the frames that lz4 itself makes. */
#include <errno.h>
#include <stdlib.h>

#include <lz4.h>
#include <lz4frame.h>

#include "worker/build/unpack_formats.h"

/*
 * The most bytes in a block of the legacy format (lz4's description of its frame formats, "Legacy
 * frame").
 */
#define BLOCK_MAX    (8U << 20)
#define LEGACY_MAGIC 0x184c2102U
#define DAMAGED	     "its lz4 data are damaged"

int unpack_lz4_legacy(const uint8_t *data, size_t size, struct unpack_out *out)
{
	uint8_t *block = malloc(BLOCK_MAX);
	size_t at = 4;
	int err = 0;

	if (!block)
		return unpack_fail(out, ENOMEM, UNPACK_NO_MEMORY);
	while (err == 0 && size - at >= 4) {
		uint32_t packed = unpack_le32(data + at);
		int got;

		at += 4;
		if (packed == LEGACY_MAGIC)
			continue;
		got = packed <= size - at && packed <= LZ4_COMPRESSBOUND(BLOCK_MAX) ?
			      LZ4_decompress_safe((const char *)data + at, (char *)block,
						  (int)packed, BLOCK_MAX) :
			      -1;
		if (got < 0) {
			err = unpack_fail(out, EINVAL, DAMAGED);
			break;
		}
		at += packed;
		err = unpack_emit(out, block, (size_t)got);
	}
	free(block);
	return err;
}

int unpack_lz4_frame(const uint8_t *data, size_t size, struct unpack_out *out)
{
	LZ4F_dctx *context;
	size_t at = 0, rc = 1;
	int err = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return unpack_fail(out, ENOMEM, UNPACK_NO_MEMORY);
	while (err == 0 && rc != 0) {
		size_t got = UNPACK_CHUNK, used = size - at;

		rc = LZ4F_decompress(context, out->chunk, &got, data + at, &used, NULL);
		at += used;
		if (LZ4F_isError(rc) || (rc != 0 && used == 0 && got == 0))
			err = unpack_fail(out, EINVAL, DAMAGED);
		else
			err = unpack_emit(out, out->chunk, got);
	}
	LZ4F_freeDecompressionContext(context);
	return err;
}
