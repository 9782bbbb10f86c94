/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/disk_image.c toolstack/xend/device/qemu_process.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/str.c */
/* Headers of images, good and broken ones; and which command line is that of a domain's QEMU. */
#include "xend/device/disk_image.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "xend/device/qemu_process.h"
#include "unit.h"

static char directory[] = "/tmp/disk-image-XXXXXX";

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", directory, name);
}

static void put32(unsigned char *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

static void put64(unsigned char *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

struct qcow2 {
	unsigned char bytes[4096];
};

static void qcow2_begin(struct qcow2 *image)
{
	memset(image, 0, sizeof(*image));
	put32(image->bytes, 0x514649fb);
	put32(image->bytes + 4, 3);
	put32(image->bytes + 20, 16);
	put32(image->bytes + 100, 104);
}

/* format: NULL: not said. */
static void qcow2_lies_on(struct qcow2 *image, const char *path, const char *format)
{
	put64(image->bytes + 8, 1024);
	put32(image->bytes + 16, (uint32_t)strlen(path));
	memcpy(image->bytes + 1024, path, strlen(path));
	if (!format)
		return;
	put32(image->bytes + 104, 0xe2792aca);
	put32(image->bytes + 108, (uint32_t)strlen(format));
	memcpy(image->bytes + 112, format, strlen(format));
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
	free(path);
}

/* What is said of an image: an error, or the names of the images below it, each with a blank. */
static char *ask(const char *name, enum config_disk_format format)
{
	struct disk_image_list below = { NULL, 0 };
	char *path = path_of(name), *text;
	int fd = open(path, O_PATH);
	struct str names = STR_INIT;
	struct error *e = NULL;

	if (disk_image_read(fd, path, format, &below, &e)) {
		text = xstrdup(error_text(e));
	} else {
		for (size_t i = 0; i < below.nr; i++)
			str_printf(&names, "%s ", below.paths[i] + strlen(directory) + 1);
		text = str_steal(&names);
	}
	error_free(&e);
	disk_image_list_free(&below);
	close(fd);
	free(path);
	return text;
}

static void expect(const char *name, enum config_disk_format format, const char *words)
{
	char *said = ask(name, format);

	if (*words ? !strstr(said, words) : *said)
		fail_msg("%s: \"%s\", not \"%s\"", name, said, words);
	free(said);
}

static void test_chain(void **state)
{
	struct qcow2 image;

	write_file("base", "anything", 8);
	qcow2_begin(&image);
	write_file("alone", &image, sizeof(image));
	expect("alone", CONFIG_FORMAT_QCOW2, "");
	qcow2_lies_on(&image, "base", "raw");
	write_file("middle", &image, sizeof(image));
	expect("middle", CONFIG_FORMAT_QCOW2, "base ");
	qcow2_begin(&image);
	qcow2_lies_on(&image, "middle", "qcow2");
	write_file("top", &image, sizeof(image));
	expect("top", CONFIG_FORMAT_QCOW2, "middle base ");
	/* As a raw one it is only bytes, whatever they are. */
	expect("top", CONFIG_FORMAT_RAW, "");
	qcow2_begin(&image);
	qcow2_lies_on(&image, "circle", "qcow2");
	write_file("circle", &image, sizeof(image));
	expect("circle", CONFIG_FORMAT_QCOW2, "more than 32 images");
}

static void test_refused(void **state)
{
	struct qcow2 image;

	qcow2_begin(&image);
	qcow2_lies_on(&image, "base", NULL);
	write_file("guess", &image, sizeof(image));
	expect("guess", CONFIG_FORMAT_QCOW2, "does not say of which format");
	qcow2_begin(&image);
	qcow2_lies_on(&image, "nbd:host:1", "raw");
	write_file("remote", &image, sizeof(image));
	expect("remote", CONFIG_FORMAT_QCOW2, "not a plain path");
	qcow2_begin(&image);
	qcow2_lies_on(&image, "base", "vmdk");
	write_file("foreign", &image, sizeof(image));
	expect("foreign", CONFIG_FORMAT_QCOW2, "format \"vmdk\" is not supported");
	qcow2_begin(&image);
	put64(image.bytes + 72, 4);
	write_file("data", &image, sizeof(image));
	expect("data", CONFIG_FORMAT_QCOW2, "data is in another file");
	expect("data", CONFIG_FORMAT_QCOW, "another version");
	expect("data", CONFIG_FORMAT_VHD, "neither begins nor ends");
	expect("data", CONFIG_FORMAT_QED, "does not begin");
	write_file("short", "QFI\xfb", 4);
	expect("short", CONFIG_FORMAT_QCOW2, "does not begin");
	write_file("empty", "", 0);
	for (unsigned int format = CONFIG_FORMAT_QCOW; format <= CONFIG_FORMAT_QED; format++)
		expect("empty", (enum config_disk_format)format, "is not a usable");
}

/* Puts an extension into a header, and returns where the next one goes. */
static size_t qcow2_extend(struct qcow2 *image, size_t at, uint32_t type, const char *text,
			   size_t length)
{
	put32(image->bytes + at, type);
	put32(image->bytes + at + 4, (uint32_t)length);
	memcpy(image->bytes + at + 8, text, length);
	return at + 8 + (length + 7) / 8 * 8;
}

#define FORMAT 0xe2792aca

/* As qemu-img info reads the same headers. */
static void test_extensions_as_qemu_reads_them(void **state)
{
	struct qcow2 image;
	size_t at;

	/* The last name of a format counts. */
	qcow2_begin(&image);
	qcow2_lies_on(&image, "base", "raw");
	at = qcow2_extend(&image, 104, FORMAT, "raw", 3);
	qcow2_extend(&image, at, FORMAT, "qcow2", 5);
	write_file("two", &image, sizeof(image));
	expect("two", CONFIG_FORMAT_QCOW2, "base is not a usable qcow2 image");
	/* An empty one too: then QEMU would guess. */
	qcow2_begin(&image);
	qcow2_lies_on(&image, "base", "raw");
	at = qcow2_extend(&image, 104, FORMAT, "raw", 3);
	qcow2_extend(&image, at, FORMAT, "", 0);
	write_file("two", &image, sizeof(image));
	expect("two", CONFIG_FORMAT_QCOW2, "does not say of which format");
	/* They end where the path begins. */
	qcow2_begin(&image);
	at = qcow2_extend(&image, 104, FORMAT, "raw", 3);
	at = qcow2_extend(&image, at, 0x11, "12345678", 8);
	put64(image.bytes + 8, at);
	put32(image.bytes + 16, 4);
	memcpy(image.bytes + at, "base", 4);
	qcow2_extend(&image, at + 8, FORMAT, "qcow2", 5);
	write_file("two", &image, sizeof(image));
	expect("two", CONFIG_FORMAT_QCOW2, "base ");
	/* None crosses that place. */
	put32(image.bytes + 124, 17);
	write_file("two", &image, sizeof(image));
	expect("two", CONFIG_FORMAT_QCOW2, "header is broken");
	/* A longer one than QEMU takes. */
	qcow2_begin(&image);
	qcow2_lies_on(&image, "base", "rawrawrawrawrawr");
	write_file("two", &image, sizeof(image));
	expect("two", CONFIG_FORMAT_QCOW2, "header is broken");
}

/* What lies behind the part that is read is not passed over. */
static void test_far_extension(void **state)
{
	static unsigned char bytes[128 * 1024];
	struct qcow2 image;

	qcow2_begin(&image);
	put32(image.bytes + 20, 21);
	qcow2_lies_on(&image, "base", "raw");
	put64(image.bytes + 8, 100 * 1024);
	put32(image.bytes + 120, 0x11);
	put32(image.bytes + 124, 65536 - 128);
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &image, sizeof(image));
	write_file("far", bytes, sizeof(bytes));
	expect("far", CONFIG_FORMAT_QCOW2, "header is broken");
}

/* No length and no offset leads out of what was read. */
static void test_broken_numbers(void **state)
{
	static const uint64_t offsets[] = { 1, 4090, 4096, 65536, 1ULL << 40, UINT64_MAX };
	static const uint32_t lengths[] = { 1, 1023, 1024, 65536, UINT32_MAX };
	struct qcow2 image;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
			qcow2_begin(&image);
			put64(image.bytes + 8, offsets[i]);
			put32(image.bytes + 16, lengths[j]);
			write_file("broken", &image, sizeof(image));
			free(ask("broken", CONFIG_FORMAT_QCOW2));
			free(ask("broken", CONFIG_FORMAT_QED));
			qcow2_begin(&image);
			put32(image.bytes + 100, (uint32_t)offsets[i]);
			put32(image.bytes + 108, lengths[j]);
			put32(image.bytes + 104, 0xe2792aca);
			write_file("broken", &image, sizeof(image));
			free(ask("broken", CONFIG_FORMAT_QCOW2));
		}
	}
}

static void test_vhd(void **state)
{
	unsigned char image[1024] = "conectix";

	put32(image + 60, 3);
	write_file("dynamic", image, sizeof(image));
	expect("dynamic", CONFIG_FORMAT_VHD, "");
	put32(image + 60, 4);
	write_file("differences", image, sizeof(image));
	expect("differences", CONFIG_FORMAT_VHD, "differences");
	memset(image, 0, sizeof(image));
	memcpy(image + 512, "conectix", 8);
	put32(image + 512 + 60, 2);
	write_file("fixed", image, sizeof(image));
	expect("fixed", CONFIG_FORMAT_VHD, "");
}

#define UUID	      "11111111-2222-3333-4444-555555555555"
#define PROGRAM	      "/usr/libexec/qemu"
#define MATCHES(text) qemu_cmdline_matches(text, sizeof(text), PROGRAM, "/run/5.pid", uuid)

static void test_command_line(void **state)
{
	char uuid[QEMU_UUID_SIZE] = "";

	assert_true(MATCHES(PROGRAM "\0-uuid\0" UUID "\0-pidfile\0/run/5.pid"));
	assert_string_equal(uuid, UUID);
	assert_true(MATCHES(PROGRAM "\0-pidfile\0/run/5.pid\0-uuid\0" UUID));
	assert_false(MATCHES("/bin/cat\0-uuid\0" UUID "\0-pidfile\0/run/5.pid"));
	assert_false(MATCHES(PROGRAM "\0-uuid\0" UUID "\0-pidfile\0/run/55.pid"));
	assert_false(MATCHES(PROGRAM "\0-uuid\0short\0-pidfile\0/run/5.pid"));
	assert_false(MATCHES(PROGRAM "\0-uuid\0" UUID "\0-pidfile"));
	assert_false(MATCHES(PROGRAM "\0-pidfile\0/run/5.pid\0-uuid"));
	assert_false(qemu_cmdline_matches("", 0, PROGRAM, "/run/5.pid", uuid));
	assert_false(qemu_cmdline_matches(PROGRAM, strlen(PROGRAM), PROGRAM, "/run/5.pid", uuid));
}

/* A host without descriptors knows nothing of a QEMU, and says so. */
static void test_life(void **state)
{
	struct rlimit before, none;
	struct qemu_process process;

	assert_int_equal(qemu_life(32000), QEMU_NONE);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(qemu_life(32000), QEMU_UNKNOWN);
	assert_int_equal(qemu_process_find(32000, &process), QEMU_UNKNOWN);
	assert_false(qemu_process_ended(&process));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(qemu_life(32000), QEMU_NONE);
}

static int set_up(void **state)
{
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char *command = xasprintf("rm -rf %s", directory);
	int rc = system(command);

	free(command);
	return rc;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_broken_numbers),
		cmocka_unit_test(test_vhd),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_extensions_as_qemu_reads_them),
		cmocka_unit_test(test_far_extension),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
