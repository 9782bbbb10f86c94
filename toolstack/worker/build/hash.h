/* SPDX-License-Identifier: MIT */
/* Preparing libgcrypt for hashes and checksums. */
#ifndef WORKER_BUILD_HASH_H
#define WORKER_BUILD_HASH_H

#include <gcrypt.h>

/*
 * Initializes libgcrypt without its pool of secret memory, which nothing here needs. May be called
 * any number of times.
 */
static inline void hash_prepare(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

#endif
