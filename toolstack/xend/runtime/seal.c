/* SPDX-License-Identifier: MIT */
/* Seals what this host writes: HMAC-SHA256 with a key that the host's first xend makes. */
#include "xend/runtime/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * Not libgcrypt: its relocations and self-tests would cost the daemon 800 KiB, and it seals a file
 * only now and then.
 */
#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"

#define KEY_SIZE 32

static uint8_t key[KEY_SIZE];

static int make_key(const char *path, struct error **e)
{
	char *slash = strrchr(path, '/'), *directory = xstrndup(path, (size_t)(slash - path));
	int rc = file_make_dirs(directory, 0755, e);

	free(directory);
	if (rc)
		return rc;
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return error_set(e, errno, "Cannot make the key %s: %s.", path, strerror(errno));
	return file_write_atomic(path, key, sizeof(key), 0600, e);
}

int seal_setup(const char *key_path, struct error **e)
{
	struct str text = STR_INIT;
	struct error *why = NULL;
	int rc = file_read(key_path, KEY_SIZE, &text, &why);

	if (rc == -ENOENT) {
		rc = make_key(key_path, e);
	} else if (rc) {
		rc = error_move(e, &why);
	} else if (text.len != KEY_SIZE) {
		rc = error_set(e, EINVAL,
			       "%s is damaged: it has %zu bytes in place of %d. Remove it: then "
			       "files that were saved "
			       "before can be "
			       "restored by `xm restore --trust' only.",
			       key_path, text.len, KEY_SIZE);
	} else {
		memcpy(key, text.text, KEY_SIZE);
	}
	error_free(&why);
	str_free(&text);
	return rc;
}

void seal_make(const void *data, size_t length, uint8_t seal[SEAL_SIZE])
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, sizeof(key), key);
	hmac_sha256_update(&hmac, length, data);
	hmac_sha256_digest(&hmac, SEAL_SIZE, seal);
}

bool seal_fits(const void *data, size_t length, const uint8_t seal[SEAL_SIZE])
{
	uint8_t own[SEAL_SIZE];

	seal_make(data, length, own);
	return memeql_sec(own, seal, SEAL_SIZE);
}
