/* SPDX-License-Identifier: MIT */
/* links: toolstack/lib/log_file.c toolstack/lib/log_open.c toolstack/lib/log.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/str.c */
/* libs: -lpthread */
/*
 * Logs whose disk does not answer. A FIFO is such a disk: open() waits until somebody reads it, and
 * write() while the reader is behind. Nothing here may wait for that.
 */
#include "lib/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/log_open.h"
#include "lib/str.h"
#include "unit.h"

#define PATIENCE 20000 /* milliseconds, of a test that goes well much less */

static char directory[] = "/tmp/unit-log-XXXXXX";
static unsigned int failures;

static const char *in_directory(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_loss(struct str *text, uint64_t lines, uint64_t bytes)
{
	str_printf(text, "LOST %u %u\n", (unsigned int)lines, (unsigned int)bytes);
}

static void failed(const char *path, const char *what, int errnum)
{
	failures++;
}

static struct log_file *new_file(const char *path, enum log_writer writer, size_t limit)
{
	struct log_file_spec spec = { .writer = writer,
				      .path = path,
				      .fd = -1,
				      .mode = 0600,
				      .limit = limit,
				      .add_loss = add_loss,
				      .failed = failed };

	return log_file_new(&spec);
}

static void write_line(struct log_file *file, unsigned int number)
{
	char line[1001];

	snprintf(line, sizeof(line), "%-999u\n", number);
	log_file_write(file, line, strlen(line));
}

static char *read_all(const char *name)
{
	static char text[4 * 1024 * 1024];
	FILE *file = fopen(in_directory(name), "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* The lines from `next` on are in order, until it says how many are lost. Returns the next one's.
 */
static unsigned int check_lines(FILE *from, unsigned int next)
{
	unsigned int lost, bytes;
	char line[1100];

	for (;; next++) {
		assert_non_null(fgets(line, sizeof(line), from));
		if (sscanf(line, "LOST %u %u", &lost, &bytes) == 2)
			break;
		assert_int_equal(atoi(line), (int)next);
	}
	assert_int_equal(bytes, lost * 1000);
	assert_true(lost > 1000);
	return next + lost;
}

static void a_hung_disk_stops_nobody(void **state)
{
	struct log_file *hung, *well;
	double begun = seconds();
	char line[1100];
	FILE *reader;

	assert_int_equal(mkfifo(in_directory("hung"), 0600), 0);
	hung = new_file(in_directory("hung"), LOG_WRITER_OWN, 0);
	well = new_file(in_directory("well"), LOG_WRITER_CONSOLES, 0);
	for (unsigned int i = 0; i < 2000; i++)
		write_line(hung, i);
	write_line(well, 7);
	assert_true(seconds() - begun < 5);
	/* Another writer's disk goes on. */
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	assert_int_equal(strlen(read_all("well")), 1000);
	begun = seconds();
	log_file_drain(LOG_WRITER_OWN, 100);
	assert_true(seconds() - begun < 5);
	/* It answers again: what was kept comes, then what is lost, then what is new. */
	reader = fopen(in_directory("hung"), "r");
	assert_non_null(reader);
	assert_int_equal(check_lines(reader, 0), 2000);
	write_line(hung, 2000);
	assert_non_null(fgets(line, sizeof(line), reader));
	assert_int_equal(atoi(line), 2000);
	log_file_close(hung);
	log_file_close(well);
	log_file_drain(LOG_WRITER_OWN, PATIENCE);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	fclose(reader);
}

/* /dev/full takes nothing. */
static void a_full_disk_is_said_once_and_counted(void **state)
{
	struct log_file *file;

	assert_int_equal(symlink("/dev/full", in_directory("link")), 0);
	failures = 0;
	/* A link is not followed: a guest's name becomes part of the path. */
	file = new_file(in_directory("link"), LOG_WRITER_CONSOLES, 0);
	write_line(file, 1);
	write_line(file, 2);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	assert_int_equal(failures, 1);
	/* The disk has room again. */
	unlink(in_directory("link"));
	write_line(file, 3);
	log_file_close(file);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	assert_int_equal(strncmp(read_all("link"), "LOST 2 2000\n3 ", 14), 0);
}

static void a_long_file_is_turned_over(void **state)
{
	struct log_file *file = new_file(in_directory("deep/er/long"), LOG_WRITER_CONSOLES, 5000);

	for (unsigned int i = 0; i < 12; i++)
		write_line(file, i);
	log_file_close(file);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	assert_int_equal(atoi(read_all("deep/er/long")), 10);
	assert_int_equal(strlen(read_all("deep/er/long.1")), 5000);
}

/* Something is in the way of the old file's new name. That is said once, not with each line. */
static void a_file_that_cannot_be_renamed_goes_on(void **state)
{
	struct log_file *file;

	assert_int_equal(mkdir(in_directory("stays.1"), 0700), 0);
	assert_int_equal(mkdir(in_directory("stays.1/full"), 0700), 0);
	failures = 0;
	file = new_file(in_directory("stays"), LOG_WRITER_CONSOLES, 5000);
	for (unsigned int i = 0; i < 12; i++)
		write_line(file, i);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	assert_int_equal(failures, 1);
	assert_int_equal(strlen(read_all("stays")), 12000);
	rmdir(in_directory("stays.1/full"));
	rmdir(in_directory("stays.1"));
	write_line(file, 12);
	log_file_close(file);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	assert_int_equal(strlen(read_all("stays.1")), 12000);
	assert_int_equal(strlen(read_all("stays")), 1000);
}

/* One disk hangs, and many files wait for it: all together are bounded, and each says its loss. */
static void many_files_on_a_hung_disk_are_bounded(void **state)
{
	enum { FILES = 60, LINES = 150 };
	struct log_file *hung, *files[FILES];
	size_t kept = 0;
	char name[20];
	int reader;

	assert_int_equal(mkfifo(in_directory("slow"), 0600), 0);
	hung = new_file(in_directory("slow"), LOG_WRITER_CONSOLES, 0);
	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "many%u", i);
		files[i] = new_file(in_directory(name), LOG_WRITER_CONSOLES, 0);
		for (unsigned int n = 0; n < LINES; n++)
			write_line(files[i], n);
	}
	reader = open(in_directory("slow"), O_RDONLY);
	assert_true(reader >= 0);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	for (unsigned int i = 0; i < FILES; i++) {
		const char *text;

		write_line(files[i], LINES);
		log_file_close(files[i]);
		log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
		snprintf(name, sizeof(name), "many%u", i);
		text = read_all(name);
		assert_non_null(strstr(text, "150 "));
		assert_true(strlen(text) >= 151000 || strstr(text, "LOST"));
		kept += strlen(text);
	}
	assert_in_range(kept, 3000000, 5000000);
	log_file_close(hung);
	log_file_drain(LOG_WRITER_CONSOLES, PATIENCE);
	close(reader);
}

static atomic_bool stop_logging;

static void *log_on(void *arg)
{
	while (!stop_logging)
		log_info("a line");
	return NULL;
}

/* A writer's thread may have something to say about its disk at any time. */
static void the_log_is_closed_while_a_thread_logs(void **state)
{
	pthread_t thread;

	stop_logging = false;
	assert_int_equal(pthread_create(&thread, NULL, log_on, NULL), 0);
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(log_open(in_directory("closed"), 1 << 16, NULL), 0);
		log_info("another line");
		log_close();
	}
	stop_logging = true;
	pthread_join(thread, NULL);
}

/* The same through log.h, whose lines a hung disk must not stop either. */
static void xends_log_on_a_hung_disk(void **state)
{
	double begun;
	int reader, fd;
	char line[200];
	FILE *from;

	assert_int_equal(mkfifo(in_directory("fifo"), 0600), 0);
	reader = open(in_directory("fifo"), O_RDONLY | O_NONBLOCK);
	assert_int_equal(log_open(in_directory("fifo"), 1 << 20, NULL), 0);
	begun = seconds();
	for (unsigned int i = 0; i < 20000; i++)
		log_info("line %u", i);
	assert_true(seconds() - begun < 10);
	fd = fcntl(reader, F_SETFL, 0);
	assert_int_equal(fd, 0);
	from = fdopen(reader, "r");
	do
		assert_non_null(fgets(line, sizeof(line), from));
	while (!strstr(line, "lines are lost here"));
	log_close();
	fclose(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hung_disk_stops_nobody),
		cmocka_unit_test(a_full_disk_is_said_once_and_counted),
		cmocka_unit_test(a_long_file_is_turned_over),
		cmocka_unit_test(a_file_that_cannot_be_renamed_goes_on),
		cmocka_unit_test(many_files_on_a_hung_disk_are_bounded),
		cmocka_unit_test(the_log_is_closed_while_a_thread_logs),
		cmocka_unit_test(xends_log_on_a_hung_disk),
	};
	char command[100];
	int rc;

	if (!mkdtemp(directory))
		return 1;
	log_set_stderr(0);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command) ? 1 : rc;
}
