/* SPDX-License-Identifier: MIT */
/* The header of a saved domain's file, and the seal that tells this host's files from others. */
/* links: toolstack/xend/domain/save_header.c toolstack/xend/runtime/seal.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/str.c */
/* libs: -ljson-c -lnettle */
#include "xend/domain/save_header.h"
#include "xend/runtime/seal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/file.h"
#include "unit.h"

static int write_header(int fd, struct json_object *config, struct error **e)
{
	struct str header = STR_INIT;
	int rc = save_header_make(config, "f", &header, e);

	if (rc == 0)
		rc = file_write_fd(fd, "f", header.text, header.len, e);
	str_free(&header);
	return rc;
}

static int file_with(const void *bytes, size_t length)
{
	int fd = memfd_create("saved", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void test_what_is_written_is_read_and_the_memory_is_next(void **state)
{
	struct json_object *o = json_new_object(), *read_back = NULL;
	int fd = memfd_create("saved", 0);
	struct error *e = NULL;
	bool ours = false;
	char next[4];

	json_set_string(o, "name", "g1");
	assert_int_equal(write_header(fd, o, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR) % 8, 0);
	assert_int_equal(write(fd, "next", 4), 4);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(save_header_read(fd, "f", &read_back, &ours, &e), 0);
	assert_true(ours);
	assert_true(json_object_equal(o, read_back));
	assert_int_equal(read(fd, next, 4), 4);
	assert_memory_equal(next, "next", 4);
	json_object_put(o);
	json_object_put(read_back);
	close(fd);
}

static void check_refused(const void *bytes, size_t length, const char *says)
{
	struct json_object *o = NULL;
	struct error *e = NULL;
	int fd = file_with(bytes, length);
	bool ours;

	assert_int_equal(save_header_read(fd, "FILE", &o, &ours, &e), -ENOEXEC);
	assert_null(o);
	assert_non_null(strstr(error_text(e), "FILE"));
	assert_non_null(strstr(error_text(e), says));
	error_free(&e);
	close(fd);
}

static void test_what_is_no_saved_domain_is_refused(void **state)
{
	static const struct save_header other_version = { .magic = SAVE_MAGIC,
							  .version = 3,
							  .length = 8 };
	static const struct save_header huge = { .magic = SAVE_MAGIC,
						 .version = 1,
						 .length = UINT32_MAX };
	static const struct save_header empty = { .magic = SAVE_MAGIC, .version = 1, .length = 0 };
	static const struct save_header cut = { .magic = SAVE_MAGIC, .version = 1, .length = 8 };
	static const struct {
		struct save_header header;
		char text[8];
	} no_json = { { .magic = SAVE_MAGIC, .version = 1, .length = 8 }, "{\"a\":   " };

	check_refused("", 0, "ends within its header");
	check_refused("XENOLITH", 8, "ends within its header");
	check_refused("Xen saved domain, xl format", 27, "no domain that xend saved");
	check_refused(&other_version, sizeof(other_version), "another version");
	check_refused(&huge, sizeof(huge), "damaged");
	check_refused(&empty, sizeof(empty), "damaged");
	check_refused(&cut, sizeof(cut), "ends within its header");
	check_refused(&no_json, sizeof(no_json), "configuration");
}

/* Makes a complete file of a domain "g1". */
static size_t write_file(char bytes[256])
{
	struct json_object *o = json_new_object();
	int fd = memfd_create("saved", 0);
	ssize_t length;

	json_set_string(o, "name", "g1");
	assert_int_equal(write_header(fd, o, NULL), 0);
	json_object_put(o);
	length = pread(fd, bytes, 256, 0);
	assert_true(length > 48 && length < 256);
	close(fd);
	return (size_t)length;
}

/* What restore would refuse must not be written: the domain is gone then. */
static void test_no_file_is_written_that_cannot_be_read(void **state)
{
	static char name[SAVE_MAX_CONFIG + 2];

	for (size_t length = SAVE_MAX_CONFIG - 16; length < SAVE_MAX_CONFIG + 2; length++) {
		struct json_object *o = json_new_object(), *read_back = NULL;
		int fd = memfd_create("saved", 0), rc;
		struct error *e = NULL;
		bool ours;

		memset(name, 'a', length);
		name[length] = '\0';
		json_set_string(o, "name", name);
		rc = write_header(fd, o, &e);
		json_object_put(o);
		if (rc == 0) {
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			assert_int_equal(save_header_read(fd, "f", &read_back, &ours, NULL), 0);
			json_object_put(read_back);
		} else {
			assert_int_equal(rc, -EFBIG);
			assert_non_null(strstr(error_text(e), "at most 256 KiB"));
			assert_int_equal(lseek(fd, 0, SEEK_END), 0);
		}
		error_free(&e);
		close(fd);
	}
}

/* Whether a readable file is accepted as this host's own. */
static bool is_ours(const void *bytes, size_t length)
{
	struct json_object *o = NULL;
	int fd = file_with(bytes, length);
	bool ours = true;

	assert_int_equal(save_header_read(fd, "f", &o, &ours, NULL), 0);
	json_object_put(o);
	close(fd);
	return ours;
}

static void test_a_file_that_was_changed_is_a_strangers(void **state)
{
	static const struct {
		struct save_header header;
		char text[16];
	} old = { { .magic = SAVE_MAGIC, .version = 1, .length = 13 }, "{\"name\":\"g1\"}" };
	char bytes[256];
	size_t length = write_file(bytes);
	char *name = memmem(bytes, length, "g1", 2);

	assert_true(is_ours(bytes, length));
	*name = 'h';
	assert_false(is_ours(bytes, length));
	*name = 'g';
	for (size_t i = sizeof(struct save_header); i < sizeof(struct save_header) + SEAL_SIZE;
	     i++) {
		bytes[i] ^= 1;
		assert_false(is_ours(bytes, length));
		bytes[i] ^= 1;
	}
	assert_true(is_ours(bytes, length));
	assert_false(is_ours(&old, sizeof(old)));
}

/* The seal must not change: later versions read the files, and so do hosts with the same key. The
 * expected HMAC-SHA256 comes from Python's hmac. */
static void test_the_seal_is_the_one_that_the_format_says(void **state)
{
	static const char text[] = "a saved domain";
	static const uint8_t expected[SEAL_SIZE] = {
		0xdb, 0xc4, 0x88, 0x30, 0x05, 0x6b, 0x1f, 0x7d, 0x30, 0x82, 0x07,
		0x00, 0x23, 0x19, 0xe2, 0x46, 0xca, 0xf2, 0x9c, 0xb5, 0x0a, 0x8b,
		0xf5, 0x7b, 0x3c, 0x85, 0x65, 0x51, 0xda, 0x7f, 0x6f, 0xa9
	};
	uint8_t seal[SEAL_SIZE];

	/* No key was read yet, so the key is 32 zeroes. */
	seal_make(text, strlen(text), seal);
	assert_memory_equal(seal, expected, sizeof(seal));
}

static void test_another_hosts_key_makes_another_seal(void **state)
{
	char directory[] = "/tmp/seal-XXXXXX", path[64], bytes[256];
	size_t length = write_file(bytes);
	struct error *e = NULL;
	struct stat st;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/new/key", directory);
	assert_int_equal(seal_setup(path, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_false(is_ours(bytes, length));
	length = write_file(bytes);
	/* The key is read again, and not generated again. */
	assert_int_equal(seal_setup(path, &e), 0);
	assert_true(is_ours(bytes, length));
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(seal_setup(path, &e), -EINVAL);
	assert_non_null(strstr(error_text(e), "is damaged"));
	error_free(&e);
	unlink(path);
	snprintf(path, sizeof(path), "%s/new", directory);
	rmdir(path);
	rmdir(directory);
}

static bool begins(const void *bytes, size_t length)
{
	char path[] = "/tmp/save-header-XXXXXX";
	int fd = mkstemp(path);
	bool begins;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
	begins = save_header_begins(path);
	unlink(path);
	return begins;
}

static void test_only_an_unfinished_save_may_be_removed(void **state)
{
	assert_true(begins("", 0));
	assert_true(begins("XENO", 4));
	assert_true(begins("XENOLITH\1\0\0\0", 12));
	assert_false(begins("XENOLINE", 8));
	assert_false(begins("m", 1));
	assert_false(save_header_begins("/nowhere/at/all"));
	assert_false(save_header_begins("/tmp"));
	unlink("/tmp/save-header-fifo");
	assert_int_equal(mkfifo("/tmp/save-header-fifo", 0600), 0);
	assert_false(save_header_begins("/tmp/save-header-fifo"));
	unlink("/tmp/save-header-fifo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read_and_the_memory_is_next),
		cmocka_unit_test(test_what_is_no_saved_domain_is_refused),
		cmocka_unit_test(test_no_file_is_written_that_cannot_be_read),
		cmocka_unit_test(test_a_file_that_was_changed_is_a_strangers),
		cmocka_unit_test(test_the_seal_is_the_one_that_the_format_says),
		cmocka_unit_test(test_another_hosts_key_makes_another_seal),
		cmocka_unit_test(test_only_an_unfinished_save_may_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
