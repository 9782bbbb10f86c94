/* SPDX-License-Identifier: MIT */
/* Calls on files that never answer, or are no files: xend's loop goes on. */
/* links: toolstack/xend/runtime/files.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/str.c */
/* libs: -luv */
#include "xend/runtime/files.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xend/runtime/task.h"
#include "unit.h"

static uv_loop_t *loop;
static char directory[] = "/tmp/xend-files-XXXXXX", path[64];
static sem_t answers;

static void run_task(void (*run)(void *arg))
{
	loop = uv_default_loop();
	assert_int_equal(task_setup(loop), 0);
	task_start(run, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(task_count(), 0);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
	unlink(path);
}

static int hang(const char *of)
{
	sem_wait(&answers);
	return -ENOENT;
}

static void tick(void *arg)
{
	unsigned int *count = arg;

	for (; *count < 5; ++*count)
		task_sleep(1);
	sem_post(&answers);
}

static void call_slowly(void *arg)
{
	unsigned int count = 0;

	task_start(tick, &count);
	assert_int_equal(files_call(hang, path), -ENOENT);
	assert_int_equal(count, 5);
}

static void test_the_loop_goes_on(void **state)
{
	run_task(call_slowly);
}

/* The task's descriptor is its own: the thread that hangs has another one. */
static void write_and_sync(void *arg)
{
	char text[8] = "";
	int fd, other;

	assert_int_equal(files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd), 0);
	assert_int_equal(files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &other), -EEXIST);
	assert_int_equal(files_write(fd, "words", 5), 0);
	assert_int_equal(files_sync(fd, path), 0);
	assert_int_equal(pread(fd, text, 5, 0), 5);
	assert_string_equal(text, "words");
	files_close(fd);
	assert_int_equal(files_remove(path), 0);
	assert_int_equal(files_remove(path), 0);
	assert_int_equal(access(path, F_OK), -1);
	fd = open("/dev/full", O_WRONLY);
	assert_int_equal(files_write(fd, "words", 5), -ENOSPC);
	close(fd);
}

static void test_files(void **state)
{
	run_task(write_and_sync);
}

static void open_fifo(void *arg)
{
	int fd = -1;

	assert_int_equal(mkfifo(path, 0700), 0);
	assert_int_equal(files_open(path, O_RDONLY, 0, &fd), -EINVAL);
	assert_int_equal(fd, -1);
	assert_int_equal(files_check_program(path), -EACCES);
}

static void test_a_fifo_is_refused_at_once(void **state)
{
	run_task(open_fifo);
}

static void check_programs(void *arg)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	close(fd);
	assert_int_equal(files_check_program("/bin/sh"), 0);
	assert_int_equal(files_check_program("/no/such"), -ENOENT);
	assert_int_equal(files_check_program(directory), -EISDIR);
	assert_int_equal(files_check_program(path), -EACCES);
}

static void test_programs(void **state)
{
	run_task(check_programs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_loop_goes_on),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_a_fifo_is_refused_at_once),
		cmocka_unit_test(test_programs),
	};
	int rc;

	sem_init(&answers, 0, 0);
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/file", directory);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return rc;
}
