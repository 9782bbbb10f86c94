/* SPDX-License-Identifier: MIT */
/* The toolstack's library: errors, strings, files and the log. */
/* links: toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/log.c toolstack/lib/log_file.c toolstack/lib/log_open.c toolstack/lib/str.c */
#include "lib/error.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/log_open.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>
#include "unit.h"

static char dir[] = "/tmp/test_util.XXXXXX";

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/test_util.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static unsigned int files_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void an_error_has_a_sentence_and_an_errno(void **state)
{
	struct error *e = NULL;

	assert_string_equal(error_text(NULL), "No error.");
	assert_int_equal(error_set(&e, ENOENT, "No %s.", "tea"), -ENOENT);
	assert_string_equal(error_text(e), "No tea.");
	/* A negative errno is accepted too, and the old text may be part of the new one. */
	assert_int_equal(error_set(&e, -EBUSY, "Late: %s", error_text(e)), -EBUSY);
	assert_string_equal(error_text(e), "Late: No tea.");
	error_prefix(&e, "Domain %d: ", 3);
	assert_string_equal(error_text(e), "Domain 3: Late: No tea.");
	assert_int_equal(error_errno(e), EBUSY);
	error_free(&e);
	assert_null(e);
	assert_int_equal(error_set(NULL, ENOMEM, "Nobody listens."), -ENOMEM);
	assert_int_equal(error_set(&e, 0, "Never success."), -EIO);
	error_free(&e);
}

static void an_error_moves(void **state)
{
	struct error *from = NULL, *to = NULL;

	assert_int_equal(error_move(&to, &from), 0);
	assert_null(to);
	error_set(&to, EPERM, "Old.");
	error_set(&from, EINVAL, "New.");
	assert_int_equal(error_move(&to, &from), -EINVAL);
	assert_null(from);
	assert_string_equal(error_text(to), "New.");
	assert_int_equal(error_move(NULL, &to), -EINVAL);
	assert_null(to);
}

static void a_string_grows_and_shrinks(void **state)
{
	struct str s = STR_INIT;
	char *stolen;

	assert_string_equal(str_text(&s), "");
	for (int i = 0; i < 1000; i++)
		str_printf(&s, "%03d,", i);
	assert_int_equal(s.len, 4000);
	assert_memory_equal(s.text + 3996, "999,", 5);
	str_drop(&s, 3992);
	assert_string_equal(str_text(&s), "998,999,");
	str_drop(&s, 8);
	assert_string_equal(str_text(&s), "");
	str_add_bytes(&s, "a\0b", 3);
	assert_int_equal(s.len, 3);
	stolen = str_steal(&s);
	assert_memory_equal(stolen, "a\0b", 4);
	free(stolen);
	assert_null(s.text);
	str_drop(&s, 0);
	stolen = str_steal(&s);
	assert_string_equal(stolen, "");
	free(stolen);
	str_free(&s);
}

static void numbers_are_whole_and_bounded(void **state)
{
	uint64_t n = 7;

	assert_true(str_to_u64("18446744073709551615", 10, 0, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(str_to_u64("0x1f", 0, 0, 100, &n));
	assert_int_equal(n, 31);
	n = 7;
	assert_false(str_to_u64("18446744073709551616", 10, 0, UINT64_MAX, &n));
	assert_false(str_to_u64("", 10, 0, 10, &n));
	assert_false(str_to_u64("-1", 10, 0, UINT64_MAX, &n));
	assert_false(str_to_u64("+1", 10, 0, 10, &n));
	assert_false(str_to_u64(" 1", 10, 0, 10, &n));
	assert_false(str_to_u64("1 ", 10, 0, 10, &n));
	assert_false(str_to_u64("a", 10, 0, 10, &n));
	assert_false(str_to_u64("11", 10, 0, 10, &n));
	assert_false(str_to_u64("4", 10, 5, 10, &n));
	assert_int_equal(n, 7);
}

static void text_is_trimmed_and_compared(void **state)
{
	char text[] = " \t a b \n", blanks[] = "  ";

	assert_string_equal(str_trim(text), "a b");
	assert_string_equal(str_trim(blanks), "");
	assert_true(str_starts("phy:/dev/sda", "phy:"));
	assert_false(str_starts("ph", "phy:"));
	assert_true(str_is_path_within("/a/b", "/a"));
	assert_true(str_is_path_within("/a", "/a"));
	assert_true(str_is_path_within("/a", "/"));
	assert_false(str_is_path_within("/ab", "/a"));
	assert_false(str_is_path_within("/", "/a"));
	assert_true(str_ends("disk.img", ".img"));
	assert_false(str_ends("mg", ".img"));
}

static void distance_counts_edits(void **state)
{
	assert_int_equal(str_distance("memory", "memory", 2), 0);
	assert_int_equal(str_distance("memroy", "memory", 2), 1);
	assert_int_equal(str_distance("memry", "memory", 2), 1);
	assert_int_equal(str_distance("mammory", "memory", 3), 2);
	assert_int_equal(str_distance("", "abc", 3), 3);
	assert_int_equal(str_distance("kernel", "vif", 2), 3);
}

static void a_file_is_written_whole_or_not_at_all(void **state)
{
	struct str s = STR_INIT;
	struct error *e = NULL;
	struct stat st;
	const char *path = in_dir("f");

	assert_int_equal(file_write_atomic(path, "first", 5, 0600, &e), 0);
	assert_int_equal(file_write_atomic(path, "second\n", 7, 0640, &e), 0);
	assert_int_equal(file_read(path, 100, &s, &e), 0);
	assert_string_equal(str_text(&s), "second\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(files_in_dir(), 1);
	/* A directory is in the way: the rename fails, and the temporary file is removed. */
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	assert_true(file_write_atomic(in_dir("d"), "x", 1, 0600, &e) < 0);
	assert_non_null(strstr(error_text(e), "Cannot rename"));
	assert_int_equal(files_in_dir(), 2);
	error_free(&e);
	str_free(&s);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	struct error *e = NULL;
	int fd = open("/dev/full", O_WRONLY);

	assert_int_equal(file_write_fd(fd, "/dev/full", "x", 1, &e), -ENOSPC);
	assert_string_equal(error_text(e), "Cannot write /dev/full: No space left on device.");
	error_free(&e);
	close(fd);
}

static void reading_has_a_limit(void **state)
{
	struct str s = STR_INIT;
	struct error *e = NULL;
	const char *path = in_dir("f");

	assert_int_equal(file_write_atomic(path, "12345", 5, 0600, &e), 0);
	assert_int_equal(file_read(path, 5, &s, &e), 0);
	assert_int_equal(s.len, 5);
	assert_int_equal(file_read(path, 4, &s, &e), -EFBIG);
	assert_non_null(strstr(error_text(e), "at most 4 bytes"));
	assert_int_equal(file_read(in_dir("none"), 4, &s, &e), -ENOENT);
	assert_non_null(strstr(error_text(e), "No such file"));
	/* Reading an endless device stops at the limit too. */
	str_clear(&s);
	assert_int_equal(file_read("/dev/zero", 200000, &s, &e), -EFBIG);
	assert_true(s.len <= 200001);
	error_free(&e);
	str_free(&s);
}

static void directories_are_made(void **state)
{
	struct error *e = NULL;
	struct stat st;

	assert_int_equal(file_make_dirs(in_dir("a/b/c"), 0700, &e), 0);
	assert_int_equal(stat(in_dir("a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_make_dirs(in_dir("a/b/c"), 0700, &e), 0);
	assert_int_equal(file_make_dirs("/proc/none/x", 0700, &e), -ENOENT);
	error_free(&e);
	assert_int_equal(file_remove(in_dir("none"), &e), 0);
	assert_true(file_remove(in_dir("a"), &e) < 0);
	error_free(&e);
}

static void the_log_is_bounded_and_in_lines(void **state)
{
	struct str s = STR_INIT;
	struct error *e = NULL;

	log_set_stderr(0);
	assert_int_equal(log_open(in_dir("log"), 1000, &e), 0);
	log_debug("not important enough");
	log_info("two\nlines \x1b[31m");
	log_drain();
	assert_int_equal(file_read(in_dir("log"), 2000, &s, &e), 0);
	assert_non_null(strstr(str_text(&s), "] INFO two lines  [31m\n"));
	assert_null(strstr(str_text(&s), "important"));
	for (int i = 0; i < 100; i++)
		log_error("line %d", i);
	log_drain();
	str_clear(&s);
	assert_int_equal(file_read(in_dir("log"), 1000, &s, &e), 0);
	assert_non_null(strstr(str_text(&s), "ERROR line 99\n"));
	assert_int_equal(file_read(in_dir("log.1"), 1000, &s, &e), 0);
	assert_int_equal(files_in_dir(), 2);
	log_close();
	assert_true(log_open(in_dir("none/log"), 1, &e) < 0);
	error_free(&e);
	str_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_has_a_sentence_and_an_errno),
		cmocka_unit_test(an_error_moves),
		cmocka_unit_test(a_string_grows_and_shrinks),
		cmocka_unit_test(numbers_are_whole_and_bounded),
		cmocka_unit_test(text_is_trimmed_and_compared),
		cmocka_unit_test(distance_counts_edits),
		cmocka_unit_test_setup_teardown(a_file_is_written_whole_or_not_at_all, make_dir,
						remove_dir),
		cmocka_unit_test(a_full_disk_leaves_the_old_file),
		cmocka_unit_test_setup_teardown(reading_has_a_limit, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(directories_are_made, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(the_log_is_bounded_and_in_lines, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
