/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/console/console_boot.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -luv -lpthread */
/* A bootloader that writes without end costs xend no more than a guest that does. */
#include "xend/console/console_boot.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "xend/console/console_viewers.h"
#include "xend/domain/domain.h"
#include "unit.h"

static size_t shown;
static struct domain domain = { .name = (char *)"guest" };

/* --- the viewers --- */

struct viewers *viewers_make(void)
{
	return (struct viewers *)&shown;
}

void viewers_free(struct viewers *viewers)
{
}

void viewers_connect(struct viewers *viewers, void (*type)(void *arg, const char *bytes, size_t n),
		     void *arg)
{
}

void viewers_show(struct viewers *viewers, const char *bytes, size_t length)
{
	shown += length;
}

/* --- the bootloader --- */

static void *write_on(void *arg)
{
	static const char bytes[4096];

	while (send(*(int *)arg, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void stop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void a_flood_is_made_to_wait(void **state)
{
	uv_loop_t *loop = uv_default_loop();
	size_t before;
	uv_timer_t timer;
	pthread_t thread;
	int fd;

	assert_int_equal(console_boot_open(loop, &domain, &fd, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &fd), 0);
	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, stop, 1000, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	/* Eleven intervals at most; and it does come on. */
	assert_in_range(shown, 300000, 12 * 260 * 1024);
	before = shown;
	/* It does not stop at the end either. */
	assert_ptr_equal(console_boot_end(&domain), &shown);
	assert_true(shown - before < 270 * 1024);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	close(fd);
	uv_loop_close(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_is_made_to_wait),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
