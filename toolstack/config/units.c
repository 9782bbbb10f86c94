/* SPDX-License-Identifier: MIT */
/* Numbers with units: sizes of memory and rates of network interfaces. */
#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads digits at *p and moves *p behind them. False when there are none or more than 15. */
static bool parse_digits(const char **p, uint64_t *value)
{
	const char *from = *p;

	for (*value = 0; isdigit((unsigned char)**p); (*p)++) {
		if (*p - from == 15)
			return false;
		*value = *value * 10 + (uint64_t)(**p - '0');
	}
	return *p != from;
}

int config_size_parse(const char *text, uint64_t unit_kb, uint64_t *kb, struct error **e)
{
	static const char units[] = "kmgt";
	const char *p = text, *unit;
	uint64_t value;
	bool good = parse_digits(&p, &value);

	if (good && *p) {
		unit = strchr(units, tolower((unsigned char)*p));
		good = unit != NULL;
		unit_kb = good ? 1ULL << (10 * (unit - units)) : 1;
		p++;
		if (good && (*p == 'b' || *p == 'B'))
			p++;
	}
	if (!good || *p || value > UINT64_MAX / 1024 / unit_kb)
		return error_set(e, EINVAL,
				 "\"%.40s\" is not a size: expected a number, which k, m, g or t "
				 "may follow.",
				 text);
	*kb = value * unit_kb;
	return 0;
}

/* "@20ms", "@50us" or "@1s". Without it: 50 ms, which is what the network backend gets then. */
static bool parse_interval(const char *p, uint64_t *us)
{
	if (!*p) {
		*us = 50000;
		return true;
	}
	if (*p++ != '@' || !parse_digits(&p, us))
		return false;
	if (strcmp(p, "ms") == 0)
		*us *= 1000;
	else if (strcmp(p, "s") == 0)
		*us *= 1000000;
	else if (strcmp(p, "us") != 0)
		return false;
	return *us > 0 && *us <= UINT32_MAX;
}

/* Reads [KMG]b/s or [KMG]B/s with decimal units: *bits is how many bits one such unit has. */
static bool parse_rate_unit(const char **p, uint64_t *bits)
{
	uint64_t factor = 1;

	if (**p == 'K' || **p == 'k')
		factor = 1000;
	else if (**p == 'M')
		factor = 1000000;
	else if (**p == 'G')
		factor = 1000000000;
	*p += factor > 1;
	if (**p != 'b' && **p != 'B')
		return false;
	*bits = factor * (**p == 'B' ? 8 : 1);
	(*p)++;
	if (!str_starts(*p, "/s"))
		return false;
	*p += 2;
	return true;
}

int config_rate_parse(const char *text, uint64_t *bytes, uint64_t *interval_us, struct error **e)
{
	const char *p = text;
	uint64_t value, bits, interval, total = 0;
	bool good = parse_digits(&p, &value) && parse_rate_unit(&p, &bits) &&
		    parse_interval(p, &interval);

	if (good) {
		/* At most 10^15 * 8 * 10^9 bits/s * 2^32 us, which needs more than 64 bits. */
		unsigned __int128 product = (unsigned __int128)value * bits * interval / 8000000;

		good = product > 0 && product <= UINT32_MAX;
		total = (uint64_t)product;
	}
	if (!good)
		return error_set(
			e, EINVAL,
			"\"%.40s\" is not a rate: expected one such as 10Mb/s or 250KB/s@20ms.",
			text);
	*bytes = total;
	*interval_us = interval;
	return 0;
}
