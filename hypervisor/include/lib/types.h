/* SPDX-License-Identifier: MIT */
/* Basic types and macros. Everything may include this; it includes nothing of ours. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned long paddr_t; /* machine (physical) address, bytes */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)	      (1UL << (n))
#define KiB(n)	      (1024UL * (n))
#define MiB(n)	      (1024UL * 1024UL * (n))
#define GiB(n)	      (1024UL * 1024UL * 1024UL * (n))
/* clang-format off: it takes (to) and (by) for casts */
#define ROUND_UP(x, to)	    (((x) + (to)-1) & ~((__typeof__(x))(to)-1))
#define ROUND_DOWN(x, to)   ((x) & ~((__typeof__(x))(to)-1))
#define DIV_ROUND_UP(x, by) (((x) + (by)-1) / (by))
/* clang-format on */

#define min(a, b)                                  \
	({                                         \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define max(a, b)                                  \
	({                                         \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define likely(x)	 __builtin_expect(!!(x), 1)
#define unlikely(x)	 __builtin_expect(!!(x), 0)
#define __must_check	 __attribute__((warn_unused_result))
#define __nonnull_arg(n) __attribute__((nonnull(n)))
#define __packed	 __attribute__((packed))
#define __aligned(n)	 __attribute__((aligned(n)))
#define __noreturn	 __attribute__((noreturn))
#define __maybe_unused	 __attribute__((unused))
#define __used		 __attribute__((used))
#define __section(s)	 __attribute__((section(s)))
#define __printf(f, a)	 __attribute__((format(printf, f, a)))
/* The C library's headers may have defined it, with the same meaning. */
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define noinline	__attribute__((noinline))
/*
 * For a frequent path: the compiler inlines all that the function calls, in any file, except
 * functions marked noinline (the rare branches).
 */
#define __flatten __attribute__((flatten))

/* Code and data that boot frees once Domain-0 runs. */
#ifndef __init /* `make unused` puts each function in a section of its own */
#define __init __section(".init.text") noinline
#endif
#define __initdata __section(".init.data")

#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()	 __asm__ __volatile__("" ::: "memory")

/* Address spaces for sparse: a pointer to guest memory is no ordinary pointer. */
#ifdef __CHECKER__
#define __guest __attribute__((noderef, address_space(1)))
#define __force __attribute__((force))
#else
#define __guest
#define __force
#endif

/* Error numbers as pointers: the last page of the address space is never mapped. */
#define ERR_PTR(err) ((void *)(long)(err))
#define PTR_ERR(ptr) ((long)(ptr))
#define IS_ERR(ptr)  ((unsigned long)(ptr) >= (unsigned long)-4095L)

#endif
