/* SPDX-License-Identifier: MIT */
/*
 * A host's certificate. No authority signs it: each host knows the others' by their fingerprints,
 * the SHA-256 of the whole certificate in hexadecimal digits.
 */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <gnutls/gnutls.h>

#include "lib/error.h"
#include "lib/json.h"

/* Bytes of a fingerprint as text, with its NUL. */
#define FINGERPRINT 65

/* A new key and a certificate for it, as PEM: the members "key" and "certificate" of *out. */
int certificate_make(struct json_object **out, struct error **e);

void fingerprint_of(const gnutls_datum_t *der, char text[FINGERPRINT]);
/* The fingerprint of a certificate as PEM. */
int certificate_fingerprint(const char *pem, char text[FINGERPRINT], struct error **e);
/* NULL, or why it cannot be used now: it has expired, begins later, or is none. */
const char *certificate_why_not(const gnutls_datum_t *der);

#endif
