/* SPDX-License-Identifier: MIT */
/* Reads a bzImage's setup header and checks the payload's bounds against the image. */
#include "lib/bzimage.h"
#include "lib/errno.h"
#include "lib/string.h"

/*
 * Offsets in the image's first sectors: Documentation/arch/x86/boot.rst, "Details of Header
 * Fields".
 */
enum {
	BZ_SETUP_SECTS = 0x1f1,
	BZ_BOOT_FLAG = 0x1fe,
	BZ_HEADER = 0x202,
	BZ_VERSION = 0x206,
	BZ_PAYLOAD_OFFSET = 0x248,
	BZ_PAYLOAD_LENGTH = 0x24c,
	BZ_HEADER_END = 0x250,

	BZ_MAGIC = 0x53726448, /* "HdrS" */
	BZ_FLAG_MAGIC = 0xaa55,
	BZ_VERSION_PAYLOAD = 0x208, /* the first with payload fields */
	BZ_SECTOR = 512,
	BZ_SETUP_SECTS_DEFAULT = 4, /* the number that 0 stands for */
};

static u32 read_le(const u8 *p, unsigned int bytes)
{
	u32 value = 0;

	memcpy(&value, p, bytes);
	return value;
}

int bzimage_find_payload(const void *image, size_t size, struct bzimage_payload *out,
			 const char **why)
{
	const u8 *p = image;
	size_t sectors, start, length;

	*out = (struct bzimage_payload){ 0 };
	if (size < BZ_HEADER_END || read_le(p + BZ_BOOT_FLAG, 2) != BZ_FLAG_MAGIC ||
	    read_le(p + BZ_HEADER, 4) != BZ_MAGIC) {
		*why = "not a bzImage";
		return -ENOEXEC;
	}
	if (read_le(p + BZ_VERSION, 2) < BZ_VERSION_PAYLOAD) {
		*why = "the bzImage is of a boot protocol older than 2.08";
		return -EINVAL;
	}
	sectors = p[BZ_SETUP_SECTS] ? p[BZ_SETUP_SECTS] : BZ_SETUP_SECTS_DEFAULT;
	/* Sums of 32-bit numbers: they cannot overflow. */
	start = (sectors + 1) * BZ_SECTOR + read_le(p + BZ_PAYLOAD_OFFSET, 4);
	length = read_le(p + BZ_PAYLOAD_LENGTH, 4);
	if (start > size || length > size - start) {
		*why = "the bzImage is cut off";
		return -EINVAL;
	}
	if (length < 8) {
		*why = "the bzImage has no compressed kernel";
		return -EINVAL;
	}
	out->data = p + start;
	out->unpacked = read_le(out->data + length - 4, 4);
	/*
	 * gzip data ends with the unpacked length. To every other format the kernel's build appends
	 * it.
	 */
	out->size = out->data[0] == 0x1f && out->data[1] == 0x8b ? length : length - 4;
	return 0;
}
