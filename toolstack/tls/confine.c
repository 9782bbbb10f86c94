/* SPDX-License-Identifier: MIT */
/* What this process may still do, as a list of system calls; all others fail. */
#include "tls/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Nobody else has it: beyond those of systemd's containers, below those of the worker's guests. */
#define USER	   0x7ffdfff0U
#define MEMORY_MAX (512ULL << 20) /* bytes of address space; most are the libraries' */
#define FILES_MAX  16

static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(shutdown),
	SCMP_SYS(close),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getpid),
	SCMP_SYS(getrusage),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(newfstatat),
};

static int limit(__rlimit_resource_t resource, rlim_t value)
{
	const struct rlimit both = { value, value };

	return setrlimit(resource, &both);
}

static int filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < COUNT(allowed) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	/* Memory that is no file's, and that is not to be run. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0),
				      SCMP_A4(SCMP_CMP_MASKED_EQ, 0xffffffff, 0xffffffff));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
	for (int command = F_GETFL; command <= F_SETFL && rc == 0; command++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				      SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)command));
	if (rc == 0)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	errno = -rc;
	return rc == 0 ? 0 : -1;
}

int confine_self(struct error **e)
{
	int rc = limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) ||
		 limit(RLIMIT_NOFILE, FILES_MAX) || limit(RLIMIT_NPROC, 0) ||
		 limit(RLIMIT_MEMLOCK, 0) || prctl(PR_SET_DUMPABLE, 0);

#if !defined(__SANITIZE_ADDRESS__)
	rc = rc || limit(RLIMIT_AS, MEMORY_MAX);
#endif
	if (rc == 0 && geteuid() == 0)
		rc = setgroups(0, NULL) || setresgid(USER, USER, USER) ||
		     setresuid(USER, USER, USER);
	rc = rc || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_calls();
	return rc ? error_set(e, errno, "The process for TLS cannot give up its rights: %s.",
			      strerror(errno)) :
		    0;
}
