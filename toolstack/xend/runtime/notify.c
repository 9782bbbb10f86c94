/* SPDX-License-Identifier: MIT */
/*
 * The messages to systemd. A timer of the loop feeds the watchdog, so a loop that hangs is noticed.
 */
#include "xend/runtime/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/str.h"

static uv_timer_t watchdog;
static int watchdog_runs;

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length;
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	strcpy(address.sun_path, path);
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* '@' means the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
	close(fd);
}

static void on_timer(uv_timer_t *timer)
{
	notify_send("WATCHDOG=1");
}

void notify_start_watchdog(uv_loop_t *loop)
{
	const char *text = getenv("WATCHDOG_USEC");
	uint64_t usec;

	if (!text || !str_to_u64(text, 10, 1000, UINT64_MAX / 2, &usec))
		return;
	uv_timer_init(loop, &watchdog);
	/* An interval of 0 would fire once. */
	uv_timer_start(&watchdog, on_timer, 0, usec / 2000 ? usec / 2000 : 1);
	watchdog_runs = 1;
}

void notify_stop_watchdog(void)
{
	if (watchdog_runs)
		uv_close((uv_handle_t *)&watchdog, NULL);
	watchdog_runs = 0;
}
