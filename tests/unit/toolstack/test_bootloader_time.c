/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/build/bootloader.c toolstack/worker/build/bootloader_output.c toolstack/worker/confine_watch.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/json.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* A bootloader that never ends: the error names the limit that it has reached. */
#include "worker/build/bootloader.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "worker/confine.h"

#include "unit.h"

#define CONSOLE 3 /* the worker's end */

static int64_t now;	/* the clock, in milliseconds */
static int terminal[2]; /* the program's, and ours */

int clock_gettime(clockid_t clock, struct timespec *t)
{
	*t = (struct timespec){ .tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000 };
	return 0;
}

/* Nobody waits: the time that nothing happens in is over at once. */
int poll(struct pollfd *files, nfds_t count, int timeout)
{
	struct timespec none = { 0 };
	int ready = ppoll(files, count, &none, NULL);

	if (ready == 0)
		now += timeout;
	return ready;
}

/* The program shows its menu, and reads what is typed for ever. */
int confine_run(const struct confine_spec *spec, struct confine_result *result, struct error **e)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	result->end = confine_watch(spec, pair[0], terminal[1], -1, result);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

void confine_free(struct confine_result *result)
{
}

/* What is said of a bootloader with this limit, after these keys. */
static void run(int seconds, const char *keys, const char *expected)
{
	struct json_object *order = json_new_object();
	struct bootloader_choice choice = { .directory = -1 };
	struct error *e = NULL;
	int ends[2], person, end;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, terminal), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	/* No file of this program is in its way. */
	person = fcntl(ends[0], F_DUPFD, CONSOLE + 20);
	terminal[0] = fcntl(terminal[0], F_DUPFD, CONSOLE + 20);
	terminal[1] = fcntl(terminal[1], F_DUPFD, CONSOLE + 20);
	end = fcntl(ends[1], F_DUPFD, CONSOLE + 20);
	assert_int_equal(dup2(end, CONSOLE), CONSOLE);
	close(end);
	json_set_string(order, "program", "/bin/true");
	json_set(order, "args", json_new_array());
	json_set_string(order, "disk", "/srv/d");
	json_set_int(order, "major", 7);
	json_set_int(order, "minor", 0);
	json_set_bool(order, "restricted", true);
	json_set_int(order, "seconds", seconds);
	json_set_int(order, "mib", 1);
	json_set_int(order, "console", CONSOLE);
	assert_int_equal(write(person, keys, strlen(keys)), strlen(keys));
	now = 0;
	assert_true(bootloader_run(order, 1, &choice, &e) != 0);
	assert_string_equal(error_text(e), expected);
	error_free(&e);
	json_object_put(order);
	close(person);
	close(CONSOLE);
	close(terminal[0]);
	close(terminal[1]);
}

static void the_limit_is_that_of_the_settings_while_nobody_types(void **state)
{
	run(60, "",
	    "The bootloader /bin/true did not end within 60 s. (bootloader-timeout in "
	    "/etc/xen/xend-config.sxp gives it more.)");
	assert_int_equal(now, 60000);
}

static void a_key_gives_it_more_and_the_error_says_how_much(void **state)
{
	run(60, "x",
	    "The bootloader /bin/true did not end within 600 s of the last key. (A "
	    "bootloader-timeout above that in /etc/xen/xend-config.sxp gives it more.)");
	assert_int_equal(now, 600000);
	run(900, "x",
	    "The bootloader /bin/true did not end within 900 s of the last key. (A "
	    "bootloader-timeout above that in /etc/xen/xend-config.sxp gives it more.)");
	assert_int_equal(now, 900000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_is_that_of_the_settings_while_nobody_types),
		cmocka_unit_test(a_key_gives_it_more_and_the_error_says_how_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
