/* SPDX-License-Identifier: MIT */
/*
 * A seal says that this host wrote something: a code that only who has the host's key can make
 * (HMAC-SHA256, RFC 2104). Hosts that have the same key believe each other.
 */
#ifndef XEND_RUNTIME_SEAL_H
#define XEND_RUNTIME_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define SEAL_SIZE     32
#define SEAL_KEY_PATH "/var/lib/xend/seal.key"

/* Reads the host's key, or makes one when there is none. Before anything else in here. */
int seal_setup(const char *key_path, struct error **e);

void seal_make(const void *data, size_t length, uint8_t seal[SEAL_SIZE]);
bool seal_fits(const void *data, size_t length, const uint8_t seal[SEAL_SIZE]);

#endif
