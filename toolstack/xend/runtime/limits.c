/* SPDX-License-Identifier: MIT */
/* Raises RLIMIT_NOFILE, and remembers what it was. */
#include "xend/runtime/limits.h"

#include <stdbool.h>
#include <sys/resource.h>

#include "lib/log.h"

/* Descriptors of a domain: both ends of its terminal, its log, and one more while it starts. */
#define PER_DOMAIN 4
/* The limit that Linux gives to a process. */
#define USUAL 1024

static struct rlimit before;
static bool raised;

void limits_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &before) || before.rlim_cur >= LIMITS_DESCRIPTORS)
		return;
	limit = before;
	limit.rlim_cur = LIMITS_DESCRIPTORS;
	if (limit.rlim_max < LIMITS_DESCRIPTORS)
		limit.rlim_max = LIMITS_DESCRIPTORS;
	raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
	if (raised)
		return;
	/* Without the right to raise the hard limit, or above /proc/sys/fs/nr_open. */
	limit = before;
	limit.rlim_cur = limit.rlim_max;
	raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
	log_warning("xend may have %llu open files, which is enough for about %llu domains. The "
		    "limit is the service's (LimitNOFILE=), or the kernel's (fs.nr_open).",
		    (unsigned long long)(raised ? limit.rlim_cur : before.rlim_cur),
		    (unsigned long long)(raised ? limit.rlim_cur : before.rlim_cur) / PER_DOMAIN);
}

void limits_restore_in_child(void)
{
	struct rlimit limit = before;

	if (!raised)
		return;
	/* An ordinary program may count on the usual limit. */
	if (limit.rlim_cur < USUAL)
		limit.rlim_cur = USUAL;
	if (limit.rlim_max < USUAL)
		limit.rlim_max = USUAL;
	setrlimit(RLIMIT_NOFILE, &limit);
}
