/* SPDX-License-Identifier: MIT */
/* The growing buffer and the string helpers of str.h. */
#include "lib/str.h"
#include "lib/alloc.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *str_reserve(struct str *s, size_t more)
{
	size_t need = s->len + more + 1;

	if (need > s->capacity) {
		s->capacity = need < 64 ? 64 : need + need / 2;
		s->text = xreallocarray(s->text, s->capacity, 1);
	}
	return s->text + s->len;
}

void str_add_bytes(struct str *s, const void *bytes, size_t len)
{
	char *to = str_reserve(s, len);

	if (len)
		memcpy(to, bytes, len);
	to[len] = '\0';
	s->len += len;
}

void str_add(struct str *s, const char *text)
{
	str_add_bytes(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
	str_add_bytes(s, &c, 1);
}

void str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	char *text = xvasprintf(fmt, ap);

	str_add(s, text);
	free(text);
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

void str_drop(struct str *s, size_t n)
{
	if (!n)
		return;
	memmove(s->text, s->text + n, s->len - n + 1);
	s->len -= n;
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->text)
		s->text[0] = '\0';
}

void str_free(struct str *s)
{
	free(s->text);
	memset(s, 0, sizeof(*s));
}

const char *str_text(const struct str *s)
{
	return s->text ? s->text : "";
}

char *str_steal(struct str *s)
{
	char *text = s->text ? s->text : xstrdup("");

	memset(s, 0, sizeof(*s));
	return text;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_is_path_within(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length == 1)
		return path[0] == '/';
	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), end = strlen(suffix);

	return len >= end && strcmp(s + len - end, suffix) == 0;
}

char *str_trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len && strchr(" \t\r\n", s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

bool str_to_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (!isxdigit((unsigned char)*s))
		return false;
	errno = 0;
	value = strtoull(s, &end, base);
	if (errno || end == s || *end || value < min || value > max)
		return false;
	*out = value;
	return true;
}

size_t str_utf8_length(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;

	if ((*p >= 0x80 && *p < 0xc2) || *p > 0xf4)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] >= 0x90))
		return 0;
	return more + 1;
}

size_t str_utf8_fitting(const char *text, size_t most)
{
	size_t len = strlen(text);

	if (len <= most)
		return len;
	while (most && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

void str_add_shown(struct str *s, const char *text, size_t max)
{
	const char *p = text;

	while (*p) {
		size_t len = str_utf8_length(p);

		if ((size_t)(p - text) + (len ? len : 1) > max) {
			str_add(s, "...");
			return;
		}
		if (!len || (unsigned char)*p < ' ' || *p == 127)
			str_add_char(s, '?');
		else
			str_add_bytes(s, p, len);
		p += len ? len : 1;
	}
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Damerau's distance, restricted to swaps of neighbours, three rows of the table at a time. */
unsigned int str_distance(const char *a, const char *b, unsigned int max)
{
	enum { longest = 64 };
	unsigned int rows[3][longest + 1];
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > longest || len_b > longest)
		return max + 1;
	for (size_t j = 0; j <= len_b; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= len_a; i++) {
		unsigned int *now = rows[i % 3];
		const unsigned int *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= len_b; j++) {
			unsigned int best = min3(before[j] + 1, now[j - 1] + 1,
						 before[j - 1] + (a[i - 1] != b[j - 1]));

			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    earlier[j - 2] + 1 < best)
				best = earlier[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[len_a % 3][len_b] <= max ? rows[len_a % 3][len_b] : max + 1;
}
