/* SPDX-License-Identifier: MIT */
/* What the programs for Linux systems share: the counter, and how a figure is said. */
#ifndef TICKS_H
#define TICKS_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define MARK_PORT 0x505 /* pvpanic's (QEMU's docs/specs/pvpanic.txt) */

/* The TSC: instructions, or nanoseconds of virtual time if something waited (lab/qemu.py). */
static inline uint64_t ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (uint64_t)hi << 32;
}

/* "BENCH name value unit RxC": the least of `rounds`, each of `calls` operations. */
static inline void report(const char *name, uint64_t value, const char *unit, unsigned int rounds,
			  unsigned int calls)
{
	printf("BENCH %s %llu %s %ux%u\n", name, (unsigned long long)value, unit, rounds, calls);
	fflush(stdout);
}

/*
 * Stops the emulator, for bench/profile; as root, in Domain-0 or in a guest that was given the port
 * (ioports=["505"]). Returns 0, or -1 if that cannot be (errno).
 */
static inline int mark(void)
{
	static int port = -1;

	if (port < 0)
		port = open("/dev/port", O_WRONLY | O_CLOEXEC);
	return pwrite(port, "\1", 1, MARK_PORT) == 1 ? 0 : -1;
}

#endif
