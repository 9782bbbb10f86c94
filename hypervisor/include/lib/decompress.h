/* SPDX-License-Identifier: MIT */
/*
 * Decompression of a kernel image at boot: gzip, xz, zstd and Linux's lz4 form, by the formats' own
 * libraries. All of it lies in .init sections.
 *
 * The libraries are compiled for user space, so the processor must be set up as they expect before
 * decompress() is called:
 *  - SSE works: CR0.EM and CR0.TS clear, CR4.OSFXSR set; all SSE registers change. No AVX is used.
 *  - FS base + 0x28 can be read (the stack protector's cookie; MSR_FS_BASE = address of a struct
 * decompress_tls does).
 *  - DECOMPRESS_STACK bytes of stack.
 * An interrupt handler that comes meanwhile must leave SSE registers and FS alone.
 */
#ifndef LIB_DECOMPRESS_H
#define LIB_DECOMPRESS_H

#include "lib/types.h"

/*
 * Working memory, 16-byte aligned, from which the libraries take what they need. xz needs its
 * dictionary and 64 KiB: Linux's build uses 32 MiB (scripts/xz_wrap.sh), later versions 128 MiB;
 * the others need less than 1 MiB.
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
 * Working memory that decompress() of this source would need, in bytes: for xz read from its
 * headers, else DECOMPRESS_MEM_MIN. 0 if the source is damaged or of an unknown format.
 */
size_t decompress_mem_needed(const void *src, size_t srclen);

/*
 * Decompresses the one stream that fills src[0 .. srclen) into dst; *outlen is the number of bytes
 * made, at most dstlen. Returns 0, or with *why set to a sentence for a person: -EINVAL (damaged,
 * or not all of src is the stream), -EOPNOTSUPP (unknown format or an option that the library
 * lacks), -ENOSPC (does not fit dst), -ENOMEM (mem too small), -E2BIG (more than 1 GiB). On an
 * error dst holds rubbish. Runs the compiled-in constructors, so it is not reentrant.
 */
int __must_check decompress(const void *src, size_t srclen, void *dst, size_t dstlen,
			    size_t *outlen, struct decompress_mem *mem, const char **why);

#endif
