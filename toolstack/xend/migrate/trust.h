/* SPDX-License-Identifier: MIT */
/*
 * This host's certificate for TLS, and which other hosts' it knows: by fingerprint, each under the
 * name by which a person called the host. In tasks; files are read and written in threads.
 */
#ifndef XEND_MIGRATE_TRUST_H
#define XEND_MIGRATE_TRUST_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/json.h"

/* A file of JSON: an array of objects with the members below. */
#define TRUST_PATH     "/var/lib/xend/trusted-hosts.json"
#define TRUST_PATH_ENV "XEND_TRUST" /* another path, for tests */
/* SHA-256 in hexadecimal digits, as text with its NUL. */
#define TRUST_FINGERPRINT 65

bool trust_is_fingerprint(const char *text);

/*
 * Puts this host's "key" and "certificate" (PEM) into the order. Without both files it makes them,
 * where xend-config.sxp says.
 */
int trust_put_own(struct json_object *order, struct error **e);

/* *list: the trusted hosts, "host" and "fingerprint" of each, to be put. */
int trust_load(struct json_object **list, struct error **e);
/* Replaces what was known of that host. */
int trust_add(const char *host, const char *fingerprint, struct error **e);
/* -ENOENT: it is not there. */
int trust_remove(const char *host, struct error **e);

/*
 * A host has connected whose certificate is not known; the last ones are kept in memory, so that a
 * person can see and take them.
 */
void trust_note_asked(const char *host, const char *fingerprint);
/* As trust_load's list. */
struct json_object *trust_asked(void);

#endif
