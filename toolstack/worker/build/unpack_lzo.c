/* SPDX-License-Identifier: MIT */
/*
 * lzo, in the files of lzop: a header, then blocks with their sizes and checksums. liblzo2 unpacks
 * a block; zlib has both kinds of checksums.
 */
#include <errno.h>
#include <stdlib.h>

#include <lzo/lzo1x.h>
#include <zlib.h>

#include "worker/build/unpack_formats.h"

#define MAGIC_SIZE 9
/* Bytes: lzop makes blocks of 256 KiB, and reads larger ones up to here. */
#define BLOCK_MAX (64U << 20)
#define DAMAGED	  "its lzo data are damaged"

enum {
	VERSION_LEVEL = 0x0940, /* from here on the header has three more fields */
	FLAG_ADLER32 = 0x1,	/* of a block's unpacked bytes */
	FLAG_ADLER32_PACKED = 0x2,
	FLAG_EXTRA = 0x40,
	FLAG_CRC32 = 0x100,
	FLAG_CRC32_PACKED = 0x200,
	FLAG_FILTER = 0x800,
	METHOD_LAST = 3, /* 1 to 3: all are unpacked alike */
};

struct reader {
	const uint8_t *at;
	size_t left;
	bool short_of; /* the data ended before a number */
};

/* A number of that many bytes, the highest first. */
static uint32_t take(struct reader *r, unsigned int bytes)
{
	uint32_t value = 0;

	if (r->left < bytes) {
		r->short_of = true;
		r->left = 0;
		return 0;
	}
	r->left -= bytes;
	while (bytes-- > 0)
		value = value << 8 | *r->at++;
	return value;
}

static void skip(struct reader *r, uint32_t bytes)
{
	if (r->left < bytes) {
		r->short_of = true;
		bytes = (uint32_t)r->left;
	}
	r->at += bytes;
	r->left -= bytes;
}

/* Reads the header. False: damaged, or made by a filter, which no kernel has. */
static bool take_header(struct reader *r, uint32_t *flags)
{
	uint32_t version, method;

	skip(r, MAGIC_SIZE);
	version = take(r, 2);
	skip(r, version >= VERSION_LEVEL ? 4 : 2); /* the library's version, the needed version */
	method = take(r, 1);
	skip(r, version >= VERSION_LEVEL ? 1 : 0); /* the level */
	*flags = take(r, 4);
	skip(r, version >= VERSION_LEVEL ? 12 : 8); /* mode and time of the file */
	skip(r, take(r, 1));			    /* its name */
	skip(r, 4);				    /* the header's checksum */
	if ((*flags & FLAG_EXTRA) != 0) {
		skip(r, take(r, 4));
		skip(r, 4);
	}
	return !r->short_of && method >= 1 && method <= METHOD_LAST && (*flags & FLAG_FILTER) == 0;
}

static bool sum_ok(uint32_t flags, uint32_t adler_flag, uint32_t crc_flag, const uint32_t sums[2],
		   const uint8_t *data, uint32_t size)
{
	return ((flags & adler_flag) == 0 || adler32(1, data, size) == sums[0]) &&
	       ((flags & crc_flag) == 0 || crc32(0, data, size) == sums[1]);
}

/*
 * Unpacks the next block into *room, which grows. 0 with *size, which is 0 at the end; or -errno.
 */
static int take_block(struct reader *r, uint32_t flags, uint8_t **room, uint32_t *room_size,
		      const uint8_t **data, uint32_t *size)
{
	uint32_t sums[2] = { 0 }, packed_sums[2] = { 0 }, packed;
	const uint8_t *from;
	lzo_uint got;

	*size = take(r, 4);
	if (*size == 0 && !r->short_of)
		return 0;
	packed = take(r, 4);
	sums[0] = (flags & FLAG_ADLER32) != 0 ? take(r, 4) : 0;
	sums[1] = (flags & FLAG_CRC32) != 0 ? take(r, 4) : 0;
	/* A block that did not shrink is there as it was, and has one sum only. */
	if (packed < *size) {
		packed_sums[0] = (flags & FLAG_ADLER32_PACKED) != 0 ? take(r, 4) : 0;
		packed_sums[1] = (flags & FLAG_CRC32_PACKED) != 0 ? take(r, 4) : 0;
	}
	from = r->at;
	skip(r, packed);
	if (r->short_of || packed > *size || *size > BLOCK_MAX)
		return -EINVAL;
	*data = from;
	if (packed < *size) {
		if (*size > *room_size) {
			free(*room);
			*room = malloc(*size);
			*room_size = *room ? *size : 0;
			if (!*room)
				return -ENOMEM;
		}
		got = *size;
		if (!sum_ok(flags, FLAG_ADLER32_PACKED, FLAG_CRC32_PACKED, packed_sums, from,
			    packed) ||
		    lzo1x_decompress_safe(from, packed, *room, &got, NULL) != LZO_E_OK ||
		    got != *size)
			return -EINVAL;
		*data = *room;
	}
	return sum_ok(flags, FLAG_ADLER32, FLAG_CRC32, sums, *data, *size) ? 0 : -EINVAL;
}

int unpack_lzo(const uint8_t *data, size_t size, struct unpack_out *out)
{
	struct reader r = { .at = data, .left = size };
	uint32_t flags = 0, room_size = 0, block_size = 0;
	const uint8_t *block = NULL;
	uint8_t *room = NULL;
	int err;

	if (lzo_init() != LZO_E_OK)
		return unpack_fail(out, ENOMEM, UNPACK_NO_MEMORY);
	err = take_header(&r, &flags) ? 0 : -EINVAL;
	while (err == 0) {
		err = take_block(&r, flags, &room, &room_size, &block, &block_size);
		if (err == 0 && block_size == 0)
			break;
		if (err == 0) {
			err = unpack_emit(out, block, block_size);
			if (err) {
				free(room);
				return err;
			}
		}
	}
	free(room);
	if (err)
		unpack_fail(out, -err, err == -ENOMEM ? UNPACK_NO_MEMORY : DAMAGED);
	return err;
}
