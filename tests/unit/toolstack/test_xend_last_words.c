/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/runtime/last_words.c */
/* A process ends by a fault: its log says so, and whoever waits for it sees the signal. */
#include "xend/runtime/last_words.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char path[] = "/tmp/last-words-XXXXXX";

/* Has a child end by the signal, and returns the log. */
static const char *log_of(int signal, bool from_outside)
{
	static char text[1000];
	FILE *file;
	pid_t pid;
	int status;

	fflush(NULL);
	assert_int_equal(truncate(path, 0), 0);
	pid = fork();
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		last_words_setup(path);
		if (from_outside)
			pause();
		/* A sanitizer takes bad addresses; this one it leaves. */
		raise(signal);
		_exit(0);
	}
	usleep(from_outside ? 200000 : 0);
	if (from_outside)
		kill(pid, signal);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
	file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void a_fault_is_said(void **state)
{
	char begin[100];

	assert_non_null(
		strstr(log_of(SIGABRT, false), "ERROR xend ends by signal 6, from process "));
	assert_non_null(strstr(log_of(SIGABRT, false), "Start xend again.\n"));
	snprintf(begin, sizeof(begin), "ERROR xend ends by signal 6, from process %d:", getpid());
	assert_int_equal(strncmp(log_of(SIGABRT, true), begin, strlen(begin)), 0);
}

static void what_is_no_fault_is_not_said(void **state)
{
	assert_string_equal(log_of(SIGTERM, false), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_said),
		cmocka_unit_test(what_is_no_fault_is_not_said),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
