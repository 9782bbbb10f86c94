/* SPDX-License-Identifier: MIT */
/*
 * Takes everything away from this process but what TLS needs: it has a user of its own, gains
 * nothing by a program, opens no file, makes no socket, starts no process, and has bounded memory.
 */
#ifndef TLS_CONFINE_H
#define TLS_CONFINE_H

#include "lib/error.h"

/* Without root (a test) the user stays; all else holds. */
int confine_self(struct error **e);

#endif
