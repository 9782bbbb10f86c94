/* SPDX-License-Identifier: MIT */
/* Bounded reads from the stream, each with a sentence for what is wrong with the image. */
#include "worker/stream/in.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int stream_in_damaged(struct error **e, const char *fmt, ...)
{
	char why[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return error_set(e, EINVAL, "The domain cannot be restored: its image is damaged (%s).",
			 why);
}

int stream_in_read(struct stream_in *in, void *to, size_t size, struct error **e)
{
	while (size > 0) {
		ssize_t n = read(in->fd, to, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(
				e, errno,
				"The domain cannot be restored: reading its image failed (%s).",
				strerror(errno));
		if (n == 0)
			return stream_in_damaged(e, "it ends too early");
		to = (char *)to + n;
		size -= (size_t)n;
	}
	return 0;
}

int stream_in_skip(struct stream_in *in, size_t size, struct error **e)
{
	char nothing[4096];
	int rc = 0;

	while (size > 0 && rc == 0) {
		size_t now = size < sizeof(nothing) ? size : sizeof(nothing);

		rc = stream_in_read(in, nothing, now, e);
		size -= now;
	}
	return rc;
}

int stream_in_headers(struct stream_in *in, struct error **e)
{
	struct stream_image_header image;
	struct stream_domain_header domain;
	int rc = stream_in_read(in, &image, sizeof(image), e);

	if (rc)
		return rc;
	if (image.marker != STREAM_MARKER || ntohl(image.id) != STREAM_ID)
		return stream_in_damaged(e, "it does not begin as an image of a domain does");
	in->version = ntohl(image.version);
	if (in->version < STREAM_VERSION_OLDEST || in->version > STREAM_VERSION)
		return error_set(e, EOPNOTSUPP,
				 "The domain cannot be restored: its image is of version %u, and "
				 "these tools know %u to %u.",
				 in->version, STREAM_VERSION_OLDEST, STREAM_VERSION);
	if (ntohs(image.options) & STREAM_BIG_ENDIAN)
		return error_set(e, EOPNOTSUPP,
				 "The domain cannot be restored: it is of a big-endian machine.");
	rc = stream_in_read(in, &domain, sizeof(domain), e);
	if (rc)
		return rc;
	if (domain.type != STREAM_TYPE_PV)
		return error_set(e, EOPNOTSUPP,
				 "The domain cannot be restored: it is of type %u, and only "
				 "paravirtualized ones (%u) can be.",
				 domain.type, STREAM_TYPE_PV);
	if (domain.page_shift != STREAM_PAGE_SHIFT)
		return stream_in_damaged(e, "its pages have %u bits", domain.page_shift);
	return 0;
}

int stream_in_record(struct stream_in *in, struct stream_record *record, struct error **e)
{
	int rc = stream_in_read(in, record, sizeof(*record), e);

	if (rc == 0 && record->length > STREAM_RECORD_MAX)
		rc = stream_in_damaged(e, "a record has %u bytes", record->length);
	return rc;
}

int stream_in_body(struct stream_in *in, const struct stream_record *record, void **body,
		   struct error **e)
{
	int rc;

	*body = malloc((size_t)record->length + 1);
	if (!*body)
		return error_set(e, ENOMEM, "Out of memory for a record of %u bytes.",
				 record->length);
	rc = stream_in_read(in, *body, record->length, e);
	if (rc == 0)
		rc = stream_in_skip(in, stream_padding(record->length), e);
	if (rc) {
		free(*body);
		*body = NULL;
	}
	return rc;
}
