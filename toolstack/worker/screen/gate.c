/* SPDX-License-Identifier: MIT */
/* One process for each client, so that a slow one holds nobody up; each has the same few rights. */
#include "worker/screen/gate.h"

#include <errno.h>
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
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/limits.h"
#include "worker/screen/rfb.h"

/* At a time. */
#define MAX_CLIENTS 16
/* Seconds for a client's begin. */
#define HANDSHAKE_SECONDS 60
#define REAP_INTERVAL	  1000
#define CHUNK		  65536

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

/* --- a client --- */

static int connect_to_server(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/" GATE_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* One direction: what was read from one side and not yet written to the other. */
struct pipe {
	int from, to;
	size_t begin, end;
	char data[CHUNK];
};

static short events_of(const struct pipe *in, const struct pipe *out)
{
	return (short)((in->begin == in->end ? POLLIN : 0) | (out->begin < out->end ? POLLOUT : 0));
}

/* False: a side has ended. */
static bool move(struct pipe *pipe, short from_events, short to_events)
{
	ssize_t n;

	if (pipe->begin == pipe->end && (from_events & (POLLIN | POLLHUP | POLLERR))) {
		n = read(pipe->from, pipe->data, sizeof(pipe->data));
		if (n <= 0)
			return false;
		pipe->begin = 0;
		pipe->end = (size_t)n;
	} else if (pipe->begin < pipe->end && (to_events & (POLLOUT | POLLHUP | POLLERR))) {
		n = send(pipe->to, pipe->data + pipe->begin, pipe->end - pipe->begin, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return false;
		pipe->begin += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void pass_on(int client, int server)
{
	static struct pipe up, down;

	up.from = down.to = client;
	up.to = down.from = server;
	for (;;) {
		struct pollfd fds[] = { { .fd = client, .events = events_of(&up, &down) },
					{ .fd = server, .events = events_of(&down, &up) } };

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (!move(&up, fds[0].revents, fds[1].revents) ||
		    !move(&down, fds[1].revents, fds[0].revents))
			return;
	}
}

static _Noreturn void serve_client(const struct gate *gate, int client)
{
	int server;

	close(gate->listener);
	alarm(HANDSHAKE_SECONDS);
	if (!rfb_admit_client(client, gate->password))
		_exit(1);
	server = connect_to_server();
	if (server < 0 || !rfb_enter_server(server))
		_exit(1);
	alarm(0);
	pass_on(client, server);
	_exit(0);
}

static void take_client(const struct gate *gate, unsigned int *clients)
{
	int client = accept4(gate->listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (client < 0)
		return;
	pid = *clients < MAX_CLIENTS ? fork() : -1;
	if (pid == 0)
		serve_client(gate, client);
	*clients += pid > 0;
	close(client);
}

void gate_serve(const struct gate *gate)
{
	unsigned int clients = 0;

	for (;;) {
		struct pollfd fds[] = { { .fd = gate->server_end, .events = POLLIN },
					{ .fd = gate->listener, .events = POLLIN } };
		int rc = poll(fds, 2, clients ? REAP_INTERVAL : -1);

		while (clients && waitpid(-1, NULL, WNOHANG) > 0)
			clients--;
		if (rc < 0 && errno != EINTR)
			return;
		if (rc > 0 && fds[0].revents)
			return;
		if (rc > 0 && fds[1].revents)
			take_client(gate, &clients);
	}
}
