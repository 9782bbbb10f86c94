/* SPDX-License-Identifier: MIT */
/*
 * A bootloader that was taken over by the disk that it looked at, in Domain-0: --try=NAME says what
 * it attempts. The last line on its standard error is "NAME: what came of it". Whatever it succeeds
 * in, it also appends to /data/hostile.log, if it can.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <pthread.h>
#include <sched.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	  (1ul << 20)
#define MANY	  100
#define LOUD	  (10 * MIB)
#define FILE_SIZE (96 * MIB)

static const char *disk, *directory;

static int opens(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -1;
}

static int shadow(void)
{
	return opens("/etc/shadow", O_RDONLY);
}

static int write_root(void)
{
	return opens("/hostile", O_WRONLY | O_CREAT);
}

static int write_usr(void)
{
	return opens("/usr/hostile", O_WRONLY | O_CREAT);
}

static int write_disk(void)
{
	return opens(disk, O_RDWR);
}

static int loosen_disk(void)
{
	return chmod(disk, 0666);
}

static int privcmd(void)
{
	return opens("/dev/xen/privcmd", O_RDWR);
}

static int make_memory(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mem", directory);
	return mknod(path, S_IFCHR | 0600, makedev(1, 1)) == 0 ? opens(path, O_RDWR) : -1;
}

static int connects(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int xenstored(void)
{
	return connects("/run/xenstored/socket");
}

static int xend(void)
{
	return connects("/run/xend/xend.sock");
}

static int network(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0 ? -1 : 0;
}

/* Signal 0 is a question. */
static int signal_others(void)
{
	for (pid_t pid = 1; pid < 32768; pid++)
		if (pid != getpid() && kill(pid, 0) == 0)
			return 0;
	errno = ESRCH;
	return -1;
}

static int trace(void)
{
	pid_t pid = fork();
	int rc;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	rc = (int)ptrace(PTRACE_ATTACH, pid, NULL, NULL);
	kill(pid, SIGKILL);
	return rc;
}

static int mounts(void)
{
	return mount("none", directory, "tmpfs", 0, NULL);
}

static int changes_root(void)
{
	return chroot(directory);
}

static int user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int becomes_root(void)
{
	if (geteuid() == 0)
		return 0;
	return setuid(0);
}

static int process_list(void)
{
	return opens("/proc/1/environ", O_RDONLY);
}

static int descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	errno = EBADF;
	return -1;
}

static int fork_bomb(void)
{
	pid_t pids[MANY];
	int count = 0, saved;

	while (count < MANY) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			break;
		pids[count++] = pid;
	}
	saved = errno;
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	errno = saved;
	return count == MANY ? 0 : -1;
}

static int fill(void)
{
	static char chunk[MIB];
	char path[256];
	int fd, number = 0;

	signal(SIGXFSZ, SIG_IGN);
	memset(chunk, 'x', sizeof(chunk));
	for (unsigned long done = 0; done < FILE_SIZE; done += 16 * MIB) {
		snprintf(path, sizeof(path), "%s/fill%d", directory, number++);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		for (unsigned long i = 0; i < 16; i++)
			if (fd < 0 || write(fd, chunk, sizeof(chunk)) != sizeof(chunk))
				return -1;
		close(fd);
	}
	return 0;
}

static int many_files(void)
{
	char path[256];

	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "%s/file%d", directory, i);
		if (opens(path, O_WRONLY | O_CREAT))
			return -1;
	}
	return 0;
}

static int memory(void)
{
	return mmap(NULL, 512 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED ?
		       -1 :
		       0;
}

/* Memory that belongs to no process. */
static int memory_file(void)
{
	int fd = memfd_create("hostile", 0);

	return fd < 0 ? -1 : close(fd);
}

static int shared_memory(void)
{
	int id = shmget(IPC_PRIVATE, 64 * MIB, 0600);

	return id < 0 ? -1 : shmctl(id, IPC_RMID, NULL);
}

/* The disk is a loop device: what else may be asked of that, by who may only read it. */
static int asks_disk(unsigned long request, void *arg)
{
	int fd = open(disk, O_RDONLY);

	return fd < 0 ? -1 : (int)syscall(SYS_ioctl, fd, request, arg);
}

static int loop_name(void)
{
	struct loop_info64 info;

	return asks_disk(LOOP_GET_STATUS64, &info);
}

static int loop_detach(void)
{
	return asks_disk(LOOP_CLR_FD, NULL);
}

/* The kernel takes the lower half of the number. */
static int loop_detach_wide(void)
{
	return asks_disk(1ul << 32 | LOOP_CLR_FD, NULL);
}

static int scsi_command(void)
{
	struct sg_io_hdr header = { .interface_id = 'S' };

	return asks_disk(SG_IO, &header);
}

/* Commands for the terminal that a menu gets. It would be standard input. */
static int line_discipline(void)
{
	int number = 21; /* N_GSM0710 */

	return ioctl(STDIN_FILENO, TIOCSETD, &number);
}

static int feign_input(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static const struct {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
	{ "shadow", shadow },
	{ "write-root", write_root },
	{ "write-usr", write_usr },
	{ "write-disk", write_disk },
	{ "loosen-disk", loosen_disk },
	{ "privcmd", privcmd },
	{ "make-memory", make_memory },
	{ "xenstored", xenstored },
	{ "xend", xend },
	{ "network", network },
	{ "signal", signal_others },
	{ "trace", trace },
	{ "mount", mounts },
	{ "chroot", changes_root },
	{ "user-namespace", user_namespace },
	{ "root", becomes_root },
	{ "processes", process_list },
	{ "descriptors", descriptors },
	{ "fork-bomb", fork_bomb },
	{ "fill", fill },
	{ "many-files", many_files },
	{ "memory", memory },
	{ "memory-file", memory_file },
	{ "shared-memory", shared_memory },
	{ "loop-name", loop_name },
	{ "loop-detach", loop_detach },
	{ "loop-detach-wide", loop_detach_wide },
	{ "scsi-command", scsi_command },
	{ "line-discipline", line_discipline },
	{ "feign-input", feign_input },
};

static void note(const char *name)
{
	FILE *log = fopen("/data/hostile.log", "a");

	if (log) {
		fprintf(log, "%s\n", name);
		fclose(log);
	}
}

/* A thread of its own runs the program anew, and so takes the place of the process's first one. */
static void *run_anew(void *argv)
{
	execv(((char **)argv)[0], argv);
	_exit(1);
}

/* Stays, if it can, when whoever started it has gone. */
static void stay(const char *how, char **argv)
{
	pthread_t thread;

	if (strcmp(how, "forever-unbound") == 0)
		prctl(PR_SET_PDEATHSIG, 0);
	if (strcmp(how, "forever-anew") == 0 && pthread_create(&thread, NULL, run_anew, argv) == 0)
		pthread_join(thread, NULL);
	if (strcmp(how, "forever-user") == 0 && setresuid(1, 1, 1) != 0)
		return;
	for (;;)
		pause();
}

/* What is no question of permission: how it ends, and what it says. */
static void misbehave(const char *how)
{
	char path[256];

	if (strcmp(how, "background") == 0 && fork() == 0) {
		execl("/bin/sleep", "sleep", "8642", NULL);
		_exit(1);
	}
	if (strcmp(how, "loud") == 0)
		for (unsigned long i = 0; i < LOUD; i += 8)
			printf("xxxxxxx\n");
	if (strcmp(how, "link") == 0) {
		snprintf(path, sizeof(path), "%s/link", directory);
		if (symlink("/etc/shadow", path) == 0)
			printf("kernel %s\n", path);
	}
	if (strcmp(how, "fifo") == 0) {
		snprintf(path, sizeof(path), "%s/fifo", directory);
		if (mkfifo(path, 0600) == 0)
			printf("kernel %s\n", path);
	}
	if (strcmp(how, "outside") == 0)
		printf("kernel /etc/shadow\n");
	if (strcmp(how, "above") == 0)
		printf("kernel %s/../etc/shadow\n", directory);
	if (strcmp(how, "nothing") == 0)
		printf("Nothing here.\n");
	fflush(stdout);
	exit(0);
}

int main(int argc, char **argv)
{
	const char *name = "";

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--try=", 6) == 0)
			name = argv[i] + 6;
		else if (strncmp(argv[i], "--output-directory=", 19) == 0)
			directory = argv[i] + 19;
	}
	disk = argv[argc - 1];
	if (strncmp(name, "forever", 7) == 0)
		stay(name, (char *[]){ argv[0], (char *)"--try=forever", (char *)disk, NULL });
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		int rc;

		if (strcmp(attempts[i].name, name) != 0)
			continue;
		rc = attempts[i].attempt();
		fprintf(stderr, "Python says:\n  much that nobody needs\n%s: %s\n", name,
			rc == 0 ? "DONE" : strerror(errno));
		if (rc == 0)
			note(name);
		return 1;
	}
	misbehave(name);
}
