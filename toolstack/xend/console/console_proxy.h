/* SPDX-License-Identifier: MIT */
/* Consoles that xenconsoled serves: passes the pty that xenconsoled made through to a client. */
#ifndef XEND_CONSOLE_CONSOLE_PROXY_H
#define XEND_CONSOLE_CONSOLE_PROXY_H

#include <uv.h>

#include "lib/error.h"

struct client;
struct domain;

int console_proxy_check(struct domain *domain, struct error **e);
void console_proxy_open(uv_loop_t *loop, struct domain *domain, struct client *client);

#endif
