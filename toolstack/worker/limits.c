/* SPDX-License-Identifier: MIT */
/* A worker's limits: address space by setrlimit(), and the out-of-memory killer's order. */
#include "worker/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A p2m list for 4 TiB of guest addresses needs 16 MiB, a mapping of guest memory up to 16 MiB. */
#define BASE	 (128ULL << 20)
#define PER_PAGE 64ULL
/* The highest score there is (proc(5), oom_score_adj). */
#define FIRST_TO_GO "1000"

uint64_t limits_address_space(void)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm) {
		if (fscanf(statm, "%lu", &pages) != 1)
			pages = 0;
		fclose(statm);
	}
	return (uint64_t)pages * 4096;
}

int limits_for_domain(uint64_t pages, struct error **e)
{
	uint64_t bytes = limits_address_space() + BASE + pages * PER_PAGE;
	const struct rlimit limit = { bytes, bytes };

	if (LIMITS_SANITIZED)
		return 0;
	return setrlimit(RLIMIT_AS, &limit) == 0 ?
		       0 :
		       error_set(e, errno, "The worker cannot limit its memory: %s.",
				 strerror(errno));
}

void limits_be_first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* The work goes on without it. */
	if (fd < 0 || write(fd, FIRST_TO_GO, sizeof(FIRST_TO_GO) - 1) < 0)
		fprintf(stderr, "oom_score_adj: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
}
