/* SPDX-License-Identifier: MIT */
/*
 * Becomes the VNC viewer of the system, whichever package it is from: all of them are called
 * vncviewer, take HOST::PORT, and those that know -autopass read the password from stdin.
 */
#include "xm/commands/vncviewer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "lib/str.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"

/* What is shown at every address is seen here at this one. */
static const char *reachable(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

/* "127.0.0.1:5900" or "[::1]:5900" as "HOST::PORT". */
static char *viewer_address(const char *address)
{
	char *copy = xstrdup(*address == '[' ? address + 1 : address), *result;
	char *colon = strrchr(copy, ':'), *bracket = strchr(copy, ']');

	if (!colon) {
		free(copy);
		return NULL;
	}
	*colon = '\0';
	if (bracket)
		*bracket = '\0';
	result = xasprintf("%s::%s", reachable(copy), colon + 1);
	free(copy);
	return result;
}

/* Makes the password the standard input, which is short enough for any pipe. */
static int give_password(const char *password)
{
	size_t length = strlen(password);
	int fds[2];

	if (pipe(fds))
		return -errno;
	if (write(fds[1], password, length) != (ssize_t)length || write(fds[1], "\n", 1) != 1 ||
	    dup2(fds[0], STDIN_FILENO) < 0) {
		int rc = -errno;

		close(fds[0]);
		close(fds[1]);
		return rc;
	}
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int view(const char *domain, const char *address, const char *password)
{
	char *where = viewer_address(address);
	char *argv[] = { (char *)"vncviewer", where, password ? (char *)"-autopass" : NULL, NULL };
	int rc;

	if (!where)
		return xm_fail("xend says that the screen of domain '%s' is at %s.", domain,
			       address);
	rc = password ? give_password(password) : 0;
	if (rc == 0) {
		fflush(stdout);
		execvp(argv[0], argv);
		rc = -errno;
	}
	rc = xm_fail(
		"Cannot start vncviewer: %s. The screen of domain '%s' is at %s; Debian's package "
		"tigervnc-viewer has a viewer.",
		strerror(-rc), domain, address);
	free(where);
	return rc;
}

int vncviewer_run(const struct xm_args *args)
{
	const char *domain = args->operands[0], *address = NULL, *password = NULL;
	struct json_object *params = xm_domain_params(domain), *answer, *first, *screen = NULL;
	size_t count = 0;
	int rc;

	json_set_bool(params, XEND_P_CONFIG, true);
	answer = xm_call(XEND_M_DOMAIN_LIST, params, NULL);
	if (!answer)
		return XM_FAILED;
	first = json_object_array_get_idx(xm_array(answer, "domains", &count), 0);
	if (count)
		screen = json_find(first, XEND_D_SCREEN);
	if (screen) {
		address = xm_string(screen, XEND_D_SCREEN_ADDRESS, NULL);
		password = xm_string(screen, XEND_D_SCREEN_PASSWORD, NULL);
	}
	if (screen && json_object_get_boolean(json_find(screen, XEND_D_SCREEN_DEAD)))
		rc = xm_fail("The screen of domain '%s' is not shown: its QEMU has died. `xm log' "
			     "may say why; `xm reboot %s' brings it back.",
			     domain, domain);
	else if (address)
		rc = view(domain, address, xm_args_has(args, 'a') ? password : NULL);
	else
		rc = xm_fail(
			"Domain '%s' shows no screen: it does not run, or its configuration has "
			"no vfb.",
			domain);
	json_object_put(answer);
	return rc;
}
