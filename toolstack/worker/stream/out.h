/* SPDX-License-Identifier: MIT */
/* Writes a stream's headers and records. */
#ifndef WORKER_STREAM_OUT_H
#define WORKER_STREAM_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/error.h"

struct stream_out {
	int fd;
	uint64_t written; /* bytes */
};

int stream_out_headers(struct stream_out *out, uint32_t xen_major, uint32_t xen_minor,
		       struct error **e);
/*
 * Writes a record whose body is in `count` pieces, at most IOV_MAX - 2. The pieces stay as they
 * are.
 */
int stream_out_record(struct stream_out *out, uint32_t type, struct iovec *pieces, size_t count,
		      struct error **e);
/* Writes a record whose body is `head` and then `data`; each may be NULL with size 0. */
int stream_out_simple(struct stream_out *out, uint32_t type, const void *head, size_t head_size,
		      const void *data, size_t size, struct error **e);

#endif
