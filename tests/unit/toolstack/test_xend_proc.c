/* SPDX-License-Identifier: MIT */
/* Child processes that leave others behind, with real ones: /bin/sh and its children. */
/* links: toolstack/xend/runtime/proc.c toolstack/xend/runtime/files.c toolstack/xend/runtime/limits.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/oom.c toolstack/xend/runtime/task.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -luv */
#include "xend/runtime/proc.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "xend/runtime/task.h"
#include "unit.h"

static const char *command;
static uint64_t patience;
static char last_line[64];
static unsigned int nr_lines;
static int result, status;
static uint64_t took;

static void on_line(void *arg, char *line)
{
	snprintf(last_line, sizeof(last_line), "%s", line);
	nr_lines++;
}

static void run_child(void *arg)
{
	const char *argv[] = { "/bin/sh", "-c", command, NULL };
	struct proc_spec spec = { .argv = argv, .fd = -1, .on_line = on_line };
	uint64_t start = task_now();
	struct error *e = NULL;
	struct proc *proc;

	assert_int_equal(proc_start(&spec, &proc, &e), 0);
	proc_end_input(proc);
	result = proc_wait(proc, task_deadline(patience), &status);
	proc_free(proc);
	took = task_deadline(0) - start;
}

static void end(void *arg)
{
	run_child(NULL);
	/* The child must be reaped before proc_teardown. */
	task_sleep(50);
	proc_teardown();
	task_teardown();
}

static void run(const char *text, uint64_t ms)
{
	uv_loop_t *loop = uv_default_loop();

	command = text;
	patience = ms;
	last_line[0] = '\0';
	nr_lines = 0;
	status = -1;
	assert_int_equal(task_setup(loop), 0);
	assert_int_equal(proc_setup(loop), 0);
	task_start(end, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
}

/* A process that has ended but that nobody has reaped counts as dead. */
static bool lives(const char *pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", atoi(pid));
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		fclose(file);
	}
	return state != 'Z' && state != 'X';
}

static bool dies(const char *pid)
{
	const struct timespec interval = { .tv_nsec = 10000000 };

	for (int i = 0; i < 200 && lives(pid); i++)
		nanosleep(&interval, NULL);
	return !lives(pid);
}

static void test_all_output_of_a_child_arrives(void **state)
{
	run("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 3", 30000);
	assert_int_equal(result, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(nr_lines, 2000);
	assert_string_equal(last_line, "line 1999");
}

/* Like a script that starts a daemon, which keeps the script's standard output. */
static void test_the_end_of_the_script_counts(void **state)
{
	run("sleep 60 & echo $!", 30000);
	assert_int_equal(result, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(took < 10000);
	assert_int_equal(nr_lines, 1);
	assert_true(isdigit((unsigned char)last_line[0]));
	assert_true(lives(last_line));
	kill(atoi(last_line), SIGKILL);
}

static void test_a_script_that_takes_too_long_dies_with_its_children(void **state)
{
	run("sleep 60 & echo $!; wait", 300);
	assert_int_equal(result, -ETIMEDOUT);
	assert_int_equal(nr_lines, 1);
	assert_true(dies(last_line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_output_of_a_child_arrives),
		cmocka_unit_test(test_the_end_of_the_script_counts),
		cmocka_unit_test(test_a_script_that_takes_too_long_dies_with_its_children),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
