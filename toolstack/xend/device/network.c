/* SPDX-License-Identifier: MIT */
/* Runs the network-script once, when xend starts, and logs what it prints. */
#include "xend/device/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/runtime/proc.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"

#define SCRIPTS "/etc/xen/scripts"
/* Milliseconds for the script to end. */
#define PATIENCE 60000

static void log_output(void *arg, char *line)
{
	log_info("network-script: %s", line);
}

/*
 * Splits "network-bridge netdev=eth0" into words, with "start" after the first. Free the array and
 * its first word.
 */
static const char **split(char *words)
{
	const char **argv = xcalloc(strlen(words) + 3, sizeof(char *));
	char *rest = words, *word = strsep(&rest, " ");
	size_t n = 2;

	argv[0] = word[0] == '/' ? xstrdup(word) : xasprintf("%s/%s", SCRIPTS, word);
	argv[1] = "start";
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[n++] = word;
	return argv;
}

static void judge(const char *script, int rc, int status, const struct error *e)
{
	if (e)
		log_error("The network-script %s cannot be run: %s", script, error_text(e));
	else if (rc)
		log_error("The network-script %s %s.", script,
			  rc == -ETIMEDOUT ? "did not end within a minute" : "was cancelled");
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		log_error("The network-script %s failed with %s %d.", script,
			  WIFEXITED(status) ? "status" : "signal",
			  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

void network_start(void)
{
	struct proc_spec spec = { .fd = -1, .on_line = log_output };
	struct proc *proc = NULL;
	struct error *e = NULL;
	int rc, status = 0;
	const char **argv;
	char *words;

	if (!settings->network_script)
		return;
	words = xstrdup(settings->network_script);
	argv = split(words);
	spec.argv = argv;
	rc = proc_start(&spec, &proc, &e);
	if (rc == 0) {
		proc_end_input(proc);
		rc = proc_wait(proc, task_deadline(PATIENCE), &status);
	}
	judge(argv[0], rc, status, e);
	proc_free(proc);
	error_free(&e);
	free((char *)argv[0]);
	free(argv);
	free(words);
}
