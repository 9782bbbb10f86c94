/* SPDX-License-Identifier: MIT */
/* A bootloader's output: what is read from it, and what is refused. */
/* links: toolstack/worker/build/bootloader_output.c */
#include "worker/build/bootloader_output.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

static struct bootloader_output output;
static const char *why;

/* Parses a copy of exactly that size, so that the sanitizer sees an access past its end. */
static int parse(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);
	int rc;

	memcpy(copy, text, length);
	rc = bootloader_output_parse(copy, length, "/out", &output, &why);
	free(copy);
	return rc;
}

#define PARSE(text) parse(text, sizeof(text) - 1)

#define REFUSED(text, says)                              \
	do {                                             \
		assert_int_equal(PARSE(text), -EBADMSG); \
		assert_string_equal(why, says);          \
	} while (0)

static void both_formats_of_pygrub_are_read(void **state)
{
	assert_int_equal(PARSE("kernel /out/boot_kernel.1\nramdisk /out/boot_ramdisk.2\nargs "
			       "root=/dev/xvda1 ro\n\n"),
			 0);
	assert_string_equal(output.kernel, "boot_kernel.1");
	assert_string_equal(output.ramdisk, "boot_ramdisk.2");
	assert_string_equal(output.args, "root=/dev/xvda1 ro");
	assert_int_equal(PARSE("kernel /out/k\0ramdisk /out/r\0args a  b\0\0"), 0);
	assert_string_equal(output.kernel, "k");
	assert_string_equal(output.ramdisk, "r");
	assert_string_equal(output.args, "a  b");
}

static void only_the_kernel_is_needed_and_other_lines_are_passed_over(void **state)
{
	assert_int_equal(
		PARSE("Using /boot/grub/grub.cfg\nkernels are many\nargs\nargs \nkernel /out/k"),
		0);
	assert_string_equal(output.kernel, "k");
	assert_string_equal(output.ramdisk, "");
	assert_string_equal(output.args, "");
	REFUSED("", "finds no kernel");
	REFUSED("kernel\nkernel \nramdisk /out/r\n", "finds no kernel");
	REFUSED("linux (kernel '/out/k')", "finds no kernel");
}

static void a_path_names_a_file_of_the_directory_itself(void **state)
{
	static const char bad[] = "names a kernel that is no file of its directory";

	REFUSED("kernel /etc/shadow\n", bad);
	REFUSED("kernel /out\n", bad);
	REFUSED("kernel /out/\n", bad);
	REFUSED("kernel /out/.\n", bad);
	REFUSED("kernel /out/..\n", bad);
	REFUSED("kernel /out/../etc/shadow\n", bad);
	REFUSED("kernel /out/sub/k\n", bad);
	REFUSED("kernel /out//k\n", bad);
	REFUSED("kernel /outside/k\n", bad);
	REFUSED("kernel out/k\n", bad);
	REFUSED("kernel  /out/k\n", bad);
	REFUSED("kernel /out/k\033[2J\n", bad);
	REFUSED("kernel /out/k\r\n", bad);
	REFUSED("kernel /out/k\nramdisk /etc/shadow\n",
		"names a ramdisk that is no file of its directory");
}

static void a_name_has_a_greatest_length(void **state)
{
	char text[16 + BOOTLOADER_NAME_MAX] = "kernel /out/";
	size_t begin = strlen(text);

	memset(text + begin, 'k', BOOTLOADER_NAME_MAX);
	assert_int_equal(parse(text, begin + BOOTLOADER_NAME_MAX - 1), 0);
	assert_int_equal(strlen(output.kernel), BOOTLOADER_NAME_MAX - 1);
	assert_int_equal(parse(text, begin + BOOTLOADER_NAME_MAX), -EBADMSG);
}

static void a_command_line_is_one_that_a_guest_can_be_given(void **state)
{
	static const char bad[] =
		"says a command line of more than 1023 bytes, or with control characters";
	char text[32 + BOOTLOADER_ARGS_MAX] = "kernel /out/k\nargs ";
	size_t begin = strlen(text);

	assert_int_equal(PARSE("kernel /out/k\nargs a\tb\xc3\xa4\n"), 0);
	assert_string_equal(output.args, "a b\xc3\xa4");
	REFUSED("kernel /out/k\nargs a\033[2Jb\n", bad);
	REFUSED("kernel /out/k\nargs a\177\n", bad);
	memset(text + begin, 'a', BOOTLOADER_ARGS_MAX);
	assert_int_equal(parse(text, begin + BOOTLOADER_ARGS_MAX - 1), 0);
	assert_int_equal(strlen(output.args), BOOTLOADER_ARGS_MAX - 1);
	assert_int_equal(parse(text, begin + BOOTLOADER_ARGS_MAX), -EBADMSG);
	assert_string_equal(why, bad);
}

static void what_is_said_twice_is_refused(void **state)
{
	REFUSED("kernel /out/a\nkernel /out/b\n", "names two kernels");
	REFUSED("kernel /out/a\nramdisk /out/a\nramdisk /out/b\n", "names two ramdisks");
	REFUSED("kernel /out/a\nargs a\nargs b\n", "says two command lines");
}

/* Every text of up to six of the characters that have a meaning. */
static void no_text_reads_beyond_its_end(void **state)
{
	static const char bytes[] = { 'a', ' ', '/', '\n', '\0', '.' };
	char text[40] = "kernel /out/k\nargs x\nramdisk ";
	size_t begin = strlen(text);

	for (size_t length = 0; length <= 6; length++) {
		size_t count = 1;

		for (size_t i = 0; i < length; i++)
			count *= sizeof(bytes);
		for (size_t n = 0; n < count; n++) {
			size_t rest = n;

			for (size_t i = 0; i < length; i++, rest /= sizeof(bytes))
				text[begin + i] = bytes[rest % sizeof(bytes)];
			parse(text, begin + length);
			assert_null(strchr(output.ramdisk, '/'));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_formats_of_pygrub_are_read),
		cmocka_unit_test(only_the_kernel_is_needed_and_other_lines_are_passed_over),
		cmocka_unit_test(a_path_names_a_file_of_the_directory_itself),
		cmocka_unit_test(a_name_has_a_greatest_length),
		cmocka_unit_test(a_command_line_is_one_that_a_guest_can_be_given),
		cmocka_unit_test(what_is_said_twice_is_refused),
		cmocka_unit_test(no_text_reads_beyond_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
