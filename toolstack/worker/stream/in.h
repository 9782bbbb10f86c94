/* SPDX-License-Identifier: MIT */
/* Reads a stream's headers and records. The stream may be hostile: every length is checked. */
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

/* Sets *e to a sentence that the image is damaged, with the given reason. Returns -EINVAL. */
int stream_in_damaged(struct error **e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int stream_in_headers(struct stream_in *in, struct error **e);
/* Reads the header of the next record; the caller reads the body. */
int stream_in_record(struct stream_in *in, struct stream_record *record, struct error **e);
/* Reads exactly `size` bytes; an early end is an error. */
int stream_in_read(struct stream_in *in, void *to, size_t size, struct error **e);
/* Reads and drops `size` bytes, as of a body's padding. */
int stream_in_skip(struct stream_in *in, size_t size, struct error **e);
/* Reads the whole body of a record into memory that the caller frees, and skips the padding. */
int stream_in_body(struct stream_in *in, const struct stream_record *record, void **body,
		   struct error **e);

static inline size_t stream_padding(uint32_t length)
{
	return -(size_t)length % 8;
}

#endif
