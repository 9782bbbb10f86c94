/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/limits.c toolstack/worker/screen/gate.c toolstack/worker/screen/gate_client.c toolstack/worker/screen/rfb.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c */
/* libs: -lgcrypt -lseccomp */
/* The gate before a screen: strangers keep nobody out, and no client outlives the server. */
#include "worker/screen/gate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

enum { PLACES = 16, SECONDS = 10 };

static char directory[] = "/tmp/worker-gate-XXXXXX";
static int server, server_end[2];
static pid_t pid;

static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, name);
	unlink(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

/* A gate in a process of its own, whose clients' processes come to this one when it ends. */
static int set_up(void **state)
{
	struct gate gate = { .directory = directory };

	if (!mkdtemp(directory) || chdir(directory) || pipe(server_end))
		return -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	server = listen_at(GATE_SOCKET);
	gate.listener = listen_at("port");
	gate.server_end = server_end[0];
	pid = fork();
	if (pid == 0) {
		close(server);
		close(server_end[1]);
		gate_serve(&gate);
		_exit(0);
	}
	close(gate.listener);
	return 0;
}

static int tear_down(void **state)
{
	unlink("port");
	unlink(GATE_SOCKET);
	return rmdir(directory);
}

static int connect_to_gate(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "port" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Whether exactly these bytes come in time. */
static bool says(int fd, const char *bytes, size_t length)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char got[16];

	for (size_t n = 0; n < length;) {
		ssize_t more =
			poll(&wait, 1, SECONDS * 1000) > 0 ? read(fd, got + n, length - n) : 0;

		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	return memcmp(got, bytes, length) == 0;
}

static void say(int fd, const char *bytes, size_t length)
{
	assert_int_equal(write(fd, bytes, length), length);
}

/* Goes through both begins; the server's end of the connection, or -1 if the gate hangs up. */
static int enter(int client)
{
	int fd;

	if (!says(client, "RFB 003.008\n", 12))
		return -1;
	say(client, "RFB 003.008\n", 12);
	assert_true(says(client, "\1\1", 2));
	say(client, "\1", 1);
	assert_true(says(client, "\0\0\0\0", 4));
	fd = accept(server, NULL, NULL);
	say(fd, "RFB 003.008\n", 12);
	assert_true(says(fd, "RFB 003.008\n", 12));
	say(fd, "\1\1", 2);
	assert_true(says(fd, "\1", 1));
	say(fd, "\0\0\0\0", 4);
	return fd;
}

static void strangers_keep_nobody_out(void **state)
{
	int strangers[2 * PLACES], first = connect_to_gate(), guest;
	int inside = enter(first);

	for (int i = 0; i < 2 * PLACES; i++) {
		strangers[i] = connect_to_gate();
		assert_true(says(strangers[i], "RFB 003.008\n", 12));
	}
	guest = connect_to_gate();
	close(enter(guest));
	/* The one that was let in has kept its place. */
	say(first, "key", 3);
	assert_true(says(inside, "key", 3));
	for (int i = 0; i < 2 * PLACES; i++)
		close(strangers[i]);
	close(guest);
	close(first);
	close(inside);
}

static void a_client_that_does_not_read_ends_with_the_server(void **state)
{
	static char screen[1 << 20];
	int client = connect_to_gate(), inside = enter(client), status;
	pid_t ended;

	/* Until nothing more fits: the gate holds what the client does not take. */
	while (send(inside, screen, sizeof(screen), MSG_DONTWAIT) > 0 || usleep(100000) ||
	       send(inside, screen, sizeof(screen), MSG_DONTWAIT) > 0)
		;
	close(inside);
	close(server_end[1]);
	alarm(SECONDS);
	do
		ended = wait(&status);
	while (ended > 0);
	assert_int_equal(errno, ECHILD);
	alarm(0);
	close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_keep_nobody_out),
		cmocka_unit_test(a_client_that_does_not_read_ends_with_the_server),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
