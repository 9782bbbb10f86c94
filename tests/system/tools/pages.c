// SPDX-License-Identifier: MIT
/*
 * Writes memory as fast as it can, and verifies it: each page has its number, how often it was
 * written, and a sum of both in each word. Before a page is written again it must be as it was
 *left.
 *
 *	pages MIB FILE	writes the number of passes to FILE, and ends with status 1 at the first
 *wrong page
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS 512

static uint64_t word(uint64_t page, uint64_t pass, uint64_t i)
{
	return (page << 32 | pass) * 0x9e3779b97f4a7c15 + i * 0xff51afd7ed558ccd;
}

static int wrong(const char *file, uint64_t page, uint64_t pass, uint64_t i)
{
	FILE *out = fopen(file, "w");

	if (out)
		fprintf(out, "wrong: word %d of page %d in pass %d\n", (int)i, (int)page,
			(int)pass);
	return 1;
}

static void note(const char *file, uint64_t pass)
{
	char text[32];
	int fd = open(file, O_WRONLY | O_CREAT, 0644),
	    n = snprintf(text, sizeof(text), "%012d\n", (int)pass);

	if (fd < 0 || write(fd, text, (size_t)n) != n)
		exit(2);
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t pages = argc == 3 ? strtoull(argv[1], NULL, 10) << 8 : 0;
	uint64_t *memory = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!pages || memory == MAP_FAILED)
		return 2;
	for (uint64_t pass = 1;; pass++) {
		for (uint64_t page = 0; page < pages; page++) {
			uint64_t *at = memory + page * WORDS;

			/* Every 16th word: an emulated processor is slow. */
			for (uint64_t i = page % 16; i < WORDS && pass > 1; i += 16)
				if (at[i] != word(page, pass - 1, i))
					return wrong(argv[2], page, pass, i);
			for (uint64_t i = page % 16; i < WORDS; i += 16)
				at[i] = word(page, pass, i);
		}
		note(argv[2], pass);
	}
}
