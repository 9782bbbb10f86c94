/* SPDX-License-Identifier: MIT */
/*
 * The gate before a screen. It listens for VNC clients, asks them for the password, and connects
 * those that know it with QEMU, which listens at a socket that only the gate and root reach.
 *
 * QEMU could listen itself, but Debian's for Xen has no cipher for VNC's password. And it has all
 * of Domain-0's rights, while the gate has none: what strangers send first, the gate reads.
 */
#ifndef WORKER_SCREEN_GATE_H
#define WORKER_SCREEN_GATE_H

#include <stdint.h>

#include "lib/error.h"

struct gate {
	int listener;	       /* a socket that listens */
	int server_end;	       /* the server's pidfd: the gate ends with the server */
	const char *directory; /* has the server's socket, GATE_SOCKET, and nothing else */
	const char *password;  /* NULL: none */
	uint32_t id;	       /* the user and group that it becomes: nobody else's */
};

#define GATE_SOCKET "socket"

/*
 * Takes the server's socket, which root has made, and gives up every right but those that the gate
 * needs.
 */
int gate_confine(const struct gate *gate, struct error **e);
/* Serves until the server ends. */
void gate_serve(const struct gate *gate);

#endif
