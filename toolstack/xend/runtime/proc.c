/* SPDX-License-Identifier: MIT */
/*
 * Child processes. A struct proc lives until its child is reaped, its pipes are closed and its
 * owner has freed it.
 */
#include "xend/runtime/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/runtime/files.h"
#include "xend/runtime/limits.h"
#include "xend/runtime/oom.h"
#include "xend/runtime/task.h"

/*
 * Milliseconds for the output that a child has left in the pipe when it ends. The pipe ends later,
 * or never, if the child has started a daemon that keeps its standard output.
 */
#define OUTPUT_GRACE 500

struct proc {
	TAILQ_ENTRY(proc) link;
	pid_t pid;
	int status;
	bool reaped, output_ended, freed, input_closed, interrupted;
	unsigned int open_handles;
	uv_pipe_t in, out;
	struct str line;
	char chunk[4096];
	void (*on_line)(void *arg, char *line);
	void *arg;
	struct cond changed;
};

static struct {
	uv_loop_t *loop;
	uv_signal_t child;
	TAILQ_HEAD(, proc) list;
} procs;

static const char *const short_env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL };

static void reap(struct proc *proc)
{
	if (!proc->reaped && waitpid(proc->pid, &proc->status, WNOHANG) == proc->pid) {
		proc->reaped = true;
		cond_wake(&proc->changed);
	}
}

static void release(struct proc *proc)
{
	if (!proc->freed || proc->open_handles || !proc->reaped)
		return;
	TAILQ_REMOVE(&procs.list, proc, link);
	str_free(&proc->line);
	free(proc);
}

static void on_child(uv_signal_t *signal, int number)
{
	struct proc *proc, *next;

	for (proc = TAILQ_FIRST(&procs.list); proc; proc = next) {
		next = TAILQ_NEXT(proc, link);
		reap(proc);
		release(proc);
	}
}

int proc_setup(uv_loop_t *loop)
{
	procs.loop = loop;
	TAILQ_INIT(&procs.list);
	uv_signal_init(loop, &procs.child);
	return uv_signal_start(&procs.child, on_child, SIGCHLD);
}

void proc_teardown(void)
{
	uv_close((uv_handle_t *)&procs.child, NULL);
}

static void on_closed(uv_handle_t *handle)
{
	struct proc *proc = handle->data;

	proc->open_handles--;
	release(proc);
}

static void close_handle(uv_pipe_t *pipe)
{
	if (!uv_is_closing((uv_handle_t *)pipe))
		uv_close((uv_handle_t *)pipe, on_closed);
}

/* --- output --- */

static void deliver_lines(struct proc *proc)
{
	char *end;

	while (proc->line.len && (end = memchr(proc->line.text, '\n', proc->line.len))) {
		size_t length = (size_t)(end - proc->line.text);
		char *line = xstrndup(proc->line.text, length);

		str_drop(&proc->line, length + 1);
		if (proc->on_line && !proc->freed)
			proc->on_line(proc->arg, line);
		free(line);
	}
	if (proc->line.len > PROC_MAX_LINE) {
		log_error("Process %d wrote a line of more than %d bytes and is killed.",
			  (int)proc->pid, PROC_MAX_LINE);
		str_clear(&proc->line);
		proc_kill(proc, SIGKILL);
	}
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct proc *proc = handle->data;

	*buffer = uv_buf_init(proc->chunk, sizeof(proc->chunk));
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct proc *proc = stream->data;

	if (n > 0) {
		str_add_bytes(&proc->line, buffer->base, (size_t)n);
		deliver_lines(proc);
	} else if (n < 0) {
		close_handle(&proc->out);
		proc->output_ended = true;
		cond_wake(&proc->changed);
	}
}

/* --- input --- */

struct send {
	uv_write_t request;
	char data[];
};

static void on_sent(uv_write_t *request, int status)
{
	/* Errors are ignored: the exit status of a dead child tells why. */
	free(request->data);
}

void proc_send(struct proc *proc, const void *data, size_t length)
{
	struct send *send;
	uv_buf_t buffer;

	if (proc->input_closed)
		return;
	send = xmalloc(sizeof(*send) + length);
	memcpy(send->data, data, length);
	send->request.data = send;
	buffer = uv_buf_init(send->data, (unsigned int)length);
	if (uv_write(&send->request, (uv_stream_t *)&proc->in, &buffer, 1, on_sent))
		free(send);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	struct proc *proc = request->handle->data;

	close_handle(&proc->in);
	free(request);
}

void proc_end_input(struct proc *proc)
{
	uv_shutdown_t *request;

	if (proc->input_closed)
		return;
	proc->input_closed = true;
	request = xmalloc(sizeof(*request));
	if (uv_shutdown(request, (uv_stream_t *)&proc->in, on_shutdown)) {
		free(request);
		close_handle(&proc->in);
	}
}

/* --- life --- */

/* What a child with few rights keeps: files of any owner, and memory that is not swapped out. */
static void drop_rights(void)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_DAC_OVERRIDE && cap != CAP_DAC_READ_SEARCH && cap != CAP_IPC_LOCK)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * The child leads a process group, so that proc_kill reaches the children of a script, too.
 *
 * Runs in the child, in xend's memory, and becomes the program. It makes system calls and does
 * nothing else. The program inherits only the descriptors 0 to 2, and 3 if there is one. The kernel
 * kills it when xend ends.
 */
__attribute__((noreturn)) static void become(const struct proc_spec *spec, int in, int out,
					     pid_t parent)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	oom_unprotect_child();
	limits_restore_in_child();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || (spec->error_fd && dup2(spec->error_fd, 2) < 0))
		_exit(127);
	if (spec->fd == 3)
		fcntl(3, F_SETFD, 0);
	else if (spec->fd >= 0 && dup2(spec->fd, 3) < 0)
		_exit(127);
	if (spec->few_rights)
		drop_rights();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(spec->argv[0], (char *const *)spec->argv,
	       (char *const *)(spec->env ? spec->env : short_env));
	_exit(127);
}

static int make_pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC))
		return -errno;
	if (pipe2(out, O_CLOEXEC)) {
		int rc = -errno;

		close(in[0]);
		close(in[1]);
		return rc;
	}
	return 0;
}

static void open_pipe(struct proc *proc, uv_pipe_t *pipe, int fd)
{
	uv_pipe_init(procs.loop, pipe, 0);
	uv_pipe_open(pipe, fd);
	pipe->data = proc;
	proc->open_handles++;
}

int proc_start(const struct proc_spec *spec, struct proc **out, struct error **e)
{
	pid_t parent = getpid(), pid;
	int in_fds[2], out_fds[2], rc;
	sigset_t all, before;
	struct proc *proc;

	/* vfork() waits for execve(), which waits for the file. */
	rc = files_check_program(spec->argv[0]);
	if (rc)
		return error_set(e, rc, "Cannot start %s: %s.", spec->argv[0],
				 files_error_text(rc));
	rc = make_pipes(in_fds, out_fds);
	if (rc)
		return error_set(e, rc, "Cannot start %s: %s.", spec->argv[0], strerror(-rc));
	/*
	 * A copy of xend's address space, which fork() makes, costs more than the rest of the
	 * start. No signal handler may run in the child, whose memory is xend's.
	 */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)
		become(spec, in_fds[0], out_fds[1], parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		rc = error_set(e, errno, "Cannot start %s: %s.", spec->argv[0], strerror(errno));
		goto close_all;
	}
	close(in_fds[0]);
	close(out_fds[1]);

	proc = xcalloc(1, sizeof(*proc));
	proc->pid = pid;
	proc->on_line = spec->on_line;
	proc->arg = spec->arg;
	cond_init(&proc->changed);
	open_pipe(proc, &proc->in, in_fds[1]);
	open_pipe(proc, &proc->out, out_fds[0]);
	uv_read_start((uv_stream_t *)&proc->out, give_chunk, on_output);
	TAILQ_INSERT_TAIL(&procs.list, proc, link);
	*out = proc;
	return 0;

close_all:
	close(in_fds[0]);
	close(in_fds[1]);
	close(out_fds[0]);
	close(out_fds[1]);
	return rc;
}

void proc_kill(struct proc *proc, int signal)
{
	/* Until the child is reaped, no other process or group can get its number. */
	if (!proc->reaped)
		kill(-proc->pid, signal);
}

void proc_interrupt_wait(struct proc *proc)
{
	proc->interrupted = true;
	cond_wake(&proc->changed);
}

int proc_wait(struct proc *proc, uint64_t deadline, int *status)
{
	uint64_t until = deadline;
	bool grace = false;
	int rc;

	reap(proc);
	while (!proc->reaped || !proc->output_ended) {
		if (proc->interrupted) {
			proc->interrupted = false;
			return -EINTR;
		}
		if (proc->reaped && !grace) {
			grace = true;
			until = task_deadline(OUTPUT_GRACE);
		}
		rc = cond_wait(&proc->changed, until);
		if (rc == -ETIMEDOUT && proc->reaped)
			break;
		if (rc)
			return rc;
	}
	*status = proc->status;
	return 0;
}

void proc_free(struct proc *proc)
{
	if (!proc)
		return;
	proc_kill(proc, SIGKILL);
	proc->freed = true;
	proc->on_line = NULL;
	close_handle(&proc->in);
	close_handle(&proc->out);
	release(proc);
}
