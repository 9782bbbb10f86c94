/* SPDX-License-Identifier: MIT */
/* Decodes the one block of a kernel's xz data in chunks: LZMA2, then the filter, then the CRC. */
#include "worker/build/unpack_xz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gcrypt.h>
#include <lzma.h>

#include "worker/build/hash.h"
#include "worker/build/x86_filter.h"

#define CHUNK	   (256U << 10)
#define MEMORY_MAX (128U << 20)
#define TAIL	   4 /* bytes that the filter cannot decide before it sees what follows */
#define CRC_SIZE   4

/* The one block of the data. */
struct block {
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	const uint8_t *data; /* LZMA2 data, and all that follows them */
	size_t size;
};

static void block_close(struct block *block)
{
	for (lzma_filter *f = block->filters; f->id != LZMA_VLI_UNKNOWN; f++)
		free(f->options);
}

/* The file format: "The .xz File Format", 2.1.1 Stream Header, 3.1 Block Header. */
static bool block_open(struct block *block, const uint8_t *data, size_t size)
{
	lzma_block header = { .filters = block->filters };
	lzma_stream_flags flags;
	const uint8_t *at = data + LZMA_STREAM_HEADER_SIZE;

	block->filters[0].id = LZMA_VLI_UNKNOWN;
	if (size < LZMA_STREAM_HEADER_SIZE + LZMA_BLOCK_HEADER_SIZE_MAX ||
	    lzma_stream_header_decode(&flags, data) != LZMA_OK || flags.check != LZMA_CHECK_CRC32 ||
	    *at == 0)
		return false;
	header.check = flags.check;
	header.header_size = lzma_block_header_size_decode(*at);
	if (lzma_block_header_decode(&header, NULL, at) != LZMA_OK)
		return false;
	block->data = at + header.header_size;
	block->size = (size_t)(data + size - block->data);
	/* A filter without options counts positions from 0. */
	if (block->filters[0].id == LZMA_FILTER_X86 && !block->filters[0].options &&
	    block->filters[1].id == LZMA_FILTER_LZMA2 && block->filters[2].id == LZMA_VLI_UNKNOWN &&
	    lzma_raw_decoder_memusage(block->filters + 1) <= MEMORY_MAX)
		return true;
	block_close(block);
	return false;
}

bool unpack_xz_is_kernel(const uint8_t *data, size_t size)
{
	struct block block = { .size = 0 };

	if (!block_open(&block, data, size))
		return false;
	block_close(&block);
	return true;
}

struct unpacking {
	lzma_stream xz;
	struct x86_filter filter;
	gcry_md_hd_t crc;
	uint8_t *chunk; /* TAIL + CHUNK bytes */
	size_t tail;	/* bytes at the start of chunk that are not filtered yet */
	unpack_sink_fn *sink;
	void *context;
};

/*
 * Gives the first `size` bytes of the chunk to the sink, and moves the rest to the chunk's start.
 */
static int pass_on(struct unpacking *u, size_t size, size_t have)
{
	int rc;

	gcry_md_write(u->crc, u->chunk, size);
	rc = size > 0 ? u->sink(u->context, u->chunk, size) : 0;
	u->tail = have - size;
	memmove(u->chunk, u->chunk + size, u->tail);
	return rc;
}

static int unpack_block(struct unpacking *u, const char **why)
{
	lzma_ret rc = LZMA_OK;
	int err = 0;

	while (rc == LZMA_OK && err == 0) {
		size_t have;

		u->xz.next_out = u->chunk + u->tail;
		u->xz.avail_out = CHUNK;
		rc = lzma_code(&u->xz, LZMA_RUN);
		have = u->tail + CHUNK - u->xz.avail_out;
		/* No progress although there is room for output: the input ended too early. */
		if (rc == LZMA_OK && u->xz.avail_out == CHUNK && u->xz.avail_in == 0)
			rc = LZMA_DATA_ERROR;
		if (rc == LZMA_OK || rc == LZMA_STREAM_END) {
			size_t done = x86_filter_undo(&u->filter, u->chunk, have);

			err = pass_on(u, rc == LZMA_OK ? done : have, have);
		}
	}
	if (err == 0 && rc != LZMA_STREAM_END) {
		*why = "its xz data are damaged";
		err = -EINVAL;
	}
	return err;
}

/*
 * The block's data are followed by up to 3 zeros and the CRC32 in little-endian order. libgcrypt
 * returns it in big-endian order.
 */
static bool checksum_ok(struct unpacking *u, const struct block *block)
{
	size_t at = (block->size - u->xz.avail_in + 3) & ~(size_t)3;
	const uint8_t *crc = gcry_md_read(u->crc, GCRY_MD_CRC32);

	if (!crc || at > block->size || block->size - at < CRC_SIZE)
		return false;
	for (unsigned int i = 0; i < CRC_SIZE; i++)
		if (block->data[at + i] != crc[CRC_SIZE - 1 - i])
			return false;
	return true;
}

static int unpack_with(struct unpacking *u, const struct block *block, const char **why)
{
	int rc;

	if (lzma_raw_decoder(&u->xz, block->filters + 1) != LZMA_OK) {
		*why = "there is not enough memory to unpack it";
		return -ENOMEM;
	}
	u->xz.next_in = block->data;
	u->xz.avail_in = block->size;
	rc = unpack_block(u, why);
	if (rc == 0 && !checksum_ok(u, block)) {
		*why = "its xz data are damaged: the checksum is wrong";
		rc = -EINVAL;
	}
	lzma_end(&u->xz);
	return rc;
}

int unpack_xz_kernel(const uint8_t *data, size_t size, unpack_sink_fn *sink, void *context,
		     const char **why)
{
	struct unpacking u = { .xz = LZMA_STREAM_INIT, .sink = sink, .context = context };
	struct block block = { .size = 0 };
	int rc;

	hash_prepare();
	u.chunk = malloc(TAIL + CHUNK);
	if (!u.chunk || gcry_md_open(&u.crc, GCRY_MD_CRC32, 0) || !block_open(&block, data, size)) {
		*why = "there is not enough memory to unpack it";
		rc = -ENOMEM;
	} else {
		rc = unpack_with(&u, &block, why);
		block_close(&block);
	}
	gcry_md_close(u.crc);
	free(u.chunk);
	return rc;
}
