/* SPDX-License-Identifier: MIT */
/*
 * Finds the compressed kernel in a file: by the hypervisor's own parser of bzImages, or as a file
 * that was compressed as a whole.
 */
#include "worker/build/bzimage.h"

#include <errno.h>

#include "lib/bzimage.h"
#include "worker/build/unpack.h"

int bzimage_open(struct bzimage *image, const void *data, size_t size, const char **why)
{
	struct bzimage_payload payload;
	int rc = bzimage_find_payload(data, size, &payload, why);

	if (rc == 0) {
		*image = (struct bzimage){ payload.data, payload.size };
		return 0;
	}
	if (rc != -ENOEXEC)
		return rc;
	if (unpack_is_known(data, size)) {
		*image = (struct bzimage){ data, size };
		return 0;
	}
	*why = "it is neither a bzImage nor an ELF file, nor one of these in a compressed form "
	       "(bzip2, gzip, lz4, lzma, lzo, xz, zstd)";
	return -ENOEXEC;
}
