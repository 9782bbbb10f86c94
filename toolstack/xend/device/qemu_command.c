/* SPDX-License-Identifier: MIT */
/*
 * QEMU's command line. QEMU puts itself into the background, and its first process then ends with
 * status 0: until that moment it dies with xend, and from then on it does not.
 */
#include "xend/device/qemu_command.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "xend/device/qemu.h"
#include "xend/device/qemu_log.h"
#include "xend/device/qemu_process.h"
#include "xend/domain/domain.h"
#include "xend/runtime/proc.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"

/* Milliseconds for QEMU to set itself up. */
#define START_PATIENCE 30000
#define MAX_WORDS      40

/* QEMU splits the word at single commas. */
static char *name_option(const char *name)
{
	struct str option = STR_INIT;

	str_add(&option, "guest=");
	for (; *name; name++)
		str_printf(&option, "%c%s", *name, *name == ',' ? "," : "");
	return str_steal(&option);
}

struct words {
	char *word[MAX_WORDS + 1];
	size_t nr;
};

static void add(struct words *words, char *word)
{
	if (words->nr < MAX_WORDS)
		words->word[words->nr++] = word;
	else
		free(word);
}

static void add_all(struct words *words, const char *const *list)
{
	for (; *list; list++)
		add(words, xstrdup(*list));
}

static void add_option(struct words *words, const char *option, char *value)
{
	add(words, xstrdup(option));
	add(words, value);
}

/* VNC clients come through a gate (domain/screen.h). */
static void add_screen(struct words *words, const struct domain *domain)
{
	const struct config_vfb *vfb = domain->config->nr_vfb ? domain->config->vfb : NULL;
	char path[QEMU_PATH_MAX];

	if (!vfb || !vfb->vnc) {
		add_option(words, "-display", xstrdup("none"));
		return;
	}
	qemu_screen_path(domain->domid, true, path);
	add_option(words, "-vnc", xasprintf("unix:%s", path));
	if (vfb->keymap || settings->keymap)
		add_option(words, "-k", xstrdup(vfb->keymap ? vfb->keymap : settings->keymap));
}

static void compose(struct words *words, const struct domain *domain)
{
	static const char *const common[] = { "-xen-attach",
					      "-machine",
					      "xenpv,accel=xen",
					      "-m",
					      "1",
					      "-nodefaults",
					      "-serial",
					      "none",
					      "-monitor",
					      "none",
					      "-no-user-config",
					      "-daemonize",
					      "-d",
					      "guest_errors",
					      NULL };
	char path[QEMU_PATH_MAX], uuid[UUID_TEXT];

	add(words, xstrdup(QEMU_PROGRAM));
	add_option(words, "-xen-domid", xasprintf("%d", domain->domid));
	uuid_to_text(domain->uuid, uuid);
	add_option(words, "-uuid", xstrdup(uuid));
	add_option(words, "-name", name_option(domain->name));
	qemu_pid_path(domain->domid, path);
	add_option(words, "-pidfile", xstrdup(path));
	qemu_control_path(domain->domid, path);
	add_option(words, "-qmp", xasprintf("unix:%s,server=on,wait=off", path));
	add_option(words, "-D", qemu_log_path(domain));
	add_all(words, common);
	add_screen(words, domain);
}

/* Makes the directory of its socket for VNC, if it has a screen. */
static int make_screen_directory(const struct domain *domain, struct error **e)
{
	char path[QEMU_PATH_MAX];

	if (!domain->config->nr_vfb)
		return 0;
	qemu_screen_path(domain->domid, true, path);
	unlink(path);
	qemu_screen_path(domain->domid, false, path);
	return file_make_dirs(path, 0700, e);
}

static int judge(int status, const struct domain *domain, struct error **e)
{
	char *said;
	int rc;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	said = qemu_log_last_line(domain);
	rc = error_set(e, EIO, "%s %d: %s", WIFEXITED(status) ? "exit status" : "signal",
		       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		       *said ? said : "it said nothing");
	free(said);
	return rc;
}

static int run(const struct words *words, const struct domain *domain, int log, struct error **e)
{
	struct proc_spec spec = { .argv = (const char *const *)words->word,
				  .fd = -1,
				  .error_fd = log,
				  .few_rights = true };
	struct proc *proc = NULL;
	int status, rc = proc_start(&spec, &proc, e);

	if (rc)
		return rc;
	proc_end_input(proc);
	rc = proc_wait(proc, task_deadline(START_PATIENCE), &status);
	if (rc)
		error_set(e, rc, rc == -ETIMEDOUT ? "it is not ready after %d s." : "cancelled.",
			  START_PATIENCE / 1000);
	else
		rc = judge(status, domain, e);
	proc_free(proc);
	return rc;
}

int qemu_start(const struct domain *domain, struct error **e)
{
	char *path = qemu_log_path(domain), control[QEMU_PATH_MAX];
	struct words words = { { NULL }, 0 };
	int log = qemu_log_open(domain, e);
	int rc = log < 0 ? log : file_make_dirs(QEMU_RUN, 0700, e);

	if (rc == 0)
		rc = make_screen_directory(domain, e);
	if (rc == 0) {
		/* A dead one's socket. */
		qemu_control_path(domain->domid, control);
		unlink(control);
		compose(&words, domain);
		rc = run(&words, domain, log, e);
	}
	if (rc)
		error_prefix(e, "QEMU does not start for domain '%s' (%s has more): ", domain->name,
			     path);
	for (size_t i = 0; i < words.nr; i++)
		free(words.word[i]);
	if (log >= 0)
		close(log);
	free(path);
	return rc;
}
