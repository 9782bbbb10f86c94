/* SPDX-License-Identifier: MIT */
/* The relocation server when descriptors have run out: it waits, and takes the connection later. */
/* links: toolstack/xend/migrate/listen.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
#include "xend/migrate/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "config/xend_config.h"
#include "lib/alloc.h"
#include "xend/migrate/peer.h"
#include "xend/migrate/target.h"
#include "xend/migrate/tls.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"
#include "unit.h"

struct xend_config *settings;
static int served, refused;

struct peer {
	int fd;
};

struct peer *peer_new(int fd, const char *name)
{
	struct peer *peer = xmalloc(sizeof(*peer));

	peer->fd = fd;
	return peer;
}

void peer_free(struct peer *peer)
{
	if (peer)
		close(peer->fd);
	free(peer);
}

void peer_refuse(struct peer *peer, const char *sentence)
{
	refused++;
}

void peers_hang_up(void)
{
}

void peer_watch_silence(int fd)
{
}

/* The process for TLS lets the first host through, and refuses the next. */
static int wrapped;

int tls_wrap(int fd, enum tls_role role, const char *name, struct error **e)
{
	assert_int_equal(role, TLS_SERVER);
	assert_string_equal(name, "127.0.0.1");
	if (wrapped++ == 0)
		return fd;
	close(fd);
	return error_set(e, EACCES, "%s is not known.", name);
}

void target_serve(struct peer *peer)
{
	served++;
}

/* --- */

static unsigned int turns;

static void on_turn(uv_prepare_t *prepare)
{
	turns++;
}

static void on_timer(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Turns of the loop within so many milliseconds, or until `until` is as wanted. */
static void run(unsigned int milliseconds, const int *until)
{
	uv_loop_t *loop = uv_default_loop();
	uv_prepare_t prepare;
	uv_timer_t timer;

	uv_prepare_init(loop, &prepare);
	uv_timer_init(loop, &timer);
	uv_prepare_start(&prepare, on_turn);
	turns = 0;
	for (unsigned int spent = 0; spent < milliseconds && !(until && *until); spent += 50) {
		uv_timer_start(&timer, on_timer, 50, 0);
		uv_run(loop, UV_RUN_DEFAULT);
	}
	uv_close((uv_handle_t *)&prepare, NULL);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

static unsigned int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void listen_on(const char *key, unsigned int port)
{
	struct config_diags diags = { 0 };
	char *text = xasprintf("(xend-relocation-%sserver yes)(xend-relocation-%sport %u)"
			       "(xend-relocation-address 127.0.0.1)"
			       "(xend-relocation-hosts-allow '127.0.0.1')",
			       key, key, port);

	settings = xend_config_parse(text, strlen(text), "f", &diags);
	assert_non_null(settings);
	config_diags_free(&diags);
	free(text);
	assert_int_equal(task_setup(uv_default_loop()), 0);
	migrate_listen();
}

static void stop(void)
{
	migrate_stop();
	task_teardown();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	xend_config_free(settings);
}

static void call(int fd, unsigned int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void test_a_call_waits_for_a_descriptor(void **state)
{
	unsigned int port = free_port();
	struct rlimit before, none;
	int fd, next;

	served = 0;
	listen_on("", port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	call(fd, port);
	next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	run(500, NULL);
	assert_int_equal(served, 0);
	/* Each of the timers above is a turn or two. */
	assert_true(turns < 100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	run(20000, &served);
	assert_int_equal(served, 1);
	close(fd);
	stop();
}

static void test_a_host_that_tls_refuses_is_not_served(void **state)
{
	unsigned int port = free_port();
	int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);

	served = refused = 0;
	listen_on("ssl-", port);
	call(first, port);
	run(20000, &wrapped);
	call(second, port);
	for (int i = 0; i < 100 && wrapped < 2; i++)
		run(200, NULL);
	run(100, NULL);
	assert_int_equal(wrapped, 2);
	assert_int_equal(served, 1);
	/* What there is to say, TLS has said. */
	assert_int_equal(refused, 0);
	close(first);
	close(second);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_that_tls_refuses_is_not_served),
		cmocka_unit_test(test_a_call_waits_for_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
