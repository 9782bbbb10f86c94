/* SPDX-License-Identifier: MIT */
/*
 * Unpacked kernels, each in a file that is named by the hash (BLAKE2b) of the file it was unpacked
 * from: the image, then its struct kernel_info. A second name, made of device, inode, size and
 * times of the original, saves hashing it again.
 *
 * Only root may enter the directory. Entries appear whole or not at all; the oldest go when there
 * are too many.
 */
#ifndef WORKER_BUILD_CACHE_H
#define WORKER_BUILD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "worker/build/kernel.h"

#define CACHE_KEY_SIZE 80

struct cache {
	int dir; /* -1: there is none, and nothing is ever found */
};

/* Never fails: what cannot be used is no cache. path NULL: none. */
void cache_open(struct cache *cache, const char *path);
void cache_close(struct cache *cache);

/* The key of a file's content. */
void cache_key(const void *data, size_t size, char key[CACHE_KEY_SIZE]);
/* The key that was noted for a file that has not changed since; false if there is none. */
bool cache_find_key(const struct cache *cache, const struct stat *st, char key[CACHE_KEY_SIZE]);
void cache_note_key(const struct cache *cache, const struct stat *st, const char *key);

/* Opens an entry: kernel->fd and kernel->info, checked. False if there is none. */
bool cache_get(const struct cache *cache, const char *key, struct kernel *kernel);
/* A file without a name to unpack into: in the cache's directory, or else in memory. -1 with errno.
 */
int cache_new_file(const struct cache *cache);
/* Gives the file its name, with the description at its end. False if it is not in the cache. */
bool cache_put(const struct cache *cache, const char *key, int fd, const struct kernel_info *info);

#endif
