/* SPDX-License-Identifier: MIT */
/*
 * What processes of a Linux guest cost, in instructions of guest kernel, hypervisor and process
 * together.
 *
 *	process			all rows
 *	process ROW		one row
 *	process mark ROW N	N calls between two writes to MARK_PORT (bench/profile);
 *				needs root and a Domain-0
 */
#define _GNU_SOURCE
#include "ticks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ROUNDS	5
#define BALLAST (1UL << 20)

static void die(const char *what)
{
	printf("BENCH-FAILED process: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void do_syscall(unsigned int calls)
{
	for (unsigned int i = 0; i < calls; i++)
		syscall(SYS_getppid);
}

/* A page that the process has not touched yet, each time. */
static char *fresh_pages;

static void prepare_pages(unsigned int calls)
{
	fresh_pages = mmap(NULL, calls * 4096UL, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fresh_pages == MAP_FAILED)
		die("mmap");
	/* Pages of 4 KiB, whatever the guest's policy is. */
	madvise(fresh_pages, calls * 4096UL, MADV_NOHUGEPAGE);
}

static void do_page_fault(unsigned int calls)
{
	for (unsigned int i = 0; i < calls; i++)
		((volatile char *)fresh_pages)[i * 4096UL] = 1;
}

static void finish_pages(unsigned int calls)
{
	munmap(fresh_pages, calls * 4096UL);
}

/* A second process that answers every byte; each answer takes two switches. */
static int to_child[2], from_child[2];
static pid_t partner;

static void prepare_partner(unsigned int calls)
{
	char c;

	(void)calls;
	if (pipe(to_child) || pipe(from_child))
		die("pipe");
	partner = fork();
	if (partner < 0)
		die("fork");
	if (!partner) {
		close(to_child[1]);
		while (read(to_child[0], &c, 1) == 1)
			if (write(from_child[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	close(to_child[0]);
	close(from_child[1]);
}

static void do_context_switch(unsigned int calls)
{
	char c = 0;

	for (unsigned int i = 0; i < calls; i += 2)
		if (write(to_child[1], &c, 1) != 1 || read(from_child[0], &c, 1) != 1)
			die("pipe to the other process");
}

static void finish_partner(unsigned int calls)
{
	(void)calls;
	close(to_child[1]);
	close(from_child[0]);
	waitpid(partner, NULL, 0);
}

/* The process that forks has BALLAST bytes of its own, as a small program has. */
static void do_fork_exit(unsigned int calls)
{
	for (unsigned int i = 0; i < calls; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			_exit(0);
		if (waitpid(child, NULL, 0) != child)
			die("waitpid");
	}
}

static void do_fork_exec(unsigned int calls)
{
	for (unsigned int i = 0; i < calls; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child) {
			execl("/proc/self/exe", "process", "nothing", NULL);
			_exit(1);
		}
		int status;

		if (waitpid(child, &status, 0) != child || status)
			die("exec of itself");
	}
}

static const struct row {
	const char *name;
	unsigned int calls;
	void (*prepare)(unsigned int calls);
	void (*run)(unsigned int calls);
	void (*finish)(unsigned int calls);
} rows[] = {
	{ "syscall", 200, NULL, do_syscall, NULL },
	{ "page_fault", 256, prepare_pages, do_page_fault, finish_pages },
	{ "context_switch", 200, prepare_partner, do_context_switch, finish_partner },
	{ "fork_exit", 16, NULL, do_fork_exit, NULL },
	{ "fork_exec", 8, NULL, do_fork_exec, NULL },
};

static uint64_t once(const struct row *row, unsigned int calls)
{
	uint64_t start, spent;

	if (row->prepare)
		row->prepare(calls);
	start = ticks();
	row->run(calls);
	spent = ticks() - start;
	if (row->finish)
		row->finish(calls);
	return spent;
}

static void measure(const struct row *row)
{
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t spent = once(row, row->calls);

		least = spent < least ? spent : least;
	}
	report(row->name, least / row->calls, "instructions", ROUNDS, row->calls);
}

/* Once to warm up, once between the marks; the second partner or set of pages is made before the
 * first mark. */
static void between_marks(const struct row *row, unsigned int calls)
{
	once(row, calls);
	if (row->prepare)
		row->prepare(calls);
	if (mark())
		die("/dev/port");
	row->run(calls);
	mark();
}

int main(int argc, char **argv)
{
	static char ballast[BALLAST]; /* what the process has of its own */
	bool found = false;

	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	for (unsigned long i = 0; i < BALLAST; i += 4096)
		((volatile char *)ballast)[i] = 1;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (argc == 4 && !strcmp(argv[1], "mark") && !strcmp(argv[2], rows[i].name))
			between_marks(&rows[i], (unsigned int)atoi(argv[3]));
		else if (argc == 1 || (argc == 2 && !strcmp(argv[1], rows[i].name)))
			measure(&rows[i]);
		else
			continue;
		found = true;
	}
	if (!found) {
		fprintf(stderr, "usage: process [ROW | mark ROW CALLS]; there is no such row\n");
		return 1;
	}
	return 0;
}
