/* SPDX-License-Identifier: MIT */
/* A string buffer that grows, and small helpers for strings. */
#ifndef LIB_STR_H
#define LIB_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All zeroes (STR_INIT) is an empty one. text is NULL until something was added (str_text() never
 * is), has a NUL after its len bytes, and may hold NULs itself.
 */
struct str {
	char *text;
	size_t len;
	size_t capacity;
};

#define STR_INIT           \
	{                  \
		NULL, 0, 0 \
	}

void str_add(struct str *s, const char *text);
void str_add_char(struct str *s, char c);
void str_add_bytes(struct str *s, const void *bytes, size_t len);
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Room for at least `more` further bytes (and the NUL): the address where they go. The caller adds
 * to len itself. */
char *str_reserve(struct str *s, size_t more);
/* Removes the first n bytes (n <= len). */
void str_drop(struct str *s, size_t n);
void str_clear(struct str *s); /* keeps the memory */
void str_free(struct str *s);

/* The text, "" when empty. It lives until s changes. */
const char *str_text(const struct str *s);
/* Gives the text away (to be freed by free()); s is empty afterwards. Never NULL. */
char *str_steal(struct str *s);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* Cuts blanks (space, tab, newline) at both ends, in place: where the text begins now. */
char *str_trim(char *s);

/* Bytes of the UTF-8 character that text begins with; 0 when it is none (also for overlong ones,
 * surrogates, and beyond U+10FFFF). */
size_t str_utf8_length(const char *text);

/* Adds somebody else's text for people to read: at most `max` bytes, ? for what is not printable,
 * ... when it is cut. */
void str_add_shown(struct str *s, const char *text, size_t max);

/*
 * A whole number with nothing before or after it. base as strtoull's, without its blanks and signs.
 * False (and *out as it was) when it is not a number or lies outside of min..max.
 */
bool str_to_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out);

/* How many letters must be put in, left out, changed or swapped with their neighbour to turn a into
 * b; more than max: max + 1. */
unsigned int str_distance(const char *a, const char *b, unsigned int max);

#endif
