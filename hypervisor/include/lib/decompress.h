/* SPDX-License-Identifier: MIT */
/*
 * Decompression of a kernel image at boot: gzip, xz, zstd and Linux's lz4 form, by the formats' own
 * libraries. All of it lies in .init sections.
 *
 * The libraries are compiled for user space, so the caller of decompress() first sets the processor
 * up as they expect:
 *  - SSE works: CR0.EM and CR0.TS clear, CR4.OSFXSR set. All SSE registers change. No AVX is used.
 *  - FS base + 0x28 can be read (the stack protector's cookie): MSR_FS_BASE holds the address of a
 *    struct decompress_tls.
 *  - The stack has DECOMPRESS_STACK bytes of room.
 *
 * An interrupt handler that runs meanwhile must leave SSE registers and FS alone.
 */
#ifndef LIB_DECOMPRESS_H
#define LIB_DECOMPRESS_H

#include "lib/types.h"

/*
 * Working memory for the libraries, 16-byte aligned. xz needs its dictionary and 64 KiB: the
 * dictionary of Linux's build is 32 MiB (scripts/xz_wrap.sh), in later versions 128 MiB. The others
 * need less than 1 MiB.
 */
struct decompress_mem {
	void *base;
	size_t size, used;
};
#define DECOMPRESS_MEM_MIN MiB(1)

#define DECOMPRESS_STACK KiB(8)

struct decompress_tls {
	u64 unused[5];
	u64 cookie; /* FS base + 0x28: any value */
};

/*
 * Bytes of working memory that decompress() needs for this source: for xz read from its headers,
 * else DECOMPRESS_MEM_MIN. 0: the source is damaged or of an unknown format.
 */
size_t decompress_mem_needed(const void *src, size_t srclen);

/*
 * Decompresses the one stream that fills src[0 .. srclen) into dst; *outlen is the number of bytes
 * written, at most dstlen. Not reentrant: it runs the libraries' constructors.
 *
 * Returns 0, or an error with *why set to a sentence for a person: -EINVAL (damaged, or not all of
 * src is the stream), -EOPNOTSUPP (unknown format, or an option that the library lacks), -ENOSPC
 * (does not fit dst), -ENOMEM (mem too small), -E2BIG (more than 1 GiB). On an error the content of
 * dst is undefined.
 */
int __must_check decompress(const void *src, size_t srclen, void *dst, size_t dstlen,
			    size_t *outlen, struct decompress_mem *mem, const char **why);

#endif
