/* SPDX-License-Identifier: MIT */
/*
 * Takes away what a confined program must not have: resources beyond its limits, user and
 * capabilities, system calls.
 */
#include "worker/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* pygrub needs one process and some 40 MiB of address space; a script needs some more processes. */
#define MEMORY_MAX    (256ULL << 20) /* bytes, of each process */
#define PROCESSES_MAX 16
#define FILES_MAX     64
#define NICENESS      10 /* lower priority than xend and xenstored */

static int set_limits(const struct confine_spec *spec)
{
	const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_AS, MEMORY_MAX },
		{ RLIMIT_CPU, spec->seconds },
		{ RLIMIT_FSIZE, spec->output_size },
		{ RLIMIT_NPROC, PROCESSES_MAX },
		{ RLIMIT_NOFILE, FILES_MAX },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_SIGPENDING, FILES_MAX },
	};

	if (setpriority(PRIO_PROCESS, 0, NICENESS))
		return -1;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct rlimit limit = { limits[i].value, limits[i].value };

		if (setrlimit(limits[i].resource, &limit))
			return -1;
	}
	return 0;
}

static int drop_user(uint32_t id)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	/*
	 * Every capability of this kernel: prctl() fails at the first number that it does not know.
	 */
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0))
			return -1;
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		return -1;
	return syscall(SYS_capset, &header, none) ? -1 : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * System calls that reach large or privileged parts of the kernel and that no bootloader needs.
 * This is a list of what is denied, because a list of what is allowed would break with each new
 * version of Python and its libraries. The user and the namespaces bound what the other calls can
 * do.
 */
static const int denied[] = {
	/* namespaces and mounts */
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(fanotify_init),
	/* other processes */
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	/* large parts of the kernel that were never meant for such a process */
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(io_setup),
	SCMP_SYS(io_submit),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(socket),
	SCMP_SYS(memfd_secret),
	SCMP_SYS(vmsplice),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(move_pages),
	SCMP_SYS(migrate_pages),
	SCMP_SYS(mbind),
	SCMP_SYS(set_mempolicy),
	SCMP_SYS(personality),
	/* memory that no limit of a process counts */
	SCMP_SYS(memfd_create),
	SCMP_SYS(shmget),
	SCMP_SYS(msgget),
	SCMP_SYS(semget),
	SCMP_SYS(mq_open),
	SCMP_SYS(socketpair),
	/* the machine */
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(syslog),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(vhangup),
	SCMP_SYS(lookup_dcookie),
};

/*
 * Types of ioctl() commands (the command's second byte) that work even for a process that may only
 * read the block device. The loop driver (drivers/block/loop.c) checks no permission before it
 * detaches the device from its file, gives it another file, or tells the file's name on the host.
 * The other types pass commands to the hardware.
 */
static const unsigned char denied_ioctls[] = {
	0x4c, /* loop devices (linux/loop.h) */
	0x22, /* SCSI commands (scsi/sg.h) */
	0x53, /* SCSI and CD drives (scsi/scsi_ioctl.h, linux/cdrom.h) */
	0x4e, /* NVMe (linux/nvme_ioctl.h) */
};

/*
 * Commands that the terminal of a bootloader's menu would take: the line discipline, which is a
 * driver of the kernel's, and input that seems to be typed.
 */
static const unsigned int denied_terminal[] = { TIOCSETD, TIOCSTI, TIOCLINUX, TIOCCONS };

static int deny_ioctls(scmp_filter_ctx filter)
{
	int rc = 0;

	/* Compare only what the kernel uses: the type is in the argument's lower half. */
	for (size_t i = 0; i < COUNT(denied_ioctls) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00,
					      (scmp_datum_t)denied_ioctls[i] << 8));
	for (size_t i = 0; i < COUNT(denied_terminal) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, denied_terminal[i]));
	return rc;
}

static int deny_calls(void)
{
	static const unsigned int namespaces[] = { CLONE_NEWUSER,  CLONE_NEWNS,	 CLONE_NEWPID,
						   CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
						   CLONE_NEWCGROUP };
	/*
	 * The filter's default kills a program of another ABI (32 bits, x32), whose calls have
	 * other numbers.
	 */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < COUNT(denied) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	for (size_t i = 0; i < COUNT(namespaces) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
	if (rc == 0)
		rc = deny_ioctls(filter);
	/*
	 * clone3() has its flags in memory, where a filter cannot look. libc falls back to clone().
	 */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	errno = -rc;
	return rc == 0 ? 0 : -1;
}

int confine_drop(const struct confine_spec *spec, const char **what)
{
	*what = "take its privilege";
	if (drop_user(spec->id))
		return -1;
	*what = "filter its system calls";
	if (deny_calls())
		return -1;
	/*
	 * Last, because this process may already use more memory than the program may; it could
	 * allocate nothing after this.
	 */
	*what = "limit it";
	return set_limits(spec);
}
