/* SPDX-License-Identifier: MIT */
/*
 * Consoles. xend serves the console ring (xen/io/console.h) of each domain that it made. The
 * guest's output goes to a log file of bounded size, to a scroll-back of 64 KiB, to the clients of
 * console.open, and to a pty whose name stands in console/tty as Xen's tools expect. xenconsoled
 * serves the consoles of other domains; xend passes their pty through.
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

/*
 * Before the domain has a console: lets clients see its bootloader's terminal, and type there. The
 * worker gets *fd, which the caller closes. 0 or -errno. The clients stay for the domain's console;
 * console_detach disconnects them if it never has one.
 */
int console_open_boot(struct domain *domain, int *fd, struct error **e);
/*
 * Starts to serve the console of a domain. Its console_mfn and console_port must be known. 0 or
 * -errno.
 */
int console_attach(struct domain *domain, struct error **e);
/*
 * Stops serving it: drains the ring and disconnects the clients. Does nothing for a domain without
 * a console.
 */
void console_detach(struct domain *domain);
/*
 * After the domain's console_port has changed; console_attach if it has no console. Its page and
 * its clients stay.
 */
int console_rebind(struct domain *domain, struct error **e);
/* Gives the console with its clients to another domain, which has none. */
void console_move(struct domain *from, struct domain *to);
/* After a rename: the log continues in the file of the new name. */
void console_renamed(struct domain *domain);

/*
 * console_can_open: 0 if console.open is possible, -EOPNOTSUPP for Domain-0, or -ENOTCONN. After 0,
 * answer the client and hand it over with console_open.
 */
int console_can_open(struct domain *domain, struct error **e);
void console_open(struct domain *domain, struct client *client, bool scrollback);

#endif
