/* SPDX-License-Identifier: MIT */
/*
 * Finds the compressed kernel in a file: by the hypervisor's own parser of bzImages, or as plain
 * gzip data.
 */
#include "worker/build/bzimage.h"

#include <errno.h>

#include "lib/bzimage.h"

int bzimage_open(struct bzimage *image, const void *data, size_t size, const char **why)
{
	struct bzimage_payload payload;
	const uint8_t *p = data;
	int rc = bzimage_find_payload(data, size, &payload, why);

	if (rc == 0) {
		*image = (struct bzimage){ payload.data, payload.size };
		return 0;
	}
	if (rc != -ENOEXEC)
		return rc;
	if (size >= 2 && p[0] == 0x1f && p[1] == 0x8b) {
		*image = (struct bzimage){ p, size };
		return 0;
	}
	*why = "it is neither a bzImage nor an ELF file";
	return -ENOEXEC;
}
