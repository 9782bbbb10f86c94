/* SPDX-License-Identifier: MIT */
/*
 * Consoles. xend serves the ring of each domain that it made (xen/io/console.h): what the guest
 * writes goes to a log file of bounded size, to the last 64 KiB that it remembers, to the clients
 * of console.open, and to a pty whose name is in console/tty, as Xen's tools have it. Consoles of
 * other domains are xenconsoled's: their pty is passed through.
 */
#ifndef XEND_CONSOLE_CONSOLE_H
#define XEND_CONSOLE_CONSOLE_H

#include <stdbool.h>

#include <uv.h>

#include "lib/error.h"

struct client;
struct domain;

#define CONSOLE_LOG_DIRECTORY "/var/log/xen/console"

int consoles_setup(uv_loop_t *loop, struct error **e);
void consoles_teardown(void);

/* Takes up the console of a domain whose console_mfn and console_port are known. */
int console_attach(struct domain *domain, struct error **e);
/* Lets go of it: what is left in the ring is read, and its clients are disconnected. Nothing if it
 * has none. */
void console_detach(struct domain *domain);
/* For a domain that goes on under a new name. */
void console_renamed(struct domain *domain);

/* Whether console.open is possible; then the client may be told so, and given over. */
int console_can_open(struct domain *domain, struct error **e);
void console_open(struct domain *domain, struct client *client, bool scrollback);

#endif
