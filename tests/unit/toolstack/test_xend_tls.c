/* SPDX-License-Identifier: MIT */
/*
 * xend's side of a connection over TLS, with the real process at both ends: a host that moves a
 * domain to itself.
 */
/* links: toolstack/xend/migrate/tls.c toolstack/xend/migrate/trust.c toolstack/xend/runtime/files.c toolstack/xend/runtime/limits.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/oom.c toolstack/xend/runtime/proc.c toolstack/xend/runtime/task.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
#include "xend/migrate/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/xend_config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "xend/migrate/trust.h"
#include "xend/runtime/proc.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"
#include "unit.h"

struct xend_config *settings;
static char directory[] = "/tmp/tls-XXXXXX";

struct end {
	int fd, result;
	enum tls_role role;
	struct error *e;
	bool ended;
};

static void wrap(void *arg)
{
	struct end *end = arg;

	end->result = tls_wrap(end->fd, end->role, "me", &end->e);
	end->ended = true;
}

static void pair(struct end *client, struct end *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*client = (struct end){ .role = TLS_CLIENT };
	*server = (struct end){ .role = TLS_SERVER };
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&address, length), 0);
	server->fd = accept(fd, NULL, NULL);
	close(fd);
}

/* Both shake hands; the loop goes on until they are through. */
static void connect_both(struct end *client, struct end *server)
{
	pair(client, server);
	assert_non_null(task_start(wrap, client));
	assert_non_null(task_start(wrap, server));
	while (!client->ended || !server->ended)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
}

static void finish(struct end *end)
{
	if (end->result >= 0)
		close(end->result);
	error_free(&end->e);
}

/* Until no process of a connection is left. */
static void settle(void)
{
	while (task_count())
		uv_run(uv_default_loop(), UV_RUN_ONCE);
}

static char own[TRUST_FINGERPRINT];
static bool done;

static void look(void *arg)
{
	struct end *end = arg;
	struct json_object *fingerprint = NULL;

	end->result = tls_look(end->fd, "me", &fingerprint, &end->e);
	if (fingerprint)
		snprintf(own, sizeof(own), "%s", json_object_get_string(fingerprint));
	json_object_put(fingerprint);
	end->ended = true;
}

static void trust_me(void *arg)
{
	assert_int_equal(trust_add("me", own, NULL), 0);
	done = true;
}

static void test_strangers_are_refused(void **state)
{
	struct end client, server;

	connect_both(&client, &server);
	assert_int_equal(client.result, -EACCES);
	assert_non_null(strstr(error_text(client.e), "`xm trust me'"));
	finish(&client);
	finish(&server);
	settle();
}

static void test_who_looks_sees_and_is_seen(void **state)
{
	struct json_object *asked;
	struct end client, server;

	pair(&client, &server);
	assert_non_null(task_start(look, &client));
	assert_non_null(task_start(wrap, &server));
	while (!client.ended || !server.ended)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	assert_int_equal(client.result, 0);
	assert_true(trust_is_fingerprint(own));
	/* Who only looks has shown a certificate, too. */
	assert_int_equal(server.result, -EACCES);
	asked = trust_asked();
	assert_int_equal(json_object_array_length(asked), 1);
	json_object_put(asked);
	finish(&server);
	error_free(&client.e);
	settle();
	assert_non_null(task_start(trust_me, NULL));
	settle();
	assert_true(done);
}

static void expect_bytes(int fd, const char *text)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t length = strlen(text);
	char bytes[64];

	assert_int_equal(poll(&poll_fd, 1, 60000), 1);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), length);
	assert_memory_equal(bytes, text, length);
}

static void test_hosts_that_know_each_other_speak(void **state)
{
	struct end client, server;

	connect_both(&client, &server);
	if (client.result < 0)
		fail_msg("%s", error_text(client.e));
	if (server.result < 0)
		fail_msg("%s", error_text(server.e));
	assert_int_equal(write(client.result, "hello", 5), 5);
	expect_bytes(server.result, "hello");
	/* xend closes its end at once after the last line, which arrives all the same. */
	assert_int_equal(write(server.result, "runs", 4), 4);
	finish(&server);
	expect_bytes(client.result, "runs");
	finish(&client);
	settle();
}

static void die(void *arg)
{
	struct end *end = arg;

	end->result = tls_wrap(end->fd, TLS_CLIENT, "me", &end->e);
	end->ended = true;
}

static void test_a_program_that_is_not_there(void **state)
{
	struct end client, server;
	char *path = xstrdup(getenv(TLS_PROGRAM_ENV));

	setenv(TLS_PROGRAM_ENV, "/nonexistent/xend-tls", 1);
	pair(&client, &server);
	assert_non_null(task_start(die, &client));
	settle();
	assert_int_equal(client.result, -ENOENT);
	error_free(&client.e);
	close(server.fd);
	setenv(TLS_PROGRAM_ENV, "/bin/true", 1);
	pair(&client, &server);
	assert_non_null(task_start(die, &client));
	settle();
	assert_int_equal(client.result, -EPROTO);
	error_free(&client.e);
	close(server.fd);
	setenv(TLS_PROGRAM_ENV, path, 1);
	free(path);
}

/* Looks by a program that says this, and then has the host's socket to itself. */
static int look_through(const char *script)
{
	char *path = xasprintf("%s/liar", directory), *before = xstrdup(getenv(TLS_PROGRAM_ENV));
	char *text = xasprintf("#!/bin/sh\ncat >/dev/null\n%s\n", script);
	struct end client, server;

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0700, NULL), 0);
	setenv(TLS_PROGRAM_ENV, path, 1);
	pair(&client, &server);
	assert_non_null(task_start(look, &client));
	settle();
	close(server.fd);
	setenv(TLS_PROGRAM_ENV, before, 1);
	assert_true((client.result == 0) == (error_errno(client.e) == 0));
	error_free(&client.e);
	free(text);
	free(path);
	free(before);
	return client.result;
}

/* Whoever takes the process over can say what he likes: xend says no, and goes on. */
static void test_a_process_that_was_taken_over(void **state)
{
	static const struct {
		const char *script;
		int result;
	} lies[] = {
		{ "echo nonsense", -EPROTO },
		{ "echo '[]'", -EPROTO },
		{ "echo", -EPROTO },
		{ "echo '{}'", -EPROTO },
		{ "echo '{\"fingerprint\":7}'", -EPROTO },
		{ "echo '{\"fingerprint\":\"../../etc/passwd\"}'", -EPROTO },
		{ "echo '{\"error\":\"a reason\"}'", -EACCES },
		{ "echo '{\"error\":[]}'; exit 3", -EPROTO },
		{ "head -c 1000000 /dev/zero | tr '\\0' x; sleep 60", -EPROTO },
		{ "kill -9 $$", -EPROTO },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int rc = look_through(lies[i].script);

		if (rc != lies[i].result)
			fail_msg("%s: %d", lies[i].script, rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strangers_are_refused),
		cmocka_unit_test(test_who_looks_sees_and_is_seen),
		cmocka_unit_test(test_hosts_that_know_each_other_speak),
		cmocka_unit_test(test_a_program_that_is_not_there),
		cmocka_unit_test(test_a_process_that_was_taken_over),
	};
	struct config_diags diags = { 0 };
	char *text, *command, *program;
	int failed;

	if (!mkdtemp(directory))
		return 1;
	program = realpath("build/xend-tls", NULL);
	if (!getenv(TLS_PROGRAM_ENV) && program)
		setenv(TLS_PROGRAM_ENV, program, 1);
	free(program);
	text = xasprintf("%s/trusted", directory);
	setenv(TRUST_PATH_ENV, text, 1);
	free(text);
	text = xasprintf("(xend-relocation-server-ssl-key-file %s/key)"
			 "(xend-relocation-server-ssl-cert-file %s/crt)",
			 directory, directory);
	settings = xend_config_parse(text, strlen(text), "f", &diags);
	task_setup(uv_default_loop());
	proc_setup(uv_default_loop());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	proc_teardown();
	task_teardown();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	command = xasprintf("rm -rf %s", directory);
	if (system(command))
		failed = 1;
	free(command);
	free(text);
	xend_config_free(settings);
	config_diags_free(&diags);
	return failed;
}
