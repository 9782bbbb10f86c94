/* SPDX-License-Identifier: MIT */
/* The beginning of a connection: who is at the other end, and is it known? */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <gnutls/gnutls.h>

#include "lib/error.h"
#include "lib/json.h"
#include "tls/certificate.h"

struct session {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t credentials;
	char fingerprint[FINGERPRINT]; /* the other host's; "": it has no certificate */
};

/*
 * Shakes hands on the connected socket `fd`, which blocks. Members of the order: "server" (else the
 * client), "key" and "certificate" (PEM), "trusted" (fingerprints), "name" (of the other host, for
 * people), "look" (only finds out the fingerprint). Session_end in any case.
 *
 * -EACCES: the other end is not known. As a server it has told the client so.
 */
int session_begin(struct session *s, int fd, struct json_object *order, struct error **e);
void session_end(struct session *s);

#endif
