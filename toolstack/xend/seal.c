/* SPDX-License-Identifier: MIT */
#include "xend/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "build/hash.h"
#include "util/alloc.h"
#include "util/file.h"
#include "util/str.h"

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
			       "%s is damaged: it has %zu bytes in place of %d. Remove it: then files that were saved "
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
	gcry_md_hd_t hash;

	hash_prepare();
	if (gcry_md_open(&hash, GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC) || gcry_md_setkey(hash, key, sizeof(key)))
		abort(); /* there is no memory, or it is another library */
	gcry_md_write(hash, data, length);
	memcpy(seal, gcry_md_read(hash, GCRY_MD_SHA256), SEAL_SIZE);
	gcry_md_close(hash);
}

bool seal_fits(const void *data, size_t length, const uint8_t seal[SEAL_SIZE])
{
	uint8_t own[SEAL_SIZE], difference = 0;

	seal_make(data, length, own);
	for (size_t i = 0; i < SEAL_SIZE; i++)
		difference |= own[i] ^ seal[i];
	return difference == 0;
}
