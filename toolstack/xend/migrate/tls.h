/* SPDX-License-Identifier: MIT */
/*
 * A connection over TLS, by the process xend-tls (toolstack/tls/): it has the socket, and xend has
 * a plain one to it. In tasks.
 */
#ifndef XEND_MIGRATE_TLS_H
#define XEND_MIGRATE_TLS_H

#include "lib/error.h"
#include "lib/json.h"

#define TLS_PROGRAM	"/usr/lib/xenolith/xend-tls"
#define TLS_PROGRAM_ENV "XEND_TLS" /* another path, for tests */

enum tls_role { TLS_CLIENT, TLS_SERVER };

/*
 * Shakes hands with the host `name` on the connected socket, which is taken over. Returns the plain
 * socket that stands for it from now on, which does not block. -EACCES: the other host's
 * certificate is not known here, has expired, or there is none; the error says what to do. A host
 * that is not known to the server is noted (trust_asked).
 */
int tls_wrap(int fd, enum tls_role role, const char *name, struct error **e);
/* Only finds out the fingerprint of the server's certificate: a string in *result, to be put. */
int tls_look(int fd, const char *name, struct json_object **result, struct error **e);
/* Runs `xend-tls WHAT' with the order, which is taken over. The caller puts *result. */
int tls_tell(const char *what, struct json_object *order, struct json_object **result,
	     struct error **e);

#endif
