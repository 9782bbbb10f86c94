/* SPDX-License-Identifier: MIT */
/*
 * What a guest's disk costs: 64 MiB written and read past the guest's cache. The device's contents
 * are lost.
 *
 *	disk DEVICE		all rows
 *	disk DEVICE mark ROW	one transfer between two writes to MARK_PORT (bench/profile)
 */
#define _GNU_SOURCE
#include "ticks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOTAL  (64UL << 20)
#define BLOCK  (1UL << 20)
#define ROUNDS 3

static char *block;
static const char *marked; /* the one row that is done between marks, or NULL */

static void die(const char *what)
{
	printf("BENCH-FAILED disk: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t once(int fd, ssize_t (*transfer)(int fd, void *data, size_t size))
{
	uint64_t start = ticks();

	if (lseek(fd, 0, SEEK_SET))
		die("seek");
	for (unsigned long done = 0; done < TOTAL; done += BLOCK)
		if (transfer(fd, block, BLOCK) != (ssize_t)BLOCK)
			die("transfer");
	return ticks() - start;
}

static ssize_t put(int fd, void *data, size_t size)
{
	return write(fd, data, size);
}

static ssize_t get(int fd, void *data, size_t size)
{
	return read(fd, data, size);
}

static void measure(const char *name, int fd, ssize_t (*transfer)(int fd, void *data, size_t size))
{
	uint64_t least = UINT64_MAX;

	if (marked) {
		if (strcmp(marked, name) != 0)
			return;
		once(fd, transfer); /* warms up */
		if (mark())
			die("/dev/port");
		once(fd, transfer);
		mark();
		return;
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t spent = once(fd, transfer);

		least = spent < least ? spent : least;
	}
	report(name, least / 1000, "us", ROUNDS, 1);
}

int main(int argc, char **argv)
{
	bool right = argc == 2 || (argc == 4 && !strcmp(argv[2], "mark"));
	int fd = right ? open(argv[1], O_RDWR | O_DIRECT) : -1;

	if (fd < 0)
		die(right ? argv[1] : "usage: disk DEVICE [mark ROW]");
	if (argc == 4)
		marked = argv[3];
	if (posix_memalign((void **)&block, BLOCK, BLOCK))
		die("memory");
	memset(block, 0x5a, BLOCK);
	measure("disk_write", fd, put);
	measure("disk_read", fd, get);
	return 0;
}
