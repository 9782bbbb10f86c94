/* SPDX-License-Identifier: MIT */
/*
 * Speaks to xend as a test does:
 *
 *	xend-call METHOD [PARAMS]	one request; prints each line of the answer; 0 after
 *					a result, 1 after an error
 *	xend-call --raw			sends standard input as it is, prints all that comes
 *					until xend hangs up
 *	xend-call --crowd N		N connections at once, a domain.list on each; prints
 *					how many were answered
 *	xend-call --deaf		asks without end and never reads; prints "dropped"
 *					once xend hangs up
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "/run/xend/xend.sock"
#define LIST   "{\"version\":1,\"id\":1,\"method\":\"domain.list\",\"params\":{\"config\":true}}\n"

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		fprintf(stderr, "xend-call: %s: %s\n", SOCKET, strerror(errno));
		exit(3);
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0)
			return -1;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int call(const char *method, const char *params)
{
	FILE *in;
	char *line = NULL;
	size_t size = 0;
	int fd = dial();

	dprintf(fd, "{\"version\":1,\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method, params);
	in = fdopen(fd, "r");
	while (getline(&line, &size, in) > 0) {
		fputs(line, stdout);
		if (!strstr(line, "\"progress\":"))
			return strstr(line, "\"error\":{\"code\":") ? 1 : 0;
	}
	fprintf(stderr, "xend-call: xend hung up\n");
	return 2;
}

/* Reads what comes before it sends more: xend does not listen to who does not. */
static int raw(void)
{
	int fd = dial(), ended = 0;
	char chunk[4096], pending[4096];
	size_t length = 0, sent = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd polls[2] = {
			{ .fd = fd, .events = POLLIN | (sent < length ? POLLOUT : 0) },
			{ .fd = sent < length || ended ? -1 : 0, .events = POLLIN }
		};

		poll(polls, 2, -1);
		if (polls[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			n = read(fd, chunk, sizeof(chunk));
			if (n == 0 || (n < 0 && errno != EAGAIN))
				return 0;
			if (n > 0)
				fwrite(chunk, 1, (size_t)n, stdout);
			fflush(stdout);
		} else if (polls[0].revents & POLLOUT) {
			n = write(fd, pending + sent, length - sent);
			sent += n > 0 ? (size_t)n : n < 0 && errno == EAGAIN ? 0 : length - sent;
		} else if (polls[1].revents) {
			n = read(0, pending, sizeof(pending));
			sent = 0;
			length = n > 0 ? (size_t)n : 0;
			ended = n <= 0;
			if (ended)
				shutdown(fd, SHUT_WR);
		}
	}
}

static int crowd(int count)
{
	int *fds = calloc((size_t)count, sizeof(int)), answered = 0;
	char byte;

	for (int i = 0; i < count; i++)
		fds[i] = dial();
	for (int i = 0; i < count; i++)
		send_all(fds[i], LIST, strlen(LIST));
	for (int i = 0; i < count; i++)
		answered += read(fds[i], &byte, 1) == 1 && byte == '{';
	printf("%d\n", answered);
	return answered == count ? 0 : 1;
}

static int deaf(void)
{
	int fd = dial();

	while (send_all(fd, LIST, strlen(LIST)) == 0)
		;
	puts("dropped");
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--raw") == 0)
		return raw();
	if (argc == 3 && strcmp(argv[1], "--crowd") == 0)
		return crowd(atoi(argv[2]));
	if (argc == 2 && strcmp(argv[1], "--deaf") == 0)
		return deaf();
	if (argc == 2 || argc == 3)
		return call(argv[1], argc == 3 ? argv[2] : "{}");
	fprintf(stderr, "usage: xend-call METHOD [PARAMS] | --raw | --crowd N | --deaf\n");
	return 2;
}
