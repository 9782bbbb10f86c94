/* SPDX-License-Identifier: MIT */
/* Passes bytes on between a client that was let in and the server, until one of them ends. */
#include "worker/screen/gate_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "worker/screen/gate.h"
#include "worker/screen/rfb.h"

/* For a client's begin: a person has typed the password before. */
#define HANDSHAKE_SECONDS 15
#define CHUNK		  65536

static int connect_to_server(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = GATE_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* One direction: what was read from one side and not yet written to the other. */
struct pipe {
	int from, to;
	size_t begin, end;
	char data[CHUNK];
};

/*
 * What to wait for at the side from which `in` reads and to which `out` writes. A side from which
 * nothing is wanted now is left out: its end would be reported without end.
 */
static struct pollfd side(const struct pipe *in, const struct pipe *out)
{
	short events = (short)((in->begin == in->end ? POLLIN : 0) |
			       (out->begin < out->end ? POLLOUT : 0));

	return (struct pollfd){ .fd = events ? in->from : -1, .events = events };
}

/* False: a side has ended. */
static bool move(struct pipe *pipe, short from_events, short to_events)
{
	ssize_t n;

	if (pipe->begin == pipe->end && (from_events & (POLLIN | POLLHUP | POLLERR))) {
		n = read(pipe->from, pipe->data, sizeof(pipe->data));
		if (n <= 0)
			return false;
		pipe->begin = 0;
		pipe->end = (size_t)n;
	} else if (pipe->begin < pipe->end && (to_events & (POLLOUT | POLLHUP | POLLERR))) {
		n = send(pipe->to, pipe->data + pipe->begin, pipe->end - pipe->begin,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		pipe->begin += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void pass_on(int client, int server, int server_end)
{
	static struct pipe up, down;

	up.from = down.to = client;
	up.to = down.from = server;
	for (;;) {
		struct pollfd fds[] = { side(&up, &down),
					side(&down, &up),
					/* A client that does not read hides the server's end. */
					{ .fd = server_end, .events = POLLIN } };

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return;
		if (fds[2].revents || !move(&up, fds[0].revents, fds[1].revents) ||
		    !move(&down, fds[1].revents, fds[0].revents))
			return;
	}
}

void gate_client_serve(const struct gate *gate, int client, int admitted)
{
	const pid_t self = getpid();
	int server;

	alarm(HANDSHAKE_SECONDS);
	if (!rfb_admit_client(client, gate->password) ||
	    write(admitted, &self, sizeof(self)) != sizeof(self))
		_exit(1);
	close(admitted);
	server = connect_to_server();
	if (server < 0 || !rfb_enter_server(server))
		_exit(1);
	alarm(0);
	pass_on(client, server, gate->server_end);
	_exit(0);
}
