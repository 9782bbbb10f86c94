/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/save_header.c toolstack/util/alloc.c toolstack/util/error.c toolstack/util/file.c toolstack/util/json.c toolstack/util/str.c */
/* libs: -ljson-c */
#include "xend/save_header.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "unit.h"

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
	char next[4];

	json_set_string(o, "name", "g1");
	assert_int_equal(save_header_write(fd, "f", o, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR) % 8, 0);
	assert_int_equal(write(fd, "next", 4), 4);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(save_header_read(fd, "f", &read_back, &e), 0);
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

	assert_int_equal(save_header_read(fd, "FILE", &o, &e), -ENOEXEC);
	assert_null(o);
	assert_non_null(strstr(error_text(e), "FILE"));
	assert_non_null(strstr(error_text(e), says));
	error_free(&e);
	close(fd);
}

static void test_what_is_no_saved_domain_is_refused(void **state)
{
	static const struct save_header other_version = { .magic = SAVE_MAGIC, .version = 2, .length = 8 };
	static const struct save_header huge = { .magic = SAVE_MAGIC, .version = 1, .length = UINT32_MAX };
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
		cmocka_unit_test(test_only_an_unfinished_save_may_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
