/* SPDX-License-Identifier: MIT */
/*
 * One process for each client (gate_client.c), so that a slow one holds nobody up; each has the
 * same few rights. Strangers hold nobody up, either: when there are too many clients, the first
 * that has not been let in makes room for the next.
 */
#include "worker/screen/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/limits.h"
#include "worker/screen/gate_client.h"

/* At a time. */
#define MAX_CLIENTS 16
/* Milliseconds. */
#define REAP_INTERVAL 1000

/* --- rights --- */

/*
 * Makes the server's socket the gate's own, so that it needs no right of root's to connect. The
 * directory belongs to root alone, so that nobody else has put anything there.
 */
static int take_socket(const struct gate *gate)
{
	int directory = open(gate->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc;

	if (directory < 0)
		return -1;
	rc = fchownat(directory, "", 0, gate->id, AT_EMPTY_PATH) ||
			     chmod(gate->directory, S_IRWXU | S_IXGRP) ||
			     fchownat(directory, GATE_SOCKET, gate->id, gate->id,
				      AT_SYMLINK_NOFOLLOW) ?
		     -1 :
		     0;
	close(directory);
	return rc;
}

/* Every capability of this kernel: prctl() fails at the first number that it does not know. */
static int drop_user(uint32_t id)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -1;
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		return -1;
	return syscall(SYS_capset, &header, none) ? -1 : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Other calls fail. A library's new one must not end the gate. */
static int allow_only_needed_calls(void)
{
	static const struct limits_call allowed[] = {
		{ SCMP_SYS(read), LIMITS_ANY },
		{ SCMP_SYS(write), LIMITS_ANY },
		{ SCMP_SYS(poll), LIMITS_ANY },
		{ SCMP_SYS(sendto), LIMITS_ANY },
		{ SCMP_SYS(ppoll), LIMITS_ANY },
		{ SCMP_SYS(accept), LIMITS_ANY },
		{ SCMP_SYS(accept4), LIMITS_ANY },
		{ SCMP_SYS(connect), LIMITS_ANY },
		{ SCMP_SYS(close), LIMITS_ANY },
		{ SCMP_SYS(shutdown), LIMITS_ANY },
		{ SCMP_SYS(pipe2), LIMITS_ANY },
		{ SCMP_SYS(clone), LIMITS_ANY },
		{ SCMP_SYS(wait4), LIMITS_ANY },
		{ SCMP_SYS(exit), LIMITS_ANY },
		{ SCMP_SYS(exit_group), LIMITS_ANY },
		{ SCMP_SYS(rt_sigreturn), LIMITS_ANY },
		{ SCMP_SYS(rt_sigprocmask), LIMITS_ANY },
		{ SCMP_SYS(rt_sigaction), LIMITS_ANY },
		{ SCMP_SYS(alarm), LIMITS_ANY },
		{ SCMP_SYS(setitimer), LIMITS_ANY },
		{ SCMP_SYS(getrandom), LIMITS_ANY },
		{ SCMP_SYS(nanosleep), LIMITS_ANY },
		{ SCMP_SYS(clock_nanosleep), LIMITS_ANY },
		{ SCMP_SYS(clock_gettime), LIMITS_ANY },
		{ SCMP_SYS(brk), LIMITS_ANY },
		{ SCMP_SYS(munmap), LIMITS_ANY },
		{ SCMP_SYS(mremap), LIMITS_ANY },
		{ SCMP_SYS(madvise), LIMITS_ANY },
		{ SCMP_SYS(futex), LIMITS_ANY },
		{ SCMP_SYS(set_robust_list), LIMITS_ANY },
		{ SCMP_SYS(restart_syscall), LIMITS_ANY },
		{ SCMP_SYS(gettid), LIMITS_ANY },
		{ SCMP_SYS(getpid), LIMITS_ANY },
		{ SCMP_SYS(socket), LIMITS_LOCAL },
		{ SCMP_SYS(mmap), LIMITS_NO_CODE },
	};

	return limits_allow_calls(SCMP_ACT_ERRNO(EPERM), allowed,
				  sizeof(allowed) / sizeof(allowed[0]));
}

int gate_confine(const struct gate *gate, struct error **e)
{
	const struct rlimit none = { 0, 0 }, few = { MAX_CLIENTS + 2, MAX_CLIENTS + 2 };

	if (take_socket(gate) || chroot(gate->directory) || chdir("/"))
		return error_set(e, errno, "Cannot enter %s: %s.", gate->directory,
				 strerror(errno));
	if (setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_FSIZE, &none) ||
	    setrlimit(RLIMIT_NPROC, &few) || drop_user(gate->id) || prctl(PR_SET_DUMPABLE, 0) ||
	    allow_only_needed_calls())
		return error_set(e, EPERM,
				 "Cannot give up the rights that a screen's gate does not "
				 "need.");
	return 0;
}

/* --- the clients --- */

/* In the order in which they came. */
struct clients {
	struct client {
		pid_t pid;
		int fd; /* until it is let in; then -1 */
	} list[MAX_CLIENTS];
	unsigned int nr;
	int admitted[2]; /* a pipe: processes of clients that were let in say so */
};

static void remove_client(struct clients *clients, unsigned int i)
{
	if (clients->list[i].fd >= 0)
		close(clients->list[i].fd);
	memmove(&clients->list[i], &clients->list[i + 1],
		(clients->nr - i - 1) * sizeof(clients->list[0]));
	clients->nr--;
}

static struct client *find_client(struct clients *clients, pid_t pid)
{
	for (unsigned int i = 0; i < clients->nr; i++) {
		if (clients->list[i].pid == pid)
			return &clients->list[i];
	}
	return NULL;
}

/* Learns who was let in, and who has ended. */
static void update(struct clients *clients)
{
	struct client *client;
	pid_t pid;

	while (read(clients->admitted[0], &pid, sizeof(pid)) == sizeof(pid)) {
		client = find_client(clients, pid);
		if (client && client->fd >= 0) {
			close(client->fd);
			client->fd = -1;
		}
	}
	while (clients->nr && (pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		client = find_client(clients, pid);
		if (client)
			remove_client(clients, (unsigned int)(client - clients->list));
	}
}

/* Makes room by dropping the first that has not been let in. False: all have been. */
static bool make_room(struct clients *clients)
{
	for (unsigned int i = 0; i < clients->nr; i++) {
		if (clients->list[i].fd < 0)
			continue;
		shutdown(clients->list[i].fd, SHUT_RDWR);
		remove_client(clients, i);
		return true;
	}
	return false;
}

static _Noreturn void serve(const struct gate *gate, struct clients *clients, int fd)
{
	close(gate->listener);
	for (unsigned int i = 0; i < clients->nr; i++) {
		if (clients->list[i].fd >= 0)
			close(clients->list[i].fd);
	}
	gate_client_serve(gate, fd, clients->admitted[1]);
}

static void take_client(const struct gate *gate, struct clients *clients)
{
	int fd = accept4(gate->listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid = -1;

	if (fd < 0)
		return;
	if (clients->nr < MAX_CLIENTS || make_room(clients))
		pid = fork();
	if (pid == 0)
		serve(gate, clients, fd);
	if (pid < 0)
		close(fd);
	else
		clients->list[clients->nr++] = (struct client){ .pid = pid, .fd = fd };
}

void gate_serve(const struct gate *gate)
{
	struct clients clients = { .nr = 0 };

	if (pipe2(clients.admitted, O_CLOEXEC | O_NONBLOCK))
		return;
	for (;;) {
		struct pollfd fds[] = { { .fd = gate->server_end, .events = POLLIN },
					{ .fd = gate->listener, .events = POLLIN },
					{ .fd = clients.admitted[0], .events = POLLIN } };
		int rc = poll(fds, 3, clients.nr ? REAP_INTERVAL : -1);

		update(&clients);
		if (rc < 0 && errno != EINTR)
			return;
		if (rc > 0 && fds[0].revents)
			return;
		if (rc > 0 && fds[1].revents)
			take_client(gate, &clients);
	}
}
