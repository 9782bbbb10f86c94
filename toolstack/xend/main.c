/* SPDX-License-Identifier: MIT */
/*
 * xend: the daemon that manages domains. It sets up and runs one event loop;
 * docs/design/toolstack.md has the map.
 *
 * xend can be killed and restarted at any moment: all that it knows is in the hypervisor, in
 * xenstore and in the domains' records.
 */
#include "xend/xend.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <uv.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/log_file.h"
#include "lib/log_open.h"
#include "xend/server/client.h"
#include "xend/console/console.h"
#include "xend/domain/domain.h"
#include "xend/domain/guests.h"
#include "xend/domain/lifecycle.h"
#include "xend/device/backend_watch.h"
#include "xend/migrate/listen.h"
#include "xend/migrate/source.h"
#include "xend/device/disk_late.h"
#include "xend/device/network.h"
#include "xend/runtime/last_words.h"
#include "xend/runtime/limits.h"
#include "xend/runtime/notify.h"
#include "xend/runtime/oom.h"
#include "xend/runtime/proc.h"
#include "protocol.h"
#include "xend/domain/recover.h"
#include "xend/runtime/seal.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

/* Milliseconds that running operations get to undo their work when xend stops. */
#define STOP_PATIENCE 20000
/* Milliseconds for the logs of consoles, when xend ends. */
#define LOG_PATIENCE 2000

time_t xend_start_time;

static uv_loop_t *loop;
static uv_signal_t on_term, on_int;
static bool stopping;

bool xend_is_stopping(void)
{
	return stopping;
}

/*
 * Locks the pid file, so that only one xend runs. The kernel drops the lock of a killed xend. The
 * descriptor stays open until xend ends. -EBUSY: another xend has the lock.
 */
static int take_pid_file(struct error **e)
{
	char text[16];
	int fd, n, rc = file_make_dirs("/run/xend", 0755, e);

	if (rc)
		return rc;
	fd = open(XEND_PID_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(e, errno, "Cannot write %s: %s.", XEND_PID_PATH, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return error_set(e, EBUSY, "Another xend runs already (%s is locked).",
				 XEND_PID_PATH);
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n)
		return error_set(e, errno, "Cannot write %s: %s.", XEND_PID_PATH, strerror(errno));
	return 0;
}

static void stop_task(void *arg)
{
	uint64_t deadline = task_deadline(STOP_PATIENCE);
	struct domain *domain;

	disk_late_stop();
	TAILQ_FOREACH(domain, &domains, link)
		if (domain->task)
			task_cancel(domain->task);
	/*
	 * task_count() includes this task. The next xend undoes what is unfinished at the deadline.
	 */
	while (task_count() > 1 && task_now() < deadline)
		task_sleep(50);
	uv_stop(loop);
}

static void on_signal(uv_signal_t *signal, int number)
{
	if (stopping)
		return;
	stopping = true;
	log_info("xend stops; domains run on.");
	notify_send("STOPPING=1");
	clients_stop_listening();
	migrate_stop();
	recover_wake();
	if (!task_start(stop_task, NULL))
		uv_stop(loop);
}

/*
 * The first task: the network-script, then recovery of what the last xend left half done, then an
 * order to the host's guests that was under way. Requests that make domains wait for recovery
 * (recover_wait); all others wait only for the lock of their domain.
 */
static void begin(void *arg)
{
	network_start();
	recover_run();
	if (!stopping)
		disk_late_go_on();
	if (!stopping)
		migrate_go_on();
	if (!stopping)
		guests_go_on();
}

/*
 * On failure *status is the exit status of xend: XEND_EXIT_STORE if xenstored is the cause, else 1.
 */
static int set_up(const char *socket, int *status, struct error **e)
{
	int rc = settings_load(XEND_CONFIG_PATH, e);

	if (rc == 0)
		log_set_level((enum log_level)settings->loglevel);
	if (rc == 0)
		rc = take_pid_file(e);
	if (rc == 0)
		rc = seal_setup(SEAL_KEY_PATH, e);
	if (rc == 0)
		rc = hv_open(&domain_hv, e);
	if (rc == 0) {
		rc = store_setup(loop, e);
		*status = rc ? XEND_EXIT_STORE : 1;
	}
	if (rc == 0)
		rc = task_setup(loop);
	if (rc == 0)
		rc = proc_setup(loop);
	if (rc == 0)
		rc = consoles_setup(loop, e);
	if (rc == 0)
		rc = recover_load(e);
	if (rc == 0) {
		guests_load();
		backend_watch_setup();
	}
	if (rc == 0)
		rc = lifecycle_setup(e);
	if (rc == 0)
		rc = clients_listen(loop, socket, e);
	return rc;
}

static void watch_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	uv_signal_init(loop, &on_term);
	uv_signal_start(&on_term, on_signal, SIGTERM);
	uv_signal_init(loop, &on_int);
	uv_signal_start(&on_int, on_signal, SIGINT);
}

static void tear_down(void)
{
	clients_disconnect();
	lifecycle_teardown();
	backend_watch_teardown();
	notify_stop_watchdog();
	uv_close((uv_handle_t *)&on_term, NULL);
	uv_close((uv_handle_t *)&on_int, NULL);
	while (!TAILQ_EMPTY(&domains))
		domain_remove(TAILQ_FIRST(&domains));
	consoles_teardown();
	proc_teardown();
	task_teardown();
	store_teardown();
	uv_run(loop, UV_RUN_NOWAIT);
	uv_run(loop, UV_RUN_NOWAIT);
	hv_close(domain_hv);
	settings_free();
	log_file_drain(LOG_WRITER_CONSOLES, LOG_PATIENCE);
	log_close();
}

static void usage(FILE *to)
{
	fprintf(to, "Usage: xend [--foreground] [--socket PATH] [--version]\n"
		    "Manages the domains of this host; xm speaks to it. It stays in the foreground "
		    "unless --daemon is "
		    "given.\n");
}

/*
 * Detaches from the terminal. The parent exits with 0 once the child is ready to serve, else with
 * the child's status, or 1 if the child has none but 0: its caller then knows whether xend runs.
 *
 * Returns, in the child, the descriptor to write a byte to when ready; -1 in xend itself, if there
 * is no pipe or process to be had.
 */
static int daemonize(void)
{
	int ready[2], status = 0;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 1)
			_exit(0);
		_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) ?
			      WEXITSTATUS(status) :
			      1);
	}
	close(ready[0]);
	setsid();
	return ready[1];
}

static void say_ready(int ready_fd)
{
	if (ready_fd >= 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		log_set_stderr(0);
		log_drain();
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		if (write(ready_fd, "r", 1) != 1)
			log_debug("Nobody waits for xend to be ready.");
		close(ready_fd);
	}
	notify_send("READY=1");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, 'f' },   { "daemon", no_argument, NULL, 'd' },
		{ "socket", required_argument, NULL, 's' }, { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },	    { NULL, 0, NULL, 0 }
	};
	const char *socket = getenv(XEND_SOCKET_ENV);
	struct error *e = NULL;
	int option, ready_fd = -1, daemon = 0, status = 1, rc;

	while ((option = getopt_long(argc, argv, "fds:vh", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			daemon = 0;
			break;
		case 'd':
			daemon = 1;
			break;
		case 's':
			socket = optarg;
			break;
		case 'v':
			printf("xend %s\n", XENOLITH_VERSION);
			return 0;
		default:
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	if (daemon)
		ready_fd = daemonize();
	if (daemon && ready_fd < 0) {
		fprintf(stderr, "xend cannot start in the background: %s.\n", strerror(errno));
		return 1;
	}
	xend_start_time = time(NULL);
	umask(022);
	loop = uv_default_loop();
	if (file_make_dirs("/var/log/xen", 0755, &e) ||
	    log_open(XEND_LOG_PATH, XEND_LOG_LIMIT, &e)) {
		log_error("%s", error_text(e));
		error_free(&e);
	}
	last_words_setup(XEND_LOG_PATH);
	oom_protect_self();
	limits_raise();
	watch_signals();
	rc = set_up(socket ? socket : XEND_SOCKET_PATH, &status, &e);
	if (rc) {
		log_error("xend cannot start: %s", e ? error_text(e) : strerror(-rc));
		error_free(&e);
		log_close();
		return status;
	}
	migrate_listen();
	log_info("xend %s is ready.", XENOLITH_VERSION);
	task_start(begin, NULL);
	notify_start_watchdog(loop);
	say_ready(ready_fd);
	uv_run(loop, UV_RUN_DEFAULT);
	log_info("xend has stopped.");
	tear_down();
	return 0;
}
