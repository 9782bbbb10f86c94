/* SPDX-License-Identifier: MIT */
/*
 * One process for each client (gate_client.c), so that a slow one holds nobody up; each has the
 * same few rights. Strangers hold nobody up, either: when there are too many clients, the first
 * that has not been let in makes room for the next.
 */
#include "worker/screen/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &header, none) ? -1 :
											      0;
}

/* Other calls fail. A library's new one must not end the gate. */
static int allow_only_needed_calls(void)
{
	static const int allowed[] = {
		SCMP_SYS(read),
		SCMP_SYS(write),
		SCMP_SYS(poll),
		SCMP_SYS(sendto),
		SCMP_SYS(ppoll),
		SCMP_SYS(accept),
		SCMP_SYS(accept4),
		SCMP_SYS(connect),
		SCMP_SYS(close),
		SCMP_SYS(shutdown),
		SCMP_SYS(pipe2),
		SCMP_SYS(clone),
		SCMP_SYS(wait4),
		SCMP_SYS(exit),
		SCMP_SYS(exit_group),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(rt_sigaction),
		SCMP_SYS(alarm),
		SCMP_SYS(setitimer),
		SCMP_SYS(getrandom),
		SCMP_SYS(nanosleep),
		SCMP_SYS(clock_nanosleep),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(brk),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(futex),
		SCMP_SYS(set_robust_list),
		SCMP_SYS(restart_syscall),
		SCMP_SYS(gettid),
		SCMP_SYS(getpid),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (rc == 0)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return rc;
}

int gate_confine(const struct gate *gate, struct error **e)
{
	const struct rlimit none = { 0, 0 };

	if (chroot(gate->directory) || chdir("/"))
		return error_set(e, errno, "Cannot enter %s: %s.", gate->directory,
				 strerror(errno));
	if (setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_FSIZE, &none) ||
	    prctl(PR_SET_DUMPABLE, 0) || drop_capabilities() ||
	    (!LIMITS_SANITIZED && allow_only_needed_calls()))
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
