/* SPDX-License-Identifier: MIT */
/*
 * A guest's kernel: where its unpacked image lies, and what its Xen notes ask for (xen/elfnote.h).
 *
 * The description comes from a process that has read the guest's file without privilege, or from
 * the cache. Neither is believed: kernel_info_check() holds every number against the rest before it
 * is used.
 */
#ifndef WORKER_BUILD_KERNEL_H
#define WORKER_BUILD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define KERNEL_PAGE	    4096ULL
#define KERNEL_SEGMENTS_MAX 16
/* No unpacked kernel is larger, and none spans more of the address space. */
#define KERNEL_SIZE_MAX (512ULL << 20)
/* The file that it comes in. */
#define KERNEL_FILE_MAX (256ULL << 20)

enum kernel_flags {
	KERNEL_HAS_INIT_P2M = 1 << 0, /* the p2m list goes to init_p2m, not behind the ramdisk */
	KERNEL_MOD_START_PFN =
		1 << 1, /* the ramdisk need not be mapped: the kernel is told its frame */
	KERNEL_HYPERCALL_PAGE = 1 << 2, /* hypercall_page is to be filled */
	KERNEL_FLAGS_ALL = (1 << 3) - 1,
};

struct kernel_segment {
	uint64_t offset; /* in the image */
	uint64_t filesz; /* bytes to copy; zeros at the end are left out */
	uint64_t virt;
	uint64_t memsz;
};

struct kernel_info {
	char magic[8]; /* KERNEL_INFO_MAGIC, with the version of this struct */
	uint64_t image_size;
	uint64_t virt_base;	       /* of frame 0 */
	uint64_t virt_start, virt_end; /* what the segments fill, page-aligned */
	uint64_t entry, hypercall_page, init_p2m;
	uint32_t flags; /* enum kernel_flags */
	uint32_t nr_segments;
	struct kernel_segment segments[KERNEL_SEGMENTS_MAX];
	char guest_os[24], guest_version[24], loader[24]; /* for people; terminated */
};

#define KERNEL_INFO_MAGIC "xlkrnl1"

/* Reads an unpacked ELF image. 0, or -errno with *why, words that follow "the kernel is not usable:
 * ". Pure. */
int kernel_info_read(const void *image, size_t size, struct kernel_info *info, const char **why);
/* Whether all numbers fit each other and an image of image_size bytes. Pure. */
int kernel_info_check(const struct kernel_info *info, uint64_t image_size, const char **why);

struct kernel {
	struct kernel_info info;
	int fd; /* the image */
	bool from_cache;
};

/*
 * Opens, unpacks and describes the kernel in the file `path`, which may be hostile. cache: a
 * directory for unpacked kernels, NULL for none; it is made if it is missing, and a cache that
 * cannot be used costs time, not success. directory: AT_FDCWD, or one that a stranger wrote: then
 * path is a name in there, and a link is refused.
 */
int kernel_open_in(struct kernel *kernel, int directory, const char *path, const char *cache,
		   struct error **e);
void kernel_close(struct kernel *kernel);

#endif
