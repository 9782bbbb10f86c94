/* SPDX-License-Identifier: MIT */
/*
 * Runs a hotplug script: its environment, its time limit, and the verdict from its exit status and
 * from what it wrote to xenstore.
 */
#include "xend/device/hotplug.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/runtime/proc.h"
#include "xend/runtime/task.h"

#define SCRIPTS "/etc/xen/scripts"
/* Milliseconds for a script to end. */
#define SCRIPT_PATIENCE 60000
#define MAX_WORDS	4

char *hotplug_script_path(const char *name)
{
	return name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", SCRIPTS, name);
}

static int judge(const char *script, const char *action, const char *back, int status,
		 struct error **e)
{
	char *said = store_read("%s/hotplug-error", back);
	int rc = 0;

	if (said)
		rc = error_set(e, EIO, "The script %s %s failed: %.400s.", script, action, said);
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		rc = error_set(e, EIO,
			       "The script %s %s failed with %s %d; /var/log/xen/xen-hotplug.log "
			       "says more.",
			       script, action, WIFEXITED(status) ? "status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	free(said);
	return rc;
}

/*
 * XENBUS_PATH is relative, as the kernel's and libxl's: scripts take the domain's number out of
 * it by cutting off "backend/vbd/".
 */
static char **make_env(const char *script, const char *class, int domid, unsigned int devid)
{
	char **env = xcalloc(10, sizeof(*env));
	char *gatewaydev =
		store_read("/local/domain/0/backend/%s/%d/%u/gatewaydev", class, domid, devid);
	size_t n = 0;

	env[n++] = xasprintf("script=%s", script);
	env[n++] = xasprintf("XENBUS_TYPE=%s", class);
	env[n++] = xasprintf("XENBUS_PATH=backend/%s/%d/%u", class, domid, devid);
	env[n++] = xstrdup("XENBUS_BASE_PATH=backend");
	env[n++] = xasprintf("netdev=%s", gatewaydev ? gatewaydev : "");
	if (strcmp(class, "vif") == 0)
		env[n++] = xasprintf("vif=vif%d.%u", domid, devid);
	env[n++] = xstrdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	env[n++] = xstrdup("LANG=C");
	free(gatewaydev);
	return env;
}

int hotplug_run(const char *script, const char *action, const char *const *words, const char *class,
		int domid, unsigned int devid, struct error **e)
{
	char *back = xasprintf("/local/domain/0/backend/%s/%d/%u", class, domid, devid);
	char **env = make_env(script, class, domid, devid);
	const char *argv[MAX_WORDS + 3] = { script, action };
	struct proc_spec spec = { .argv = argv, .env = (const char *const *)env, .fd = -1 };
	struct proc *proc = NULL;
	int status, rc;

	for (size_t i = 0; words && words[i] && i < MAX_WORDS; i++)
		argv[2 + i] = words[i];
	/* An error of an earlier run is not this one's. */
	store_remove("%s/hotplug-error", back);
	rc = proc_start(&spec, &proc, e);
	if (rc == 0) {
		proc_end_input(proc);
		rc = proc_wait(proc, task_deadline(SCRIPT_PATIENCE), &status);
		if (rc)
			error_set(e, rc, "The script %s %s %s.", script, action,
				  rc == -ETIMEDOUT ? "did not end within a minute" :
						     "was cancelled");
		else
			rc = judge(script, action, back, status, e);
	}
	proc_free(proc);
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
	free(back);
	return rc;
}

int hotplug_vif(const char *script, const char *action, int domid, unsigned int devid,
		struct error **e)
{
	static const char *const words[] = { "type_if=vif", NULL };
	int rc = hotplug_run(script, action, words, "vif", domid, devid, e);
	char *result;

	if (rc || strcmp(action, "online") != 0)
		return rc;
	result = store_read("/local/domain/0/backend/vif/%d/%u/hotplug-status", domid, devid);
	if (!result || strcmp(result, "connected") != 0)
		rc = error_set(e, EIO, "The script %s %s ended without connecting the device.",
			       script, action);
	free(result);
	return rc;
}

void hotplug_vif_undo(int domid, unsigned int devid)
{
	char *script = store_read("/local/domain/0/backend/vif/%d/%u/script", domid, devid);
	struct error *e = NULL;

	/* Without a script xend has connected it, and there is nothing to undo. */
	if (script && *script && hotplug_vif(script, "offline", domid, devid, &e))
		log_debug("%s", error_text(e));
	error_free(&e);
	free(script);
}
