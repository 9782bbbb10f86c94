/* SPDX-License-Identifier: MIT */
/*
 * Much data through a TCP connection, and a sum of it that knows the order, so cheap that an
 * emulated processor does a gigabyte in seconds.
 *
 *	flow send ADDRESS PORT MIB	numbers of a fixed sequence; says "MIB SUM"
 *	flow receive PORT		of one connection, to its end; says "MIB SUM"
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORDS	       8192
#define CHUNKS_PER_MIB ((1 << 20) / (WORDS * 8))

static uint64_t chunk[WORDS];
static uint64_t sum, chunks;

static void add_chunk(void)
{
	for (int i = 0; i < WORDS; i++)
		sum = sum * 31 + chunk[i];
	chunks++;
}

static void make_chunk(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	for (int i = 0; i < WORDS; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		chunk[i] = state;
	}
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int send_all(int fd, uint64_t count)
{
	while (chunks < count * CHUNKS_PER_MIB) {
		const char *data = (const char *)chunk;
		size_t left = sizeof(chunk);

		make_chunk();
		add_chunk();
		while (left) {
			ssize_t n = send(fd, data, left, MSG_NOSIGNAL);

			if (n <= 0)
				return fail("flow: send");
			data += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

static int receive_all(int fd)
{
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof(chunk), MSG_WAITALL)) == sizeof(chunk))
		add_chunk();
	if (n) {
		fprintf(stderr, "flow: the connection ended in the middle of a chunk, or failed\n");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, rc;

	if (fd < 0)
		return fail("flow: socket");
	if (argc == 5 && !strcmp(argv[1], "send")) {
		inet_pton(AF_INET, argv[2], &address.sin_addr);
		address.sin_port = htons((uint16_t)atoi(argv[3]));
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fail("flow: connect");
		rc = send_all(fd, strtoull(argv[4], NULL, 10));
		close(fd);
	} else if (argc == 3 && !strcmp(argv[1], "receive")) {
		address.sin_port = htons((uint16_t)atoi(argv[2]));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
			return fail("flow: listen");
		fd = accept(fd, NULL, NULL);
		if (fd < 0)
			return fail("flow: accept");
		rc = receive_all(fd);
	} else {
		fprintf(stderr, "Usage: flow send ADDRESS PORT MIB | flow receive PORT\n");
		return 2;
	}
	if (rc == 0)
		printf("%llu %016llx\n", (unsigned long long)chunks / CHUNKS_PER_MIB,
		       (unsigned long long)sum);
	return rc;
}
