/* SPDX-License-Identifier: MIT */
/* The formats whose libraries unpack a stream: one function each, with the same bounds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "worker/build/unpack_formats.h"
#include "worker/build/unpack_xz.h"

int unpack_gzip(const uint8_t *data, size_t size, struct unpack_out *out)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)size };
	int rc, err = 0;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return unpack_fail(out, ENOMEM, UNPACK_NO_MEMORY);
	do {
		z.next_out = out->chunk;
		z.avail_out = UNPACK_CHUNK;
		rc = inflate(&z, Z_NO_FLUSH);
		if (rc == Z_OK || rc == Z_STREAM_END)
			err = unpack_emit(out, out->chunk, UNPACK_CHUNK - z.avail_out);
	} while (rc == Z_OK && err == 0);
	inflateEnd(&z);
	if (err == 0 && rc != Z_STREAM_END)
		err = unpack_fail(out, EINVAL, "its gzip data are damaged");
	return err;
}

int unpack_bzip2(const uint8_t *data, size_t size, struct unpack_out *out)
{
	bz_stream z = { .next_in = (char *)(uintptr_t)data, .avail_in = (unsigned int)size };
	int rc = BZ2_bzDecompressInit(&z, 0, 0), err = 0;

	if (rc != BZ_OK)
		return unpack_fail(out, ENOMEM, UNPACK_NO_MEMORY);
	while (rc == BZ_OK && err == 0) {
		z.next_out = (char *)out->chunk;
		z.avail_out = UNPACK_CHUNK;
		rc = BZ2_bzDecompress(&z);
		/* No progress although there is room for output: the input ended too early. */
		if (rc == BZ_OK && z.avail_out > 0 && z.avail_in == 0)
			rc = BZ_UNEXPECTED_EOF;
		if (rc == BZ_OK || rc == BZ_STREAM_END)
			err = unpack_emit(out, out->chunk, UNPACK_CHUNK - z.avail_out);
	}
	BZ2_bzDecompressEnd(&z);
	if (err == 0 && rc != BZ_STREAM_END)
		err = unpack_fail(out, EINVAL, "its bzip2 data are damaged");
	return err;
}

/* Runs a decoder of liblzma, whose start had the result `rc`. */
static int run_lzma(lzma_stream *stream, lzma_ret rc, const uint8_t *data, size_t size,
		    struct unpack_out *out, const char *damaged)
{
	int err = 0;

	stream->next_in = data;
	stream->avail_in = size;
	while (rc == LZMA_OK && err == 0) {
		stream->next_out = out->chunk;
		stream->avail_out = UNPACK_CHUNK;
		rc = lzma_code(stream, LZMA_FINISH);
		if (rc == LZMA_OK || rc == LZMA_STREAM_END)
			err = unpack_emit(out, out->chunk, UNPACK_CHUNK - stream->avail_out);
	}
	lzma_end(stream);
	if (err == 0 && rc == LZMA_MEMLIMIT_ERROR)
		err = unpack_fail(out, ENOMEM, "its data need more memory than a kernel may");
	else if (err == 0 && rc != LZMA_STREAM_END)
		err = unpack_fail(out, EINVAL, damaged);
	return err;
}

static int emit_piece(void *context, const void *data, size_t size)
{
	return unpack_emit(context, data, size);
}

int unpack_xz(const uint8_t *data, size_t size, struct unpack_out *out)
{
	lzma_stream xz = LZMA_STREAM_INIT;

	if (unpack_xz_is_kernel(data, size))
		return unpack_xz_kernel(data, size, emit_piece, out, out->why);
	return run_lzma(&xz, lzma_stream_decoder(&xz, UNPACK_MEMORY, 0), data, size, out,
			"its xz data are damaged");
}

int unpack_lzma(const uint8_t *data, size_t size, struct unpack_out *out)
{
	lzma_stream lzma = LZMA_STREAM_INIT;

	return run_lzma(&lzma, lzma_alone_decoder(&lzma, UNPACK_MEMORY), data, size, out,
			"its lzma data are damaged");
}

int unpack_zstd(const uint8_t *data, size_t size, struct unpack_out *out)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { data, size, 0 };
	size_t rc = 1;
	int err = 0;

	if (!z)
		return unpack_fail(out, ENOMEM, UNPACK_NO_MEMORY);
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 27);
	while (err == 0 && rc != 0) {
		ZSTD_outBuffer o = { out->chunk, UNPACK_CHUNK, 0 };
		size_t before = in.pos;

		rc = ZSTD_decompressStream(z, &o, &in);
		if (ZSTD_isError(rc) || (in.pos == before && o.pos == 0))
			err = unpack_fail(out, EINVAL, "its zstd data are damaged");
		else
			err = unpack_emit(out, out->chunk, o.pos);
	}
	ZSTD_freeDStream(z);
	return err;
}
