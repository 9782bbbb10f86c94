/* SPDX-License-Identifier: MIT */
/* Writes a stream: gathers a record's header, pieces and padding into one writev(). */
#include "worker/stream/out.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "worker/stream/format.h"

static int write_failed(struct error **e, int errnum)
{
	if (errnum == ENOSPC || errnum == EDQUOT)
		return error_set(e, errnum, "There is no space left.");
	return error_set(e, errnum, "Writing the file failed: %s.", strerror(errnum));
}

/* Writes all pieces; advances them past what was written. */
static int write_all(struct stream_out *out, struct iovec *pieces, size_t count, struct error **e)
{
	while (count > 0) {
		ssize_t n;

		if (pieces->iov_len == 0) {
			pieces++;
			count--;
			continue;
		}
		n = writev(out->fd, pieces, count < IOV_MAX ? (int)count : IOV_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return write_failed(e, n < 0 ? errno : EIO);
		out->written += (uint64_t)n;
		while (count > 0 && (size_t)n >= pieces->iov_len) {
			n -= (ssize_t)pieces->iov_len;
			pieces++;
			count--;
		}
		if (count > 0) {
			pieces->iov_base = (char *)pieces->iov_base + n;
			pieces->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int stream_out_headers(struct stream_out *out, uint32_t xen_major, uint32_t xen_minor,
		       struct error **e)
{
	struct stream_image_header image = {
		.marker = STREAM_MARKER,
		.id = htonl(STREAM_ID),
		.version = htonl(STREAM_VERSION),
	};
	struct stream_domain_header domain = {
		.type = STREAM_TYPE_PV,
		.page_shift = STREAM_PAGE_SHIFT,
		.xen_major = xen_major,
		.xen_minor = xen_minor,
	};
	struct iovec pieces[] = { { &image, sizeof(image) }, { &domain, sizeof(domain) } };

	return write_all(out, pieces, 2, e);
}

int stream_out_record(struct stream_out *out, uint32_t type, struct iovec *pieces, size_t count,
		      struct error **e)
{
	static const char zeros[8];
	struct iovec all[IOV_MAX];
	struct stream_record record = { .type = type };
	size_t length = 0;

	if (count > IOV_MAX - 2)
		return error_set(e, E2BIG, "A record of the image has too many pieces.");
	for (size_t i = 0; i < count; i++) {
		length += pieces[i].iov_len;
		all[i + 1] = pieces[i];
	}
	if (length > STREAM_RECORD_MAX)
		return error_set(e, E2BIG, "A record of the image is too long.");
	record.length = (uint32_t)length;
	all[0] = (struct iovec){ &record, sizeof(record) };
	all[count + 1] = (struct iovec){ (void *)(uintptr_t)zeros, -length % 8 };
	return write_all(out, all, count + 2, e);
}

int stream_out_simple(struct stream_out *out, uint32_t type, const void *head, size_t head_size,
		      const void *data, size_t size, struct error **e)
{
	struct iovec pieces[] = {
		{ (void *)(uintptr_t)head, head_size },
		{ (void *)(uintptr_t)data, size },
	};

	return stream_out_record(out, type, pieces, 2, e);
}
