/* SPDX-License-Identifier: MIT */
/*
 * The cache of unpacked kernels. An entry is one file: the image, then its struct kernel_info. Its
 * name is the BLAKE2b hash of the packed file. A note (device, inode, size and times of the packed
 * file) leads to the hash, which saves hashing an unchanged file again.
 *
 * Only root may enter the directory. An entry appears as a whole or not at all. When there are too
 * many, the oldest are removed.
 */
#ifndef WORKER_BUILD_CACHE_H
#define WORKER_BUILD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "worker/build/kernel.h"

#define CACHE_KEY_SIZE 80

struct cache {
	int dir; /* -1: no cache, and nothing is ever found */
};

/* Never fails: a cache that cannot be used is treated as none. path NULL: none. */
void cache_open(struct cache *cache, const char *path);
void cache_close(struct cache *cache);

/* Computes the key for the contents of a packed file. */
void cache_key(const void *data, size_t size, char key[CACHE_KEY_SIZE]);
/* Finds the noted key of a file that has not changed since; false if there is none. */
bool cache_find_key(const struct cache *cache, const struct stat *st, char key[CACHE_KEY_SIZE]);
void cache_note_key(const struct cache *cache, const struct stat *st, const char *key);

/* Opens an entry and sets kernel->fd and kernel->info, which is checked. False if there is none. */
bool cache_get(const struct cache *cache, const char *key, struct kernel *kernel);
/*
 * Makes a file without a name to unpack into: in the cache's directory, or else in memory. Returns
 * a descriptor, or -1 with errno.
 */
int cache_new_file(const struct cache *cache);
/* Appends info to the file and gives the file its name. False if it is not in the cache. */
bool cache_put(const struct cache *cache, const char *key, int fd, const struct kernel_info *info);

#endif
