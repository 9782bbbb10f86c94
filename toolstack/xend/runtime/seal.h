/* SPDX-License-Identifier: MIT */
/*
 * A seal proves that this host wrote something: an HMAC-SHA256 (RFC 2104) with the host's secret
 * key. Hosts that share the key accept each other's seals.
 */
#ifndef XEND_RUNTIME_SEAL_H
#define XEND_RUNTIME_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define SEAL_SIZE     32
#define SEAL_KEY_PATH "/var/lib/xend/seal.key"

/*
 * Reads the host's key, or makes one if the file is missing. Call it before the other functions.
 * -EINVAL: the key has the wrong size.
 */
int seal_setup(const char *key_path, struct error **e);

void seal_make(const void *data, size_t length, uint8_t seal[SEAL_SIZE]);
bool seal_fits(const void *data, size_t length, const uint8_t seal[SEAL_SIZE]);

#endif
