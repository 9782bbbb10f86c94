/* SPDX-License-Identifier: MIT */
/*
 * The operation "screen": starts a gate (gate.h) in the background, and ends. Descriptor 3 is the
 * socket that listens. The gate outlives xend, and ends with the QEMU that it leads to.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/screen/gate.h"

#define LISTENER 3
/*
 * The user ids of gates. Each domain has its own, so that no gate reaches another. They follow
 * those of bootloaders (build/bootloader.c says why nobody else has them).
 */
#define FIRST_USER 2130771968u
#define MAX_DOMID  0x7fef

/* Says over the pipe whether the gate stands; nobody sees its later end but by the missing port. */
static _Noreturn void become_gate(const struct gate *gate, int report)
{
	struct error *e = NULL;
	char rc = 0;
	int null;

	signal(SIGTERM, SIG_DFL);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    gate_confine(gate, &e))
		rc = 1;
	if (write(report, &rc, 1) != 1 || rc)
		_exit(1);
	close(report);
	gate_serve(gate);
	_exit(0);
}

static int start_gate(const struct gate *gate, struct error **e)
{
	char answer = 1;
	int report[2];
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return error_set(e, errno, "Cannot start the screen's gate: %s.", strerror(errno));
	pid = fork();
	if (pid == 0)
		become_gate(gate, report[1]);
	close(report[1]);
	if (pid < 0 || read(report[0], &answer, 1) != 1 || answer)
		return error_set(e, EPERM, "The screen's gate does not come up.");
	close(report[0]);
	return 0;
}

int op_screen(struct json_object *request, struct json_object *result, struct error **e)
{
	struct gate gate = { .listener = LISTENER };
	int64_t server, domid;
	int rc = json_get_int(request, "server", 1, INT32_MAX, &server, e);

	if (rc == 0)
		rc = json_get_int(request, "domid", 0, MAX_DOMID, &domid, e);
	if (rc == 0)
		rc = json_get_string(request, "directory", &gate.directory, e);
	if (rc == 0)
		rc = json_opt_string(request, "password", NULL, &gate.password, e);
	if (rc)
		return rc;
	gate.id = FIRST_USER + (uint32_t)domid;
	gate.server_end = (int)syscall(SYS_pidfd_open, (pid_t)server, 0);
	if (gate.server_end < 0)
		return error_set(e, errno, "The screen's QEMU has ended.");
	/* Before the rights are gone: it opens files. */
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	rc = start_gate(&gate, e);
	close(gate.server_end);
	return rc;
}
