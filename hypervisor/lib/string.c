/* SPDX-License-Identifier: MIT */
/*
 * String functions. Copies are tuned for few instructions: two overlapping moves cover every short
 * length without a loop, and string instructions do the rest (fast-string microcode on hardware,
 * one count per 8 bytes under emulation).
 *
 * The compiler recognises loops that copy, fill or measure, and would replace them by calls to the
 * very functions that they implement. barrier() in a loop's body forbids that, whatever the flags.
 */
#include "lib/string.h"

typedef u64 __attribute__((aligned(1), may_alias)) any_u64;
typedef u32 __attribute__((aligned(1), may_alias)) any_u32;
typedef u16 __attribute__((aligned(1), may_alias)) any_u16;

/* Copies n <= 32 bytes. Reads all before it writes any, so overlap does not matter. */
static __always_inline void copy_short(u8 *d, const u8 *s, size_t n)
{
	if (n >= 16) {
		u64 a = *(const any_u64 *)s, b = *(const any_u64 *)(s + 8);
		u64 y = *(const any_u64 *)(s + n - 16), z = *(const any_u64 *)(s + n - 8);

		*(any_u64 *)d = a;
		*(any_u64 *)(d + 8) = b;
		*(any_u64 *)(d + n - 16) = y;
		*(any_u64 *)(d + n - 8) = z;
	} else if (n >= 8) {
		u64 a = *(const any_u64 *)s, z = *(const any_u64 *)(s + n - 8);

		*(any_u64 *)d = a;
		*(any_u64 *)(d + n - 8) = z;
	} else if (n >= 4) {
		u32 a = *(const any_u32 *)s, z = *(const any_u32 *)(s + n - 4);

		*(any_u32 *)d = a;
		*(any_u32 *)(d + n - 4) = z;
	} else if (n >= 2) {
		u16 a = *(const any_u16 *)s, z = *(const any_u16 *)(s + n - 2);

		*(any_u16 *)d = a;
		*(any_u16 *)(d + n - 2) = z;
	} else if (n) {
		*d = *s;
	}
}

void *memcpy(void *dst, const void *src, size_t n)
{
	void *ret = dst;
	size_t words = n / 8;
	u8 *end;
	u64 tail;

	if (n <= 32) {
		copy_short(dst, src, n);
		return ret;
	}
	tail = *(const any_u64 *)((const u8 *)src + n - 8);
	end = (u8 *)dst + n - 8;
	__asm__ __volatile__("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
	*(any_u64 *)end = tail;
	return ret;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (n <= 32) {
		copy_short(d, s, n);
		return dst;
	}
	/*
	 * Copying forwards is right unless the destination begins inside the source. memcpy reads
	 * its tail early, so it is for regions without overlap only.
	 */
	if ((size_t)(d - s) >= n && (size_t)(s - d) >= n)
		return memcpy(dst, src, n);
	if (d < s) {
		size_t words = n / 8, rest = n % 8;

		__asm__ __volatile__("rep movsq\n\tmov %3, %2\n\trep movsb"
				     : "+D"(d), "+S"(s), "+c"(words)
				     : "r"(rest)
				     : "memory");
		return dst;
	}
	for (; n >= 8; n -= 8) {
		*(any_u64 *)(d + n - 8) = *(const any_u64 *)(s + n - 8);
		barrier();
	}
	/* The lowest bytes are left. Nothing has overwritten them as a source yet. */
	copy_short(d, s, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101UL;
	size_t words = n / 8;
	u8 *d = dst;

	if (n >= 8) {
		/* First the last word, which overlaps what the loop fills. */
		*(any_u64 *)(d + n - 8) = pattern;
		if (n <= 32) {
			*(any_u64 *)d = pattern;
			if (n > 16) {
				*(any_u64 *)(d + 8) = pattern;
				*(any_u64 *)(d + n - 16) = pattern;
			}
			return dst;
		}
		__asm__ __volatile__("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
		return dst;
	}
	if (n >= 4) {
		*(any_u32 *)d = (u32)pattern;
		*(any_u32 *)(d + n - 4) = (u32)pattern;
	} else if (n) {
		d[0] = (u8)c;
		d[n / 2] = (u8)c;
		d[n - 1] = (u8)c;
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	while (n >= 8 && *(const any_u64 *)p == *(const any_u64 *)q) {
		p += 8;
		q += 8;
		n -= 8;
	}
	for (; n; p++, q++, n--) {
		if (*p != *q)
			return *p < *q ? -1 : 1;
		barrier();
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n]) {
		n++;
		barrier();
	}
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n]) {
		n++;
		barrier();
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
		barrier();
	}
	return (int)(u8)*a - (int)(u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--) {
		if (*a != *b || !*a)
			return (int)(u8)*a - (int)(u8)*b;
		barrier();
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
		barrier();
	}
}

size_t str_copy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src), n;

	if (!size)
		return len;
	n = min(len, size - 1);
	memcpy(dst, src, n);
	dst[n] = '\0';
	return len;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A') + 10;
	return ~0U;
}

u64 str_to_u64(const char *s, const char **end, unsigned int base)
{
	bool prefixed = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;
	u64 value = 0;

	if (prefixed && (base == 0 || base == 16)) {
		s += 2;
		base = 16;
	}
	if (!base)
		base = 10;
	for (; digit_value(*s) < base; s++) {
		u64 next;

		/* A number that is too big gives the biggest one, never a small one. */
		if (__builtin_mul_overflow(value, (u64)base, &next) ||
		    __builtin_add_overflow(next, (u64)digit_value(*s), &next))
			next = ~0UL;
		value = value == ~0UL ? value : next;
	}
	if (end)
		*end = s;
	return value;
}
