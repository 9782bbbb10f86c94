/* SPDX-License-Identifier: MIT */
/* Unpacks a kernel into a file, without privilege. Here the hostile bytes are read. */
#include "worker/build/kernel_sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/elf.h"
#include "lib/pv_symtab.h"
#include "worker/build/bzimage.h"
#include "worker/build/kernel.h"
#include "worker/build/unpack.h"

#define TOO_LARGE "it is larger than any kernel"
#define NO_MEMORY "there is not enough memory for it"
#define NO_STORE  "the unpacked kernel cannot be stored"
/* Forms in each other: a compressed file of a bzImage, whose kernel is compressed too. */
#define FORMS_MAX 2

/* --- the file --- */

/* The file for the unpacked image. Pages of zeros stay holes: they are a third of a kernel. */
struct output {
	int fd;
	uint64_t at;
};

static int write_at(const struct output *out, uint64_t at, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = pwrite(out->fd, data, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static bool is_zero(const char *data, size_t size)
{
	return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static int write_piece(void *context, const void *data, size_t size)
{
	struct output *out = context;
	const char *bytes = data;
	size_t done = 0, begin = 0;
	int rc = 0;

	/* Go page by page: a run of pages that are not zero is one write, a page of zeros none. */
	while (done < size && rc == 0) {
		size_t block = KERNEL_PAGE - (out->at + done) % KERNEL_PAGE;

		block = block < size - done ? block : size - done;
		if (is_zero(bytes + done, block)) {
			rc = write_at(out, out->at + begin, bytes + begin, done - begin);
			begin = done + block;
		}
		done += block;
	}
	if (rc == 0 && begin < size)
		rc = write_at(out, out->at + begin, bytes + begin, size - begin);
	out->at += size;
	return rc;
}

/* Maps the whole file. NULL with *why. */
static const void *map_file(int fd, size_t *size, const char **why)
{
	struct stat st;
	void *image;

	if (fstat(fd, &st) || st.st_size <= 0) {
		*why = "it is empty";
		return NULL;
	}
	if ((uint64_t)st.st_size > KERNEL_SIZE_MAX) {
		*why = TOO_LARGE;
		return NULL;
	}
	*size = (size_t)st.st_size;
	image = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image != MAP_FAILED)
		return image;
	*why = NO_MEMORY;
	return NULL;
}

/* --- unpacking --- */

static bool is_elf(const void *data, size_t size)
{
	return size >= 4 && memcmp(data, "\177ELF", 4) == 0;
}

/* Writes what the data contain into the file. */
static int unpack_form(const void *data, size_t size, struct output *out, const char **why)
{
	struct bzimage image;
	int rc;

	*why = NO_STORE;
	if (is_elf(data, size)) {
		rc = write_piece(out, data, size);
	} else {
		rc = bzimage_open(&image, data, size, why);
		if (rc)
			return rc;
		*why = NO_STORE;
		rc = unpack(image.payload, image.size, KERNEL_SIZE_MAX, write_piece, out, why);
	}
	/* Zeros at the end may be a hole, which needs the file's size set. */
	if (rc == 0 && ftruncate(out->fd, (off_t)out->at))
		rc = -errno;
	return rc;
}

/* Unpacks what the file itself contains, in its place. */
static int unpack_in_place(struct output *out, const void *image, size_t size, const char **why)
{
	void *copy = malloc(size);
	int rc = -ENOMEM;

	*why = NO_MEMORY;
	if (!copy)
		return rc;
	memcpy(copy, image, size);
	out->at = 0;
	rc = ftruncate(out->fd, 0) ? -errno : unpack_form(copy, size, out, why);
	free(copy);
	return rc;
}

static int unpack_all(const struct kernel_input *input, struct output *out, const char **why)
{
	int rc = unpack_form(input->data, input->size, out, why);

	for (int form = 1; form < FORMS_MAX && rc == 0; form++) {
		size_t size;
		const void *image = map_file(out->fd, &size, why);

		if (!image)
			return -EINVAL;
		if (is_elf(image, size))
			form = FORMS_MAX;
		else
			rc = unpack_in_place(out, image, size, why);
		munmap((void *)(uintptr_t)image, size);
	}
	return rc;
}

/* --- symbols --- */

static uint64_t last_byte(const struct kernel_info *info)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < info->nr_segments; i++) {
		uint64_t end = info->segments[i].virt + info->segments[i].memsz;

		last = last > end ? last : end;
	}
	return last;
}

/* Appends the block of symbols to the file, and describes it as a segment. */
static int append_symbols(struct output *out, const struct pv_symtab *table,
			  struct kernel_info *info, const char **why)
{
	static char part[64 << 10];
	struct kernel_segment *seg = &info->segments[info->nr_segments];
	int rc = 0;

	if (info->nr_segments == KERNEL_SEGMENTS_MAX) {
		*why = "it has too many ELF segments";
		return -E2BIG;
	}
	if (table->size > KERNEL_SIZE_MAX - info->image_size) {
		*why = TOO_LARGE;
		return -EFBIG;
	}
	*why = NO_STORE;
	*seg = (struct kernel_segment){
		.offset = info->image_size,
		.filesz = table->size,
		.virt = ROUND_UP(last_byte(info), (uint64_t)PV_SYMTAB_ALIGN),
		.memsz = table->size,
	};
	out->at = seg->offset;
	for (uint64_t at = 0; at < table->size && rc == 0; at += sizeof(part)) {
		uint64_t now = table->size - at;

		now = now < sizeof(part) ? now : sizeof(part);
		pv_symtab_read(table, at, part, now);
		rc = write_piece(out, part, now);
	}
	info->nr_segments++;
	info->image_size += table->size;
	info->virt_end = ROUND_UP(seg->virt + seg->memsz, KERNEL_PAGE);
	if (rc == 0 && ftruncate(out->fd, (off_t)info->image_size))
		rc = -errno;
	return rc;
}

static int add_symbols(struct output *out, const void *image, struct kernel_info *info,
		       const char **why)
{
	struct pv_symtab table;
	struct elf_image elf;
	int rc = elf_open(&elf, image, info->image_size, why);

	if (rc == 0)
		rc = pv_symtab_find(&elf, &table, why);
	if (rc || table.size == 0)
		return rc;
	rc = append_symbols(out, &table, info, why);
	return rc ? rc : kernel_info_check(info, info->image_size, why);
}

/* --- what the sandbox runs --- */

int kernel_describe(void *context, int output_fd, void *result, const char **why)
{
	size_t size;
	const void *image = map_file(output_fd, &size, why);
	int rc;

	if (!image)
		return -EINVAL;
	rc = kernel_info_read(image, size, result, why);
	munmap((void *)(uintptr_t)image, size);
	return rc;
}

int kernel_unpack(void *context, int output_fd, void *result, const char **why)
{
	struct output out = { .fd = output_fd };
	struct kernel_info *info = result;
	const void *image;
	size_t size;
	int rc = unpack_all(context, &out, why);

	if (rc)
		return rc;
	image = map_file(output_fd, &size, why);
	if (!image)
		return -EINVAL;
	rc = kernel_info_read(image, size, info, why);
	if (rc == 0 && info->flags & KERNEL_BSD_SYMTAB)
		rc = add_symbols(&out, image, info, why);
	munmap((void *)(uintptr_t)image, size);
	return rc;
}
