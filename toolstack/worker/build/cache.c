/* SPDX-License-Identifier: MIT */
/*
 * The cache of unpacked kernels, as a directory: files appear by linkat(), and notes are symbolic
 * links.
 */
#include "worker/build/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "worker/build/hash.h"
#include "lib/file.h"

/* An unpacked kernel has some 40 to 60 MB. */
#define ENTRIES_MAX 8
/* A note takes some bytes only, but notes must not pile up without end. */
#define NOTES_MAX	 64
#define DIGEST_SIZE	 32
#define RACY_SECONDS	 2
#define KERNEL_SUFFIX	 ".kernel"
#define NOTE_PREFIX	 "file-"
#define ENTRY_NAME_SIZE	 (CACHE_KEY_SIZE + sizeof(KERNEL_SUFFIX))
#define NOTE_NAME_FORMAT NOTE_PREFIX "%llx-%llx-%llx-%llx.%lx-%llx.%lx"

void cache_open(struct cache *cache, const char *path)
{
	struct stat st;

	cache->dir = -1;
	if (!path)
		return;
	if (file_make_dirs(path, 0700, NULL))
		return;
	cache->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Anybody who may write there could make any guest boot a kernel of his. */
	if (cache->dir >= 0 && (fstat(cache->dir, &st) || st.st_uid != geteuid() ||
				(st.st_mode & (S_IWGRP | S_IWOTH)) != 0))
		cache_close(cache);
}

void cache_close(struct cache *cache)
{
	if (cache->dir >= 0)
		close(cache->dir);
	cache->dir = -1;
}

/* BLAKE2b is as hard to forge as SHA-256, and needs an eighth of the instructions. */
void cache_key(const void *data, size_t size, char key[CACHE_KEY_SIZE])
{
	uint8_t digest[DIGEST_SIZE];

	hash_prepare();
	gcry_md_hash_buffer(GCRY_MD_BLAKE2B_256, digest, data, size);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(key + 2 * i, CACHE_KEY_SIZE - 2 * i, "%02x", digest[i]);
}

static bool key_ok(const char *key)
{
	return strlen(key) == (size_t)2 * DIGEST_SIZE &&
	       strspn(key, "0123456789abcdef") == (size_t)2 * DIGEST_SIZE;
}

static void note_name(const struct stat *st, char *name, size_t size)
{
	snprintf(name, size, NOTE_NAME_FORMAT, (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
		 (unsigned long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		 (unsigned long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* A note is a symbolic link whose target is the key. */
bool cache_find_key(const struct cache *cache, const struct stat *st, char key[CACHE_KEY_SIZE])
{
	char name[200];
	ssize_t n;

	if (cache->dir < 0)
		return false;
	note_name(st, name, sizeof(name));
	n = readlinkat(cache->dir, name, key, CACHE_KEY_SIZE - 1);
	if (n < 0)
		return false;
	key[n] = '\0';
	return key_ok(key);
}

/* Removes the oldest entries with that prefix and suffix, until at most `keep` are left. */
static void remove_oldest(const struct cache *cache, const char *prefix, const char *suffix,
			  unsigned int keep)
{
	for (;;) {
		int fd = openat(cache->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
		struct timespec oldest_time = { 0 };
		char oldest[256] = "";
		unsigned int count = 0;

		if (!dir) {
			if (fd >= 0)
				close(fd);
			return;
		}
		for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
			size_t length = strlen(entry->d_name);
			struct stat st;

			if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
			    length < strlen(suffix) ||
			    strcmp(entry->d_name + length - strlen(suffix), suffix) != 0 ||
			    fstatat(cache->dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
			    S_ISDIR(st.st_mode))
				continue;
			count++;
			if (oldest[0] == '\0' || st.st_mtim.tv_sec < oldest_time.tv_sec ||
			    (st.st_mtim.tv_sec == oldest_time.tv_sec &&
			     st.st_mtim.tv_nsec < oldest_time.tv_nsec)) {
				oldest_time = st.st_mtim;
				snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
			}
		}
		closedir(dir);
		if (count <= keep || unlinkat(cache->dir, oldest, 0))
			return;
	}
}

void cache_note_key(const struct cache *cache, const struct stat *st, const char *key)
{
	char name[200];

	/* A file that was changed just now may change again within the same timestamp. */
	if (cache->dir < 0 || time(NULL) - st->st_ctim.tv_sec <= RACY_SECONDS)
		return;
	note_name(st, name, sizeof(name));
	unlinkat(cache->dir, name, 0);
	if (symlinkat(key, cache->dir, name) == 0)
		remove_oldest(cache, NOTE_PREFIX, "", NOTES_MAX);
}

bool cache_get(const struct cache *cache, const char *key, struct kernel *kernel)
{
	static const struct timespec now_times[2] = { { .tv_nsec = UTIME_NOW },
						      { .tv_nsec = UTIME_NOW } };
	char name[ENTRY_NAME_SIZE];
	const char *why;
	struct stat st;
	off_t at;

	if (cache->dir < 0)
		return false;
	snprintf(name, sizeof(name), "%s" KERNEL_SUFFIX, key);
	kernel->fd = openat(cache->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (kernel->fd < 0)
		return false;
	if (fstat(kernel->fd, &st) == 0 && st.st_size >= (off_t)sizeof(kernel->info)) {
		at = st.st_size - (off_t)sizeof(kernel->info);
		if (pread(kernel->fd, &kernel->info, sizeof(kernel->info), at) ==
			    sizeof(kernel->info) &&
		    kernel_info_check(&kernel->info, (uint64_t)at, &why) == 0) {
			/* Using an entry makes it the newest. */
			futimens(kernel->fd, now_times);
			kernel->from_cache = true;
			return true;
		}
	}
	close(kernel->fd);
	kernel->fd = -1;
	/* The entry is from an older version, or damaged: remove it, so that it is made again. */
	unlinkat(cache->dir, name, 0);
	return false;
}

int cache_new_file(const struct cache *cache)
{
	int fd = -1;

	if (cache->dir >= 0)
		fd = openat(cache->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : memfd_create("kernel", MFD_CLOEXEC);
}

bool cache_put(const struct cache *cache, const char *key, int fd, const struct kernel_info *info)
{
	char name[ENTRY_NAME_SIZE], own[64];

	if (cache->dir < 0 ||
	    pwrite(fd, info, sizeof(*info), (off_t)info->image_size) != sizeof(*info))
		return false;
	snprintf(name, sizeof(name), "%s" KERNEL_SUFFIX, key);
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	/*
	 * Fails for a file in memory. When another worker has made the entry, that one is as good.
	 */
	if (linkat(AT_FDCWD, own, cache->dir, name, AT_SYMLINK_FOLLOW))
		return errno == EEXIST;
	remove_oldest(cache, "", KERNEL_SUFFIX, ENTRIES_MAX);
	return true;
}
