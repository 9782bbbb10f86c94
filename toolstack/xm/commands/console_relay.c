/* SPDX-License-Identifier: MIT */
/*
 * Copies bytes in both directions. The terminal is in raw mode; only Ctrl-] has a meaning here.
 *
 * Each direction has a buffer of bounded size, and its source is not read while the buffer is full.
 * So a slow terminal loses no output of the domain, and a domain that does not read loses no input.
 */
#include "xm/commands/console_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xm/command.h"
#include "xm/raw_terminal.h"

#define ESCAPE 0x1d /* Ctrl-] */

enum { CHUNK = 4096, BUFFER_MAX = 64 * 1024 };

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
static enum console_end take_input(struct console_relay *relay)
{
	size_t old = relay->to_domain.len;
	ssize_t n = fill(STDIN_FILENO, &relay->to_domain);
	char *escape;

	if (n == 0 && !relay->ignores_end)
		return CONSOLE_INPUT_ENDED;
	if (n == 0)
		relay->input_ended = true;
	if (n <= 0)
		return CONSOLE_GOES_ON;
	escape = memchr(relay->to_domain.text + old, ESCAPE, (size_t)n);
	if (escape) {
		relay->to_domain.len = (size_t)(escape - relay->to_domain.text);
		relay->leaving = true;
	}
	return CONSOLE_GOES_ON;
}

static bool wants_input(const struct console_relay *relay)
{
	return !relay->leaving && !relay->input_ended && relay->to_domain.len < BUFFER_MAX;
}

/*
 * A changed window size interrupts this. It has no other effect: a domain's console knows no size.
 * While xend works on a request, the client has SIGINT blocked but for the waits.
 */
static int poll_all(struct pollfd *fds, nfds_t count, const struct client *news)
{
	sigset_t none;

	sigemptyset(&none);
	return ppoll(fds, count, NULL, news ? &none : NULL) < 0 ? -1 : 0;
}

/* Whoever waits for the request has to cancel it. */
static bool is_interrupted(const struct client *news)
{
	return news && client_is_interrupted(news);
}

static enum console_end step(struct console_relay *relay, const struct client *news)
{
	struct pollfd fds[] = {
		{ .fd = wants_input(relay) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = relay->stream_ended ? -1 : relay->stream },
		{ .fd = relay->to_terminal.len ? STDOUT_FILENO : -1, .events = POLLOUT },
		{ .fd = news ? client_fd(news) : -1, .events = POLLIN },
	};

	if (relay->leaving && !relay->to_domain.len)
		return CONSOLE_LEFT;
	if (relay->to_terminal.len < BUFFER_MAX)
		fds[1].events |= POLLIN;
	if (relay->to_domain.len)
		fds[1].events |= POLLOUT;
	if (poll_all(fds, sizeof(fds) / sizeof(fds[0]), news))
		return errno != EINTR	    ? CONSOLE_BROKEN :
		       is_interrupted(news) ? CONSOLE_NEWS :
					      CONSOLE_GOES_ON;
	if (fds[2].revents && !flush(STDOUT_FILENO, &relay->to_terminal))
		return CONSOLE_BROKEN;
	if ((fds[1].revents & POLLOUT) && !flush(relay->stream, &relay->to_domain))
		relay->stream_ended = true;
	if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) &&
	    fill(relay->stream, &relay->to_terminal) == 0)
		relay->stream_ended = true;
	if (relay->stream_ended)
		return relay->to_terminal.len ? CONSOLE_GOES_ON : CONSOLE_DOMAIN_ENDED;
	if (fds[3].revents && !(fds[1].revents & POLLIN))
		return CONSOLE_NEWS;
	return fds[0].revents ? take_input(relay) : CONSOLE_GOES_ON;
}

/*
 * Before leaving: sends what was typed and shows what was received. Gives up on an end that is not
 * ready within a second.
 */
static void drain(struct console_relay *relay)
{
	while (relay->to_domain.len && !relay->stream_ended &&
	       flush(relay->stream, &relay->to_domain)) {
		struct pollfd fd = { .fd = relay->stream, .events = POLLOUT };

		if (poll(&fd, 1, 1000) <= 0)
			break;
	}
	while (relay->to_terminal.len && flush(STDOUT_FILENO, &relay->to_terminal)) {
		struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

		if (poll(&fd, 1, 1000) <= 0)
			break;
	}
}

void console_relay_begin(struct console_relay *relay, struct client *client)
{
	*relay = (struct console_relay){ 0 };
	relay->stream = client_stream(client, &relay->to_terminal);
	fcntl(relay->stream, F_SETFL, fcntl(relay->stream, F_GETFL) | O_NONBLOCK);
}

enum console_end console_relay_run(struct console_relay *relay, const struct client *news)
{
	enum console_end end = CONSOLE_GOES_ON;
	int errnum;

	if (news && client_has_more(news))
		return CONSOLE_NEWS;
	fflush(stdout);
	raw_terminal_enter(STDIN_FILENO);
	while (end == CONSOLE_GOES_ON)
		end = step(relay, news);
	errnum = errno;
	drain(relay);
	raw_terminal_leave();
	errno = errnum;
	return end;
}

int console_relay_end(struct console_relay *relay, enum console_end end, const char *domain)
{
	int errnum = errno;

	str_free(&relay->to_domain);
	str_free(&relay->to_terminal);
	if (end == CONSOLE_BROKEN)
		return xm_fail("The console of domain '%s' cannot be shown: %s.", domain,
			       strerror(errnum));
	if (isatty(STDOUT_FILENO))
		putchar('\n');
	return XM_OK;
}
