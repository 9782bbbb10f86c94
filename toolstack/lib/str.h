/* SPDX-License-Identifier: MIT */
/* A string buffer that grows, and small helpers for strings. */
#ifndef LIB_STR_H
#define LIB_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All zeroes (STR_INIT) is an empty string. text is NULL until something is added (str_text() never
 * returns NULL). A NUL follows the len bytes, which may contain NULs too.
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
/*
 * Makes room for at least `more` further bytes and the NUL, and returns the address for them. The
 * caller writes the bytes and the NUL, and adds to len.
 */
char *str_reserve(struct str *s, size_t more);
/* Removes the first n bytes (n <= len). */
void str_drop(struct str *s, size_t n);
void str_clear(struct str *s); /* keeps the memory */
void str_free(struct str *s);

/* The text, "" when empty. The pointer is valid until s changes. */
const char *str_text(const struct str *s);
/* Returns the text, which the caller frees with free(), and empties s. Never NULL. */
char *str_steal(struct str *s);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* Whether a path is the directory itself or lies below it, by their names; both are absolute. */
bool str_is_path_within(const char *path, const char *directory);
/*
 * Cuts blanks (space, tab, carriage return, newline) at both ends, in place. Returns the new start.
 */
char *str_trim(char *s);

/*
 * Length in bytes of the UTF-8 character at text; 0 when the bytes are not valid UTF-8 (overlong
 * forms, surrogates and code points beyond U+10FFFF are invalid too).
 */
size_t str_utf8_length(const char *text);
/* The length of the longest start of the text that has at most `most` bytes and ends with a
 * character. */
size_t str_utf8_fitting(const char *text, size_t most);

/*
 * Adds foreign text so that a person can read it safely: at most `max` bytes of it; "?" replaces
 * what is not printable, "..." follows when it was cut.
 */
void str_add_shown(struct str *s, const char *text, size_t max);

/*
 * Converts a whole number with nothing before or after it. `base` is as for strtoull(), but blanks
 * and signs are refused. Returns false and leaves *out alone when s is not a number or is outside
 * min..max.
 */
bool str_to_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out);

/*
 * The edit distance from a to b: insertions, deletions, changes and swaps of neighbours. Returns
 * max + 1 when it is more than max, or when a or b is longer than 64 bytes.
 */
unsigned int str_distance(const char *a, const char *b, unsigned int max);

#endif
