/* SPDX-License-Identifier: MIT */
/* Finding the payload in a bzImage, whole or damaged. */
/* links: hypervisor/lib/bzimage.c */
#include "lib/bzimage.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>
#include "unit.h"

enum {
	SECTORS = 3,
	PAYLOAD = 40,
	PAYLOAD_AT = (SECTORS + 1) * 512 + 64,
	SIZE = PAYLOAD_AT + PAYLOAD + 8
};

static void put(u8 *p, u32 value, unsigned int bytes)
{
	memcpy(p, &value, bytes);
}

/* Makes an image as the boot protocol describes it, with an xz payload of 40 bytes, which include
 * the length word. */
static void make_image(u8 *p)
{
	memset(p, 0, SIZE);
	p[0x1f1] = SECTORS;
	put(p + 0x1fe, 0xaa55, 2);
	memcpy(p + 0x202, "HdrS", 4);
	put(p + 0x206, 0x20f, 2);
	put(p + 0x248, 64, 4);
	put(p + 0x24c, PAYLOAD, 4);
	memcpy(p + PAYLOAD_AT,
	       "\xfd"
	       "7zXZ",
	       6);
	put(p + PAYLOAD_AT + PAYLOAD - 4, 123456, 4);
}

static void finds_the_payload_without_its_length_word(void **state)
{
	struct bzimage_payload found;
	const char *why;
	u8 img[SIZE];

	make_image(img);
	assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), 0);
	assert_ptr_equal(found.data, img + PAYLOAD_AT);
	assert_int_equal(found.size, PAYLOAD - 4);
	assert_int_equal(found.unpacked, 123456);
}

static void leaves_gzip_its_own_trailer(void **state)
{
	struct bzimage_payload found;
	const char *why;
	u8 img[SIZE];

	make_image(img);
	memcpy(img + PAYLOAD_AT, "\x1f\x8b", 2);
	assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), 0);
	assert_int_equal(found.size, PAYLOAD);
	assert_int_equal(found.unpacked, 123456);
}

static void no_setup_sectors_means_four(void **state)
{
	struct bzimage_payload found;
	u8 *img = calloc(1, SIZE + 512);
	const char *why;

	make_image(img);
	img[0x1f1] = 0;
	assert_int_equal(bzimage_find_payload(img, SIZE + 512, &found, &why), 0);
	assert_ptr_equal(found.data, img + PAYLOAD_AT + 512);
	free(img);
}

static void other_files_are_no_bzimage(void **state)
{
	struct bzimage_payload found;
	const char *why;
	u8 img[SIZE];

	make_image(img);
	img[0x202] = 'h';
	assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), -ENOEXEC);
	make_image(img);
	img[0x1fe] = 0;
	assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), -ENOEXEC);
	assert_int_equal(bzimage_find_payload("", 0, &found, &why), -ENOEXEC);
}

static void impossible_offsets_are_refused(void **state)
{
	static const u32 bad[] = { SIZE, 0x7fffffff, 0x80000000, 0xffffffff };
	struct bzimage_payload found;
	const char *why;
	u8 img[SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_image(img);
		put(img + 0x248, bad[i], 4);
		assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), -EINVAL);
		make_image(img);
		put(img + 0x24c, bad[i], 4);
		assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), -EINVAL);
	}
	make_image(img);
	put(img + 0x24c, 7, 4);
	assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), -EINVAL);
	make_image(img);
	put(img + 0x206, 0x207, 2);
	assert_int_equal(bzimage_find_payload(img, SIZE, &found, &why), -EINVAL);
}

static void every_truncation_is_refused(void **state)
{
	struct bzimage_payload found;
	u8 img[SIZE];

	make_image(img);
	for (size_t size = 0; size < PAYLOAD_AT + PAYLOAD; size++) {
		u8 *copy = malloc(size);
		const char *why = NULL;

		memcpy(copy, img, size);
		assert_true(bzimage_find_payload(copy, size, &found, &why) < 0);
		assert_non_null(why);
		assert_null(found.data);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_payload_without_its_length_word),
		cmocka_unit_test(leaves_gzip_its_own_trailer),
		cmocka_unit_test(no_setup_sectors_means_four),
		cmocka_unit_test(other_files_are_no_bzimage),
		cmocka_unit_test(impossible_offsets_are_refused),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
