/* SPDX-License-Identifier: MIT */
/* links: toolstack/build/bzimage.c toolstack/build/unpack.c toolstack/build/kernel_info.c hypervisor/lib/elf.c hypervisor/lib/bzimage.c */
/* libs: -llzma -lzstd -llz4 -lz */
/*
 * A guest's kernel, as the sandbox reads it: an ELF image, or a bzImage that is unpacked to one. What is made of an image must
 * hold where it is checked.
 */
#include "build/bzimage.h"
#include "build/kernel.h"
#include "build/unpack.h"
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct output {
	uint8_t *data;
	size_t size;
};

static int collect(void *context, const void *data, size_t size)
{
	struct output *output = context;

	if (output->size + size > LIMIT)
		abort();
	output->data = realloc(output->data, output->size + size + 1);
	memcpy(output->data + output->size, data, size);
	output->size += size;
	return 0;
}

static void read_image(const uint8_t *image, size_t size)
{
	struct kernel_info info;
	const char *why = NULL;

	memset(&info, 0, sizeof(info));
	if (kernel_info_read(image, size, &info, &why) == 0) {
		if (kernel_info_check(&info, size, &why) != 0)
			abort();
	} else if (!why) {
		abort();
	}
}

/* Numbers as another process might hand them over. */
static void check_numbers(const uint8_t *data, size_t size)
{
	struct kernel_info info;
	const char *why = NULL;

	if (size != sizeof(info))
		return;
	memcpy(&info, data, sizeof(info));
	if (kernel_info_check(&info, LIMIT, &why) != 0 && !why)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct output output = { NULL, 0 };
	struct bzimage image;
	const char *why = NULL;
	/* Exactly so many bytes, so that reading beyond them is seen. */
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	read_image(copy, size);
	check_numbers(copy, size);
	if (bzimage_open(&image, copy, size, &why) == 0) {
		if (image.payload < copy || image.size > size || (size_t)(image.payload - copy) > size - image.size)
			abort();
		if (unpack(image.payload, image.size, LIMIT, collect, &output, &why) == 0)
			read_image(output.data, output.size);
	} else if (!why) {
		abort();
	}
	free(output.data);
	free(copy);
	return 0;
}
