/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/screen/rfb.c */
/* libs: -lgcrypt */
/* What a VNC client is told before it sees a screen: what each version gets, and with which
 * passwords it is let in. */
#include "worker/screen/rfb.h"

#include <errno.h>
#include <gcrypt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* Runs rfb_admit_client in a child, at the other end of a socket. */
static pid_t begin(const char *password, int *client)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(rfb_admit_client(ends[1], password) ? 0 : 1);
	}
	close(ends[1]);
	*client = ends[0];
	return pid;
}

/* Whether the client was let in. */
static bool ended_well(pid_t pid, int client)
{
	int status;

	close(client);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void expect(int client, const void *bytes, size_t length)
{
	unsigned char got[64];

	assert_true(length <= sizeof(got));
	for (size_t done = 0; done < length;) {
		ssize_t n = read(client, got + done, length - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_memory_equal(got, bytes, length);
}

static void say(int client, const void *bytes, size_t length)
{
	assert_int_equal(write(client, bytes, length), length);
}

/* Computed by another implementation of DES. */
static void test_answer(void **state)
{
	static const unsigned char challenge[RFB_CHALLENGE] = { 0, 1, 2,  3,  4,  5,  6,  7,
								8, 9, 10, 11, 12, 13, 14, 15 };
	static const unsigned char long_one[] = { 0xad, 0xcd, 0x99, 0x7f, 0x8e, 0x16, 0xfe, 0xe5,
						  0x75, 0xe9, 0x73, 0xf9, 0x3c, 0x2b, 0x62, 0xb4 };
	static const unsigned char short_one[] = { 0x7a, 0xc2, 0x80, 0x24, 0x36, 0x22, 0xdb, 0xed,
						   0xf6, 0x7c, 0x15, 0x9e, 0xc3, 0x35, 0x53, 0x73 };
	unsigned char answer[RFB_CHALLENGE];

	assert_true(rfb_answer("secret12", challenge, answer));
	assert_memory_equal(answer, long_one, sizeof(answer));
	/* Only eight characters count. */
	assert_true(rfb_answer("secret12345", challenge, answer));
	assert_memory_equal(answer, long_one, sizeof(answer));
	assert_true(rfb_answer("s", challenge, answer));
	assert_memory_equal(answer, short_one, sizeof(answer));
}

static void test_no_password(void **state)
{
	int client;
	pid_t pid = begin(NULL, &client);

	expect(client, "RFB 003.008\n", 12);
	say(client, "RFB 003.008\n", 12);
	expect(client, "\1\1", 2);
	say(client, "\1", 1);
	expect(client, "\0\0\0\0", 4);
	assert_true(ended_well(pid, client));
	pid = begin(NULL, &client);
	expect(client, "RFB 003.008\n", 12);
	say(client, "RFB 003.003\n", 12);
	expect(client, "\0\0\0\1", 4);
	assert_true(ended_well(pid, client));
}

static void test_password(void **state)
{
	unsigned char challenge[RFB_CHALLENGE], answer[RFB_CHALLENGE];

	for (int right = 0; right < 2; right++) {
		int client;
		pid_t pid = begin("secret", &client);

		expect(client, "RFB 003.008\n", 12);
		say(client, "RFB 003.889\n", 12);
		expect(client, "\1\2", 2);
		say(client, "\2", 1);
		assert_int_equal(recv(client, challenge, sizeof(challenge), MSG_WAITALL),
				 sizeof(challenge));
		assert_true(rfb_answer(right ? "secret" : "Secret", challenge, answer));
		say(client, answer, sizeof(answer));
		expect(client, right ? "\0\0\0\0" : "\0\0\0\1", 4);
		assert_true(ended_well(pid, client) == (right == 1));
	}
}

/* A client that takes no password, speaks another protocol or hangs up is not let in. */
static void test_turned_away(void **state)
{
	static const struct {
		const char *version, *choice;
	} clients[] = { { "RFB 003.008\n", "\1" },
			{ "RFB 003.008\n", "" },
			{ "GET / HTTP/1", "" },
			{ "RFB", "" },
			{ "RFB 003.007\n", "\20" } };

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		int client;
		pid_t pid = begin("secret", &client);

		expect(client, "RFB 003.008\n", 12);
		say(client, clients[i].version, strlen(clients[i].version));
		say(client, clients[i].choice, strlen(clients[i].choice));
		shutdown(client, SHUT_WR);
		assert_false(ended_well(pid, client));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_no_password),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_turned_away),
	};

	gcry_check_version(NULL);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
