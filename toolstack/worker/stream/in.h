/* SPDX-License-Identifier: MIT */
/* Reads a stream's headers and records. What it says may be anything: every length is checked. */
#ifndef WORKER_STREAM_IN_H
#define WORKER_STREAM_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/stream/format.h"
#include "lib/error.h"

struct stream_in {
	int fd;
	uint32_t version;
};

/* "The image is damaged: ..." */
int stream_in_damaged(struct error **e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int stream_in_headers(struct stream_in *in, struct error **e);
/* The header of the next record; its body follows and is the caller's to read. */
int stream_in_record(struct stream_in *in, struct stream_record *record, struct error **e);
/* Exactly size bytes. */
int stream_in_read(struct stream_in *in, void *to, size_t size, struct error **e);
/* What is left of a body (its padding): `size` bytes, thrown away. */
int stream_in_skip(struct stream_in *in, size_t size, struct error **e);
/* The whole body of a record, in memory that the caller frees; the padding is skipped. */
int stream_in_body(struct stream_in *in, const struct stream_record *record, void **body,
		   struct error **e);

static inline size_t stream_padding(uint32_t length)
{
	return -(size_t)length % 8;
}

#endif
