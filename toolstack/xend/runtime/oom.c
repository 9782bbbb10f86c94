/* SPDX-License-Identifier: MIT */
/*
 * Keeps the OOM killer away from xend: xend writes its own oom_score_adj, and each child sets it
 * back before execve().
 */
#include "xend/runtime/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

/*
 * proc(5), oom_score_adj: -1000 means never killed, 0 means judged by size alone. xend.service has
 * the same value.
 */
#define PATH	  "/proc/self/oom_score_adj"
#define ORDINARY  "0"
#define PROTECTED "-900"

static int write_score(const char *score)
{
	int fd = open(PATH, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, score, strlen(score)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

void oom_protect_self(void)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC), rc;
	char before[2] = "";

	if (fd >= 0) {
		if (read(fd, before, sizeof(before)) != sizeof(before))
			before[0] = '\0';
		close(fd);
	}
	if (memcmp(before, ORDINARY "\n", sizeof(before)) != 0)
		return;
	rc = write_score(PROTECTED);
	if (rc)
		log_warning("xend may be ended when Domain-0 runs out of memory: %s: %s.", PATH,
			    strerror(-rc));
}

void oom_unprotect_child(void)
{
	write_score(ORDINARY);
}
