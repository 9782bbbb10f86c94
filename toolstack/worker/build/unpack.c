/* SPDX-License-Identifier: MIT */
/* Decompresses kernels: finds the format by its magic number, and bounds the output. */
#include "worker/build/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/build/unpack_formats.h"

static const struct format {
	const char *magic;
	size_t magic_size;
	unpack_format_fn *fn;
} formats[] = {
	{ "\x1f\x8b", 2, unpack_gzip },
	{ "BZh", 3, unpack_bzip2 },
	{ "\xfd"
	  "7zXZ",
	  6, unpack_xz },
	/* It has no magic number: these are the usual properties, and a dictionary of whole 64 KiB.
	 */
	{ "\x5d\0\0", 3, unpack_lzma },
	{ "\x89LZO\0\r\n\x1a\n", 9, unpack_lzo },
	{ "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "\x02\x21\x4c\x18", 4, unpack_lz4_legacy },
	{ "\x04\x22\x4d\x18", 4, unpack_lz4_frame },
};

static const struct format *find_format(const void *data, size_t size)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (size >= formats[i].magic_size &&
		    memcmp(data, formats[i].magic, formats[i].magic_size) == 0)
			return &formats[i];
	return NULL;
}

bool unpack_is_known(const void *data, size_t size)
{
	return find_format(data, size) != NULL;
}

int unpack_fail(const struct unpack_out *out, int errnum, const char *why)
{
	*out->why = why;
	return -errnum;
}

int unpack_emit(struct unpack_out *out, const void *data, size_t size)
{
	if (size > out->left)
		return unpack_fail(out, EFBIG, "unpacked it is larger than any kernel");
	out->left -= size;
	return size > 0 ? out->sink(out->context, data, size) : 0;
}

int unpack(const void *data, size_t size, uint64_t limit, unpack_sink_fn *sink, void *context,
	   const char **why)
{
	struct unpack_out out = { .sink = sink, .context = context, .left = limit, .why = why };
	const struct format *format = find_format(data, size);
	int rc;

	if (size < 8)
		return unpack_fail(&out, EINVAL, "it has no compressed part");
	if (size > UINT32_MAX / 2)
		return unpack_fail(&out, EFBIG, "it is larger than any kernel");
	if (!format)
		return unpack_fail(&out, ENOTSUP,
				   "it is compressed in a format other than bzip2, gzip, lz4, "
				   "lzma, lzo, xz and zstd");
	out.chunk = malloc(UNPACK_CHUNK);
	if (!out.chunk)
		return unpack_fail(&out, ENOMEM, UNPACK_NO_MEMORY);
	rc = format->fn(data, size, &out);
	free(out.chunk);
	return rc;
}
