/* SPDX-License-Identifier: MIT */
/*
 * `xm console`: copies bytes in both directions. The terminal is in raw mode; only Ctrl-] has a
 * meaning here.
 *
 * Each direction has a buffer of bounded size, and its source is not read while the buffer is full.
 * So a slow terminal loses no output of the domain, and a domain that does not read loses no input.
 */
#include "xm/commands/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/raw_terminal.h"

#define ESCAPE 0x1d /* Ctrl-] */

enum { CHUNK = 4096, BUFFER_MAX = 64 * 1024 };

enum end { GOES_ON, LEFT, INPUT_ENDED, DOMAIN_ENDED, BROKEN };

struct console {
	int stream;
	struct str to_domain;
	struct str to_terminal;
	bool leaving; /* Ctrl-] was typed; earlier input is still to be sent */
	bool stream_ended;
};

/* Makes one write(). False when the other end is unusable. */
static bool flush(int fd, struct str *buffer)
{
	ssize_t n = write(fd, buffer->text, buffer->len);

	if (n > 0)
		str_drop(buffer, (size_t)n);
	return n >= 0 || errno == EINTR || errno == EAGAIN;
}

/* Reads into a buffer. Returns the number of bytes; 0 at the end; -1 when nothing is there now. */
static ssize_t fill(int fd, struct str *buffer)
{
	ssize_t n = read(fd, str_reserve(buffer, CHUNK), CHUNK);

	if (n > 0)
		buffer->len += (size_t)n;
	if (n < 0)
		n = errno == EINTR || errno == EAGAIN ? -1 : 0;
	return n;
}

/* Takes input from the terminal: sends the bytes before a Ctrl-] and drops those after it. */
static enum end take_input(struct console *console)
{
	size_t old = console->to_domain.len;
	ssize_t n = fill(STDIN_FILENO, &console->to_domain);
	char *escape;

	if (n == 0)
		return INPUT_ENDED;
	if (n < 0)
		return GOES_ON;
	escape = memchr(console->to_domain.text + old, ESCAPE, (size_t)n);
	if (escape) {
		console->to_domain.len = (size_t)(escape - console->to_domain.text);
		console->leaving = true;
	}
	return GOES_ON;
}

static bool wants_input(const struct console *console)
{
	return !console->leaving && console->to_domain.len < BUFFER_MAX;
}

static enum end step(struct console *console)
{
	struct pollfd fds[] = {
		{ .fd = wants_input(console) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = console->stream_ended ? -1 : console->stream },
		{ .fd = console->to_terminal.len ? STDOUT_FILENO : -1, .events = POLLOUT },
	};

	if (console->leaving && !console->to_domain.len)
		return LEFT;
	if (console->to_terminal.len < BUFFER_MAX)
		fds[1].events |= POLLIN;
	if (console->to_domain.len)
		fds[1].events |= POLLOUT;
	/*
	 * A changed window size interrupts poll(). It has no other effect: a domain's console knows
	 * no size.
	 */
	if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
		return errno == EINTR ? GOES_ON : BROKEN;
	if (fds[2].revents && !flush(STDOUT_FILENO, &console->to_terminal))
		return BROKEN;
	if ((fds[1].revents & POLLOUT) && !flush(console->stream, &console->to_domain))
		console->stream_ended = true;
	if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) &&
	    fill(console->stream, &console->to_terminal) == 0)
		console->stream_ended = true;
	if (console->stream_ended)
		return console->to_terminal.len ? GOES_ON : DOMAIN_ENDED;
	return fds[0].revents ? take_input(console) : GOES_ON;
}

/*
 * Before leaving: sends what was typed and shows what was received. Gives up on an end that is not
 * ready within a second.
 */
static void drain(struct console *console)
{
	while (console->to_domain.len && !console->stream_ended &&
	       flush(console->stream, &console->to_domain)) {
		struct pollfd fd = { .fd = console->stream, .events = POLLOUT };

		if (poll(&fd, 1, 1000) <= 0)
			break;
	}
	while (console->to_terminal.len && flush(STDOUT_FILENO, &console->to_terminal)) {
		struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

		if (poll(&fd, 1, 1000) <= 0)
			break;
	}
}

static int relay(struct client *client, const char *domain)
{
	struct console console = { 0 };
	enum end end = GOES_ON;
	int rc;

	console.stream = client_stream(client, &console.to_terminal);
	fcntl(console.stream, F_SETFL, fcntl(console.stream, F_GETFL) | O_NONBLOCK);
	fflush(stdout);
	raw_terminal_enter(STDIN_FILENO);
	while (end == GOES_ON)
		end = step(&console);
	rc = errno;
	drain(&console);
	raw_terminal_leave();
	str_free(&console.to_domain);
	str_free(&console.to_terminal);
	if (end == BROKEN)
		return xm_fail("The console of domain '%s' cannot be shown: %s.", domain,
			       strerror(rc));
	if (isatty(STDOUT_FILENO))
		putchar('\n');
	return XM_OK;
}

/* Over a connection of its own: the other one is the console by now. */
static int unpause(const char *domain)
{
	struct json_object *result = NULL;
	struct client *client = NULL;
	struct error *e = NULL;
	int status = XM_OK;

	if (client_open(&client, &e) ||
	    client_call(client, XEND_M_DOMAIN_UNPAUSE, xm_domain_params(domain), NULL, NULL,
			&result, &e))
		status = xm_fail("%s", error_text(e));
	error_free(&e);
	json_object_put(result);
	client_close(client);
	return status;
}

int console_attach(const char *domain, unsigned int flags)
{
	struct json_object *params = xm_domain_params(domain), *answer;

	json_set_bool(params, XEND_P_SCROLLBACK, flags & CONSOLE_SCROLLBACK);
	answer = xm_call(XEND_M_CONSOLE_OPEN, params, NULL);
	if (!answer) {
		/* It runs all the same, as without its console. */
		if (flags & CONSOLE_UNPAUSE)
			unpause(domain);
		return XM_FAILED;
	}
	json_object_put(answer);
	if (!(flags & CONSOLE_QUIET) && isatty(STDIN_FILENO))
		fprintf(stderr, "Console of domain %s. Ctrl-] leaves it.\n", domain);
	if ((flags & CONSOLE_UNPAUSE) && unpause(domain) != XM_OK)
		return XM_FAILED;
	return relay(xm_client(), domain);
}

int console_run(const struct xm_args *args)
{
	unsigned int flags = 0;

	if (xm_args_has(args, 's'))
		flags |= CONSOLE_SCROLLBACK;
	if (xm_args_has(args, 'q'))
		flags |= CONSOLE_QUIET;
	return console_attach(args->operands[0], flags);
}
