/* SPDX-License-Identifier: MIT */
/*
 * A worker's limits: address space by setrlimit(), the out-of-memory killer's order, system calls
 * by seccomp.
 */
#include "worker/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

static int allow(scmp_filter_ctx filter, const struct limits_call *call)
{
	switch (call->arguments) {
	case LIMITS_NO_CODE:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	case LIMITS_LOCAL:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
					SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	default:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 0);
	}
}

int limits_allow_calls(uint32_t otherwise, const struct limits_call *calls, size_t nr)
{
	scmp_filter_ctx filter;
	int rc;

	if (LIMITS_SANITIZED)
		return 0;
	filter = seccomp_init(otherwise);
	rc = filter ? 0 : -ENOMEM;
	for (size_t i = 0; i < nr && rc == 0; i++)
		rc = allow(filter, &calls[i]);
	if (rc == 0)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return rc;
}
