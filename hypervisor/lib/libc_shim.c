/* SPDX-License-Identifier: MIT */
/*
 * The part of a C library that the decompression libraries need. It is linked into one object with
 * them, in which every symbol but ours becomes local (lib/build.mk), so the hypervisor's own code
 * sees nothing of this.
 */
#include "lib/decompress_formats.h"

/*
 * The libraries get all working memory through their allocator hooks, so malloc has none to give.
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

/*
 * A smashed stack during boot: trap, so that a debugger or the #UD handler's backtrace shows the
 * place.
 */
void __stack_chk_fail(void)
{
	__builtin_trap();
}

/*
 * Stubs for the decoders of zstd formats older than 2016, a third of libzstd's code. The magic
 * numbers that lead there are not accepted here. The stubs are weak, so that a libzstd that needs
 * one more of them still links, with its own.
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
 * Hooks that libzstd refers to weakly. Undefined, they would be at address 0, out of reach of a
 * PC-relative call from the hypervisor's addresses. These definitions mean: nobody traces.
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

/*
 * The libraries' constructors, collected by lib/decompress.lds. liblzma chooses its CRC code in
 * one.
 */
typedef void (*constructor)(void);
extern const constructor decompress_constructors[], decompress_constructors_end[];

void libc_shim_init(void)
{
	for (const constructor *c = decompress_constructors; c < decompress_constructors_end; c++)
		(*c)();
}
