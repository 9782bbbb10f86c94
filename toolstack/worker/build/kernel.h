/* SPDX-License-Identifier: MIT */
/*
 * A guest's kernel: its unpacked image, and what its Xen notes ask for (xen/elfnote.h).
 *
 * The description comes from a process that parsed the guest's file without privilege, or from the
 * cache. Neither is trusted: kernel_info_check() checks every number before it is used.
 */
#ifndef WORKER_BUILD_KERNEL_H
#define WORKER_BUILD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define KERNEL_PAGE	    4096ULL
#define KERNEL_SEGMENTS_MAX 16
/* Bytes; no unpacked kernel is larger, and none spans more address space. */
#define KERNEL_SIZE_MAX (512ULL << 20)
/* Bytes of the packed file. */
#define KERNEL_FILE_MAX (256ULL << 20)

enum kernel_flags {
	KERNEL_HAS_INIT_P2M =
		/* the p2m list is mapped at init_p2m, not behind the ramdisk */
	1 << 0,
	KERNEL_MOD_START_PFN =
		/* the ramdisk need not be mapped: the kernel is told its frame */
	1 << 1,
	KERNEL_HYPERCALL_PAGE =
		/* the kernel has a page for hypercall stubs, at hypercall_page */
	1 << 2,
	KERNEL_BSD_SYMTAB =
		/* the kernel wants its symbol table; in the last segment, if it is there */
	1 << 3,
	KERNEL_SUSPEND_CANCEL =
		/* after a suspend that was given up, the kernel can go on in place */
	1 << 4,
	KERNEL_FLAGS_ALL = (1 << 5) - 1,
};

struct kernel_segment {
	uint64_t offset; /* in the image, in bytes */
	uint64_t filesz; /* bytes to copy, without zeros at the end */
	uint64_t virt;
	uint64_t memsz;
};

struct kernel_info {
	char magic[8]; /* KERNEL_INFO_MAGIC, with the version of this struct */
	uint64_t image_size;
	uint64_t virt_base;	       /* the address of frame 0 */
	uint64_t virt_start, virt_end; /* the range of all segments, page-aligned */
	uint64_t entry, hypercall_page, init_p2m;
	uint32_t flags; /* enum kernel_flags */
	uint32_t nr_segments;
	struct kernel_segment segments[KERNEL_SEGMENTS_MAX];
	char guest_os[24], guest_version[24], loader[24]; /* for people; NUL-terminated */
};

#define KERNEL_INFO_MAGIC "xlkrnl2"

/*
 * Describes an unpacked ELF image. Returns 0, or -errno with *why set to words that follow "the
 * kernel is not usable: ". Pure.
 */
int kernel_info_read(const void *image, size_t size, struct kernel_info *info, const char **why);
/*
 * Checks that all numbers of the description fit each other and an image of image_size bytes.
 * Returns 0, or -EINVAL with *why. Pure.
 */
int kernel_info_check(const struct kernel_info *info, uint64_t image_size, const char **why);

struct kernel {
	struct kernel_info info;
	int fd; /* the image */
	bool from_cache;
};

/*
 * Opens, unpacks and describes the kernel in the file `path`, which may be hostile.
 *
 * directory: AT_FDCWD, or a directory that a stranger wrote; in that one path is a plain name, and
 * a symbolic link is refused. cache: a directory for unpacked kernels, made if missing; NULL: none.
 * A cache that cannot be used costs time, but is no error.
 */
int kernel_open_in(struct kernel *kernel, int directory, const char *path, const char *cache,
		   struct error **e);
void kernel_close(struct kernel *kernel);

#endif
