/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/disk_image.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c */
/* flags: -max_len=70000 */
/*
 * An image's header: the first byte of the input says of which format. What it lies on is found in
 * a directory that is not there, but for absolute paths. Whatever the header says, the answer is an
 * error with a sentence, or plain paths.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xend/device/disk_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct disk_image_list *below)
{
	for (size_t i = 0; i < below->nr; i++) {
		const char *path = below->paths[i];

		if (!*path || strlen(path) > 4096 || strcspn(path, ":") < strcspn(path, "/"))
			abort();
	}
	if (below->nr > DISK_IMAGE_MAX_BELOW)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct disk_image_list below = { NULL, 0 };
	enum config_disk_format format;
	struct error *e = NULL;
	int rc;

	if (!size)
		return 0;
	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	format = CONFIG_FORMAT_RAW + data[0] % (CONFIG_FORMAT_QED - CONFIG_FORMAT_RAW + 1);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)(size - 1))
		abort();
	rc = disk_image_read(fd, "/nowhere/image", format, &below, &e);
	if ((rc != 0) != (e != NULL) || (e && !*error_text(e)))
		abort();
	check(&below);
	error_free(&e);
	disk_image_list_free(&below);
	return 0;
}
