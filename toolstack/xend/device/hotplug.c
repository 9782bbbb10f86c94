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

/* Milliseconds for a script to end. */
#define SCRIPT_PATIENCE 60000

static int judge(const char *script, const char *action, const char *back, int status,
		 struct error **e)
{
	char *said = store_read("%s/hotplug-error", back);
	char *result = store_read("%s/hotplug-status", back);
	int rc = 0;

	if (said)
		rc = error_set(e, EIO, "The script %s %s failed: %s.", script, action, said);
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		rc = error_set(e, EIO,
			       "The script %s %s failed with %s %d; /var/log/xen/xen-hotplug.log "
			       "says more.",
			       script, action, WIFEXITED(status) ? "status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	else if (strcmp(action, "online") == 0 && (!result || strcmp(result, "connected") != 0))
		rc = error_set(e, EIO, "The script %s %s ended without connecting the device.",
			       script, action);
	free(result);
	free(said);
	return rc;
}

/* argument: the script's second argument; NULL: none. */
static int run(const char *script, const char *action, const char *argument, const char *class,
	       int domid, unsigned int devid, struct error **e)
{
	char *back = xasprintf("/local/domain/0/backend/%s/%d/%u", class, domid, devid);
	char *env[] = {
		xasprintf("script=%s", script),
		xasprintf("vif=vif%d.%u", domid, devid),
		xasprintf("XENBUS_PATH=%s", back),
		xasprintf("XENBUS_TYPE=%s", class),
		xstrdup("XENBUS_BASE_PATH=backend"),
		xstrdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
		xstrdup("LANG=C"),
		NULL,
	};
	const char *argv[] = { script, action, argument, NULL };
	struct proc_spec spec = { .argv = argv, .env = (const char *const *)env, .fd = -1 };
	struct proc *proc = NULL;
	int status, rc = proc_start(&spec, &proc, e);

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
	free(back);
	return rc;
}

int hotplug_vif(const char *script, const char *action, int domid, unsigned int devid,
		struct error **e)
{
	return run(script, action, "type_if=vif", "vif", domid, devid, e);
}

void hotplug_undo_foreign(const char *class, int domid, unsigned int devid)
{
	char *script = store_read("/local/domain/0/backend/%s/%d/%u/script", class, domid, devid);
	struct error *e = NULL;
	int rc = 0;

	if (script && strcmp(class, "vbd") == 0 && access(script, X_OK) == 0)
		rc = run(script, "remove", NULL, class, domid, devid, &e);
	else if (script && strcmp(class, "vif") == 0 && access(script, X_OK) == 0)
		rc = hotplug_vif(script, "offline", domid, devid, &e);
	if (rc)
		log_debug("%s", error_text(e));
	error_free(&e);
	free(script);
}
