/* SPDX-License-Identifier: MIT */
/*
 * What the decompression libraries want of a C library. It is linked into one object with them in
 * which every symbol but ours becomes local (lib/build.mk), so nothing here is seen by the
 * hypervisor's own code.
 */
#include "lib/decompress_formats.h"

/* All working memory comes through the libraries' own allocator hooks: what asks here gets nothing.
 */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
void __noreturn __stack_chk_fail(void);

void *malloc(size_t size)
{
	(void)size;
	return NULL;
}

void *calloc(size_t n, size_t size)
{
	(void)n;
	(void)size;
	return NULL;
}

void free(void *p)
{
	(void)p;
}

/* A smashed stack while the machine boots: stop where a debugger, or the #UD handler's backtrace,
 * shows it. */
void __stack_chk_fail(void)
{
	__builtin_trap();
}

/*
 * Decoders of zstd formats older than 2016 (a third of the code): the magic numbers that lead there
 * are not ours. Weak, so that a libzstd which asks for one more of them still links, then with its
 * own.
 */
#define ZSTD_LEGACY(name)                      \
	void __attribute__((weak)) name(void); \
	void name(void)                        \
	{                                      \
		__builtin_trap();              \
	}
#define ZSTD_LEGACY_VERSION(v)                           \
	ZSTD_LEGACY(ZSTD##v##_createDCtx)                \
	ZSTD_LEGACY(ZSTD##v##_freeDCtx)                  \
	ZSTD_LEGACY(ZSTD##v##_decompress_usingDict)      \
	ZSTD_LEGACY(ZSTD##v##_findFrameSizeInfoLegacy)   \
	ZSTD_LEGACY(ZSTD##v##_getFrameParams)            \
	ZSTD_LEGACY(ZBUFF##v##_createDCtx)               \
	ZSTD_LEGACY(ZBUFF##v##_freeDCtx)                 \
	ZSTD_LEGACY(ZBUFF##v##_decompressInitDictionary) \
	ZSTD_LEGACY(ZBUFF##v##_decompressContinue)

ZSTD_LEGACY_VERSION(v05)
ZSTD_LEGACY_VERSION(v06)
ZSTD_LEGACY_VERSION(v07)

/*
 * Hooks that libzstd refers to weakly. Left undefined they are address 0, out of a PC-relative
 * call's reach from the hypervisor's addresses; defined so, they say that nobody traces.
 */
unsigned long long ZSTD_trace_decompress_begin(const void *ctx);
void ZSTD_trace_decompress_end(unsigned long long trace, const void *info);

unsigned long long ZSTD_trace_decompress_begin(const void *ctx)
{
	(void)ctx;
	return 0;
}

void ZSTD_trace_decompress_end(unsigned long long trace, const void *info)
{
	(void)trace;
	(void)info;
}

/* The libraries' constructors (liblzma chooses its CRC code in one), collected by
 * lib/decompress.lds. */
typedef void (*constructor)(void);
extern const constructor decompress_constructors[], decompress_constructors_end[];

void libc_shim_init(void)
{
	for (const constructor *c = decompress_constructors; c < decompress_constructors_end; c++)
		(*c)();
}
