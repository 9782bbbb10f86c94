/* SPDX-License-Identifier: MIT */
/* Carries bytes between a TLS session and a plain socket, until both directions have ended. */
#ifndef TLS_RELAY_H
#define TLS_RELAY_H

#include <gnutls/gnutls.h>

/*
 * Each end of input becomes an end of output at the other side. Also returns when one side is gone.
 * Both descriptors are made non-blocking. 0: both directions have ended in good order.
 */
int relay_run(gnutls_session_t tls, int tls_fd, int plain);

#endif
