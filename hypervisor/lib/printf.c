/* SPDX-License-Identifier: MIT */
/*
 * Formatted output: parses each conversion into a struct fmt_spec, then writes it into a buffer
 * that counts beyond its end.
 */
#include "lib/printf.h"
#include "lib/string.h"

#define FMT_WIDTH_MAX 4096 /* bound of a width or precision */

struct fmt_out {
	char *buf;
	/* Bytes in buf; characters produced so far, also those that did not fit. */
	size_t size, len;
};

struct fmt_spec {
	bool left, zero, alternate, plus, space, upper;
	int width, precision; /* precision < 0: none given */
	unsigned int length;  /* bytes of an integer argument */
};

static void fmt_put(struct fmt_out *out, char c)
{
	if (out->len < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void fmt_pad(struct fmt_out *out, char c, int n)
{
	while (n-- > 0)
		fmt_put(out, c);
}

/* Text of `len` characters in a field of spec->width. */
static void fmt_text(struct fmt_out *out, const struct fmt_spec *spec, const char *s, size_t len)
{
	int fill = spec->width - (int)len;

	if (!spec->left)
		fmt_pad(out, ' ', fill);
	for (size_t i = 0; i < len; i++)
		fmt_put(out, s[i]);
	if (spec->left)
		fmt_pad(out, ' ', fill);
}

/* A number: [spaces] prefix [zeros] digits [spaces]. `prefix` is a sign or 0x. */
static void fmt_number(struct fmt_out *out, const struct fmt_spec *spec, u64 value,
		       unsigned int base, const char *prefix)
{
	const char *digits = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24]; /* 22 octal digits at most */
	int n = 0, zeros = 0, prefix_len = (int)strlen(prefix), fill;

	for (; value; value /= base)
		text[n++] = digits[value % base];
	if (!n && spec->precision != 0)
		text[n++] = '0';
	if (spec->precision > n)
		zeros = spec->precision - n;
	if (base == 8 && spec->alternate && !zeros && !(n && text[n - 1] == '0'))
		zeros = 1;
	fill = spec->width - n - zeros - prefix_len;
	if (spec->zero && !spec->left && spec->precision < 0 && fill > 0) {
		zeros += fill;
		fill = 0;
	}
	if (!spec->left)
		fmt_pad(out, ' ', fill);
	while (*prefix)
		fmt_put(out, *prefix++);
	fmt_pad(out, '0', zeros);
	while (n)
		fmt_put(out, text[--n]);
	if (spec->left)
		fmt_pad(out, ' ', fill);
}

/*
 * Reads digits or, at a star, an argument. A negative argument stays negative; large numbers are
 * cut to FMT_WIDTH_MAX.
 */
static const char *fmt_parse_number(const char *p, int *number, va_list *args)
{
	int n = 0;

	if (*p == '*') {
		n = va_arg(*args, int);
		*number = n > FMT_WIDTH_MAX  ? FMT_WIDTH_MAX :
			  n < -FMT_WIDTH_MAX ? -FMT_WIDTH_MAX :
					       n;
		return p + 1;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		n = min(n * 10 + (*p - '0'), FMT_WIDTH_MAX);
	*number = n;
	return p;
}

/* Parses everything between the % and the conversion's letter; returns the letter's place. */
static const char *fmt_parse_spec(const char *p, struct fmt_spec *spec, va_list *args)
{
	*spec = (struct fmt_spec){ .precision = -1, .length = 4 };
	for (;; p++) {
		if (*p == '-')
			spec->left = true;
		else if (*p == '0')
			spec->zero = true;
		else if (*p == '#')
			spec->alternate = true;
		else if (*p == '+')
			spec->plus = true;
		else if (*p == ' ')
			spec->space = true;
		else
			break;
	}
	p = fmt_parse_number(p, &spec->width, args);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (*p == '.')
		p = fmt_parse_number(p + 1, &spec->precision, args);
	if (*p == 'h') {
		spec->length = p[1] == 'h' ? 1 : 2;
		p += p[1] == 'h' ? 2 : 1;
	} else if (*p == 'l') {
		spec->length = 8;
		p += p[1] == 'l' ? 2 : 1;
	} else if (*p == 'z') {
		spec->length = 8;
		p++;
	}
	return p;
}

static void fmt_signed(struct fmt_out *out, const struct fmt_spec *spec, va_list *args)
{
	long value = spec->length == 8 ? va_arg(*args, long) : va_arg(*args, int);
	const char *prefix = spec->plus ? "+" : spec->space ? " " : "";

	if (spec->length == 2)
		value = (s16)value;
	else if (spec->length == 1)
		value = (s8)value;
	if (value < 0)
		fmt_number(out, spec, 0 - (u64)value, 10, "-");
	else
		fmt_number(out, spec, (u64)value, 10, prefix);
}

static void fmt_unsigned(struct fmt_out *out, const struct fmt_spec *spec, unsigned int base,
			 va_list *args)
{
	u64 value = spec->length == 8 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int);
	const char *prefix = "";

	if (spec->length == 2)
		value = (u16)value;
	else if (spec->length == 1)
		value = (u8)value;
	if (base == 16 && spec->alternate && value)
		prefix = spec->upper ? "0X" : "0x";
	fmt_number(out, spec, value, base, prefix);
}

static void fmt_string(struct fmt_out *out, const struct fmt_spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	fmt_text(out, spec, s,
		 spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision));
}

/* Writes one conversion. An unknown letter is shown as it stands, so that the mistake is seen. */
static void fmt_convert(struct fmt_out *out, struct fmt_spec *spec, char letter, va_list *args)
{
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		fmt_signed(out, spec, args);
		break;
	case 'u':
		fmt_unsigned(out, spec, 10, args);
		break;
	case 'o':
		fmt_unsigned(out, spec, 8, args);
		break;
	case 'X':
		spec->upper = true;
		fmt_unsigned(out, spec, 16, args);
		break;
	case 'x':
		fmt_unsigned(out, spec, 16, args);
		break;
	case 'p':
		fmt_number(out, spec, (u64)va_arg(*args, void *), 16, "0x");
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		fmt_text(out, spec, &c, 1);
		break;
	case 's':
		fmt_string(out, spec, va_arg(*args, const char *));
		break;
	case '%':
		fmt_put(out, '%');
		break;
	default:
		fmt_put(out, '%');
		fmt_put(out, letter);
		break;
	}
}

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct fmt_out out = { .buf = buf, .size = size };
	struct fmt_spec spec;
	/*
	 * A va_list parameter may be an array in disguise: only a copy has an address to pass on.
	 */
	va_list ap;

	va_copy(ap, args);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			fmt_put(&out, *fmt);
			continue;
		}
		fmt = fmt_parse_spec(fmt + 1, &spec, &ap);
		if (!*fmt) {
			fmt_put(&out, '%');
			break;
		}
		fmt_convert(&out, &spec, *fmt, &ap);
	}
	va_end(ap);
	if (size)
		buf[min(out.len, size - 1)] = '\0';
	return (int)out.len;
}

int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = fmt_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
