/* SPDX-License-Identifier: MIT */
/*
 * Decompresses kernels: one function for each format, all with the same bounds on memory and
 * output.
 */
#include "worker/build/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "worker/build/unpack_xz.h"

#define CHUNK	   (256U << 10)
#define MEMORY_MAX (128U << 20)
/*
 * The most bytes in a block of lz4's legacy format (lz4's description of its frame formats, "Legacy
 * frame").
 */
#define LZ4_BLOCK_MAX	 (8U << 20)
#define LZ4_LEGACY_MAGIC 0x184c2102U

struct out {
	unpack_sink_fn *sink;
	void *context;
	uint64_t left;
	const char **why;
};

static int fail(const char **why, int errnum, const char *text)
{
	*why = text;
	return -errnum;
}

static int emit(struct out *out, const void *data, size_t size)
{
	if (size > out->left)
		return fail(out->why, EFBIG, "unpacked it is larger than any kernel");
	out->left -= size;
	return size > 0 ? out->sink(out->context, data, size) : 0;
}

static int unpack_gzip(const uint8_t *data, size_t size, struct out *out, uint8_t *chunk)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)size };
	int rc, err = 0;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return fail(out->why, ENOMEM, "there is not enough memory to unpack it");
	do {
		z.next_out = chunk;
		z.avail_out = CHUNK;
		rc = inflate(&z, Z_NO_FLUSH);
		if (rc == Z_OK || rc == Z_STREAM_END)
			err = emit(out, chunk, CHUNK - z.avail_out);
	} while (rc == Z_OK && err == 0);
	inflateEnd(&z);
	if (err == 0 && rc != Z_STREAM_END)
		err = fail(out->why, EINVAL, "its gzip data are damaged");
	return err;
}

static int emit_piece(void *context, const void *data, size_t size)
{
	return emit(context, data, size);
}

static int unpack_xz(const uint8_t *data, size_t size, struct out *out, uint8_t *chunk)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	lzma_ret rc = lzma_stream_decoder(&xz, MEMORY_MAX, 0);
	int err = 0;

	if (unpack_xz_is_kernel(data, size)) {
		lzma_end(&xz);
		return unpack_xz_kernel(data, size, emit_piece, out, out->why);
	}
	xz.next_in = data;
	xz.avail_in = size;
	while (rc == LZMA_OK && err == 0) {
		xz.next_out = chunk;
		xz.avail_out = CHUNK;
		rc = lzma_code(&xz, LZMA_FINISH);
		if (rc == LZMA_OK || rc == LZMA_STREAM_END)
			err = emit(out, chunk, CHUNK - xz.avail_out);
	}
	lzma_end(&xz);
	if (err == 0 && rc == LZMA_MEMLIMIT_ERROR)
		err = fail(out->why, ENOMEM, "its xz data need more memory than a kernel may");
	else if (err == 0 && rc != LZMA_STREAM_END)
		err = fail(out->why, EINVAL, "its xz data are damaged");
	return err;
}

static int unpack_zstd(const uint8_t *data, size_t size, struct out *out, uint8_t *chunk)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { data, size, 0 };
	size_t rc = 1;
	int err = 0;

	if (!z)
		return fail(out->why, ENOMEM, "there is not enough memory to unpack it");
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 27);
	while (err == 0 && rc != 0) {
		ZSTD_outBuffer o = { chunk, CHUNK, 0 };
		size_t before = in.pos;

		rc = ZSTD_decompressStream(z, &o, &in);
		if (ZSTD_isError(rc) || (in.pos == before && o.pos == 0))
			err = fail(out->why, EINVAL, "its zstd data are damaged");
		else
			err = emit(out, chunk, o.pos);
	}
	ZSTD_freeDStream(z);
	return err;
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int unpack_lz4(const uint8_t *data, size_t size, struct out *out)
{
	uint8_t *block = malloc(LZ4_BLOCK_MAX);
	size_t at = 4;
	int err = 0;

	if (!block)
		return fail(out->why, ENOMEM, "there is not enough memory to unpack it");
	while (err == 0 && size - at >= 4) {
		uint32_t packed = le32(data + at);
		int got;

		at += 4;
		if (packed == LZ4_LEGACY_MAGIC)
			continue;
		got = packed <= size - at && packed <= LZ4_COMPRESSBOUND(LZ4_BLOCK_MAX) ?
			      LZ4_decompress_safe((const char *)data + at, (char *)block,
						  (int)packed, LZ4_BLOCK_MAX) :
			      -1;
		if (got < 0) {
			err = fail(out->why, EINVAL, "its lz4 data are damaged");
			break;
		}
		at += packed;
		err = emit(out, block, (size_t)got);
	}
	free(block);
	return err;
}

int unpack(const void *data, size_t size, uint64_t limit, unpack_sink_fn *sink, void *context,
	   const char **why)
{
	struct out out = { .sink = sink, .context = context, .left = limit, .why = why };
	const uint8_t *p = data;
	uint8_t *chunk;
	int rc;

	if (size < 8)
		return fail(why, EINVAL, "it has no compressed part");
	if (size > UINT32_MAX / 2)
		return fail(why, EFBIG, "it is larger than any kernel");
	if (le32(p) == LZ4_LEGACY_MAGIC)
		return unpack_lz4(p, size, &out);
	chunk = malloc(CHUNK);
	if (!chunk)
		return fail(why, ENOMEM, "there is not enough memory to unpack it");
	if (p[0] == 0x1f && p[1] == 0x8b)
		rc = unpack_gzip(p, size, &out, chunk);
	else if (memcmp(p,
			"\xfd"
			"7zXZ",
			6) == 0)
		rc = unpack_xz(p, size, &out, chunk);
	else if (le32(p) == 0xfd2fb528U)
		rc = unpack_zstd(p, size, &out, chunk);
	else
		rc = fail(why, ENOTSUP,
			  "it is compressed in a format other than gzip, xz, zstd and lz4");
	free(chunk);
	return rc;
}
