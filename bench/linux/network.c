/* SPDX-License-Identifier: MIT */
/*
 * What the network between a guest and Domain-0 costs, seen by the guest.
 *
 *	network serve			in Domain-0: echoes datagrams, takes and gives bulk
 *	network ADDRESS			in the guest: measures against it
 *	network ADDRESS mark ROW	one round between two writes to MARK_PORT (bench/profile)
 */
#include "ticks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ECHO_PORT   5001
#define SINK_PORT   5002
#define SOURCE_PORT 5003
#define ROUNDS	    5
#define PINGS	    50
#define BULK_ROUNDS 3
#define BULK	    (16UL << 20)

static char buffer[64 << 10];

struct row {
	const char *name;
	uint64_t (*once)(const char *host); /* its time */
	const char *unit;
	unsigned int scale; /* nanoseconds of the unit */
	unsigned int rounds, calls;
};

static void die(const char *what)
{
	printf("BENCH-FAILED network: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address(const char *host, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = host ? inet_addr(host) : htonl(INADDR_ANY);
	return a;
}

static int listening(int type, int port)
{
	struct sockaddr_in a = address(NULL, port);
	int fd = socket(AF_INET, type, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    (type == SOCK_STREAM && listen(fd, 4)))
		die("a socket to listen on");
	return fd;
}

static void serve_echo(int fd)
{
	struct sockaddr_in from;

	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t n =
			recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size);

		if (n >= 0)
			sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, size);
	}
}

/* Takes all that comes; says one byte when the other side has ended. */
static void serve_sink(int fd)
{
	for (;;) {
		int link = accept(fd, NULL, NULL);

		while (read(link, buffer, sizeof(buffer)) > 0)
			;
		if (write(link, "", 1) != 1)
			die("answer");
		close(link);
	}
}

static void send_bulk(int fd)
{
	for (unsigned long left = BULK; left;) {
		ssize_t n = write(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));

		if (n <= 0)
			die("send");
		left -= (unsigned long)n;
	}
}

static void serve_source(int fd)
{
	for (;;) {
		int link = accept(fd, NULL, NULL);

		send_bulk(link);
		close(link);
	}
}

static void serve(void)
{
	int echo = listening(SOCK_DGRAM, ECHO_PORT), sink = listening(SOCK_STREAM, SINK_PORT);
	int source = listening(SOCK_STREAM, SOURCE_PORT);

	if (!fork())
		serve_echo(echo);
	if (!fork())
		serve_sink(sink);
	if (!fork())
		serve_source(source);
	printf("network: ready\n");
	fflush(stdout);
	while (wait(NULL) > 0)
		;
}

static int connected(const char *host, int type, int port)
{
	struct sockaddr_in a = address(host, port);
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	return fd;
}

static void ping(int fd, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		if (send(fd, buffer, 64, 0) != 64 || recv(fd, buffer, sizeof(buffer), 0) != 64)
			die("echo");
}

static uint64_t pings(const char *host)
{
	int fd = connected(host, SOCK_DGRAM, ECHO_PORT);
	uint64_t start;

	ping(fd, 10); /* the addresses get known */
	start = ticks();
	ping(fd, PINGS);
	start = ticks() - start;
	close(fd);
	return start;
}

static uint64_t bulk_to(const char *host)
{
	int fd = connected(host, SOCK_STREAM, SINK_PORT);
	uint64_t start = ticks();

	send_bulk(fd);
	shutdown(fd, SHUT_WR);
	if (read(fd, buffer, 1) != 1)
		die("the other side's answer");
	start = ticks() - start;
	close(fd);
	return start;
}

static uint64_t bulk_from(const char *host)
{
	uint64_t start = ticks();
	int fd = connected(host, SOCK_STREAM, SOURCE_PORT);
	unsigned long got = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		got += (unsigned long)n;
	if (got != BULK)
		die("bulk that was cut short");
	start = ticks() - start;
	close(fd);
	return start;
}

static void between_marks(uint64_t (*once)(const char *host), const char *host)
{
	once(host); /* warms up */
	if (mark())
		die("/dev/port");
	once(host);
	mark();
}

/* Times are divided by `calls`, and by `scale` to give the unit. */
static void measure(const struct row *row, const char *host)
{
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < row->rounds; i++) {
		uint64_t spent = row->once(host);

		least = spent < least ? spent : least;
	}
	report(row->name, least / row->calls / row->scale, row->unit, row->rounds, row->calls);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		{ "net_round_trip", pings, "ns", 1, ROUNDS, PINGS },
		{ "net_send", bulk_to, "us", 1000, BULK_ROUNDS, 1 },
		{ "net_receive", bulk_from, "us", 1000, BULK_ROUNDS, 1 },
	};

	if (argc != 2 && (argc != 4 || strcmp(argv[2], "mark") != 0)) {
		fprintf(stderr, "usage: network serve | ADDRESS [mark ROW]\n");
		return 1;
	}
	if (!strcmp(argv[1], "serve")) {
		serve();
		return 0;
	}
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (argc == 2)
			measure(&rows[i], argv[1]);
		else if (!strcmp(argv[3], rows[i].name))
			between_marks(rows[i].once, argv[1]);
	}
	return 0;
}
