/* SPDX-License-Identifier: MIT */
/* Lines from and to another host, which may send anything, at any pace, and may vanish. */
/* links: toolstack/xend/migrate/peer.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/json.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
#include "xend/migrate/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xend/migrate/tls.h"
#include "xend/runtime/task.h"
#include "unit.h"

int tls_wrap(int fd, enum tls_role role, const char *name, struct error **e)
{
	fail();
	return fd;
}

static int other; /* the other host's end */
static struct peer *peer;
static void (*script)(void);
static bool ended;

static void run(void *arg)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	other = ends[1];
	peer = peer_new(ends[0], "other");
	script();
	peer_free(peer);
	close(other);
	ended = true;
}

static void in_a_task(void (*what)(void))
{
	uv_loop_t *loop = uv_default_loop();

	ended = false;
	script = what;
	assert_int_equal(task_setup(loop), 0);
	assert_non_null(task_start(run, NULL));
	uv_run(loop, UV_RUN_DEFAULT);
	assert_true(ended);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
}

static void they_say(const char *text)
{
	assert_int_equal(write(other, text, strlen(text)), (ssize_t)strlen(text));
}

/* Hears a line, or fails as expected. */
static void expect(int result, const char *expected)
{
	struct json_object *line;
	struct error *e = NULL;
	const char *word = NULL;

	assert_int_equal(peer_hear(peer, task_deadline(50), &word, &line, &e), result);
	if (result == 0)
		assert_string_equal(word, expected);
	else if (expected && !strstr(error_text(e), expected))
		fail_msg("'%s' is not in: %s", expected, error_text(e));
	assert_true((line != NULL) == (result == 0));
	json_object_put(line);
	error_free(&e);
}

static void lines(void)
{
	they_say("{\"say\":\"a\"}\n{\"say\":\"b\",\"more\":1}\n{\"say\"");
	expect(0, "a");
	expect(0, "b");
	expect(-ETIMEDOUT, "other does not answer");
	they_say(":\"c\"}\n");
	expect(0, "c");
}

static void test_lines_come_whole(void **state)
{
	in_a_task(lines);
}

static void nonsense(void)
{
	static const char *const texts[] = {
		"\n", "hello\n", "[]\n", "{}\n", "7\n", "{\"say\":7}\n", "{\"say\":\"error\"}\n"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		they_say(texts[i]);
		expect(-EPROTO, "does not understand");
	}
	they_say("{\"say\":\"error\",\"message\":\"No room here.\"}\n");
	expect(-EREMOTEIO, "other: No room here.");
}

static void test_nonsense_is_an_error(void **state)
{
	in_a_task(nonsense);
}

static void endless(void)
{
	char chunk[4096];
	struct json_object *line;
	const char *word;
	int rc;

	memset(chunk, 'x', sizeof(chunk));
	do {
		while (write(other, chunk, sizeof(chunk)) > 0)
			;
		rc = peer_hear(peer, task_deadline(1), &word, &line, NULL);
	} while (rc == -ETIMEDOUT);
	assert_int_equal(rc, -EPROTO);
}

static void test_a_line_has_a_limit(void **state)
{
	in_a_task(endless);
}

static void vanish(void)
{
	they_say("{\"say\":\"a\"}\n{\"say\"");
	close(other);
	other = open("/dev/null", O_RDWR);
	expect(0, "a");
	expect(-EPIPE, "has ended");
	assert_int_equal(peer_say(peer, peer_line("b"), NULL), -EPIPE);
}

static void test_the_other_end_vanishes(void **state)
{
	in_a_task(vanish);
}

static void hang_up(void)
{
	peers_hang_up();
	expect(-EPIPE, "has ended");
}

static void test_xend_hangs_up(void **state)
{
	in_a_task(hang_up);
}

static void loan(void)
{
	char byte;

	assert_int_equal(peer_lend(peer, NULL), 0);
	assert_false(fcntl(peer_fd(peer), F_GETFL) & O_NONBLOCK);
	they_say("m{\"say\":\"a\"}\n");
	assert_int_equal(read(peer_fd(peer), &byte, 1), 1);
	assert_int_equal(byte, 'm');
	peer_take_back(peer);
	expect(0, "a");
	they_say("{\"say\":\"b\"}\nmore");
	expect(0, "b");
	assert_int_equal(peer_lend(peer, NULL), -EPROTO);
}

static void test_a_worker_gets_what_is_not_ours(void **state)
{
	in_a_task(loan);
}

static void refuse(void)
{
	char text[100] = "";

	/* They go on sending what nobody wants. */
	they_say("memory, memory");
	shutdown(other, SHUT_WR);
	peer_refuse(peer, "No room.");
	assert_true(read(other, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "{\"say\":\"error\",\"message\":\"No room.\"}\n");
	assert_int_equal(read(other, text, sizeof(text)), 0);
}

static void test_a_refusal_is_heard(void **state)
{
	in_a_task(refuse);
}

/* A host that is refused and sends for ever, as fast as it can. */
static void flood(void)
{
	static const char nothing[4096];
	pid_t pid = fork();

	if (pid == 0) {
		fcntl(other, F_SETFL, 0);
		while (write(other, nothing, sizeof(nothing)) > 0)
			;
		_exit(0);
	}
	peer_refuse(peer, "No.");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_a_flood_ends(void **state)
{
	alarm(60);
	in_a_task(flood);
	alarm(0);
}

static void connect_to_nobody(void)
{
	struct error *e = NULL;
	struct peer *nobody = NULL;

	/* A port below 1024 that nothing uses. */
	assert_int_equal(peer_connect("127.0.0.1", 1, PEER_PLAIN, &nobody, &e), -ECONNREFUSED);
	assert_non_null(strstr(error_text(e), "Is xend-relocation-server on"));
	error_free(&e);
	assert_null(nobody);
}

static void test_a_host_that_does_not_listen(void **state)
{
	in_a_task(connect_to_nobody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_come_whole),
		cmocka_unit_test(test_nonsense_is_an_error),
		cmocka_unit_test(test_a_line_has_a_limit),
		cmocka_unit_test(test_the_other_end_vanishes),
		cmocka_unit_test(test_xend_hangs_up),
		cmocka_unit_test(test_a_worker_gets_what_is_not_ours),
		cmocka_unit_test(test_a_refusal_is_heard),
		cmocka_unit_test(test_a_flood_ends),
		cmocka_unit_test(test_a_host_that_does_not_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
