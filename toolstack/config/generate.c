/* SPDX-License-Identifier: MIT */
/* Identities of machines and network cards: UUIDs and MACs, generated and parsed. */
#include "config/config.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void random_bytes(uint8_t *bytes, size_t len)
{
	/*
	 * So few bytes come in one piece. getrandom() fails only on kernels that are too old for
	 * everything else here.
	 */
	if (getrandom(bytes, len, 0) != (ssize_t)len)
		abort();
}

char *config_random_mac(void)
{
	uint8_t b[3];

	random_bytes(b, sizeof(b));
	return xasprintf("00:16:3e:%02x:%02x:%02x", b[0] & 0x7f, b[1], b[2]);
}

char *config_random_uuid(void)
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 4122: version 4, variant 1 */
	b[8] = (b[8] & 0x3f) | 0x80;
	return xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			 b[12], b[13], b[14], b[15]);
}

char *config_uuid_parse(const char *text)
{
	struct str s = STR_INIT;
	unsigned int digits = 0;

	for (; *text && digits <= 32; text++) {
		bool at_dash = digits == 8 || digits == 12 || digits == 16 || digits == 20;

		if (*text == '-' && at_dash && !str_ends(str_text(&s), "-")) {
			str_add_char(&s, '-');
			continue;
		}
		if (!isxdigit((unsigned char)*text))
			break;
		if (at_dash && !str_ends(str_text(&s), "-"))
			str_add_char(&s, '-');
		str_add_char(&s, (char)tolower((unsigned char)*text));
		digits++;
	}
	if (!*text && digits == 32)
		return str_steal(&s);
	str_free(&s);
	return NULL;
}

/* Reads one byte of one or two digits. NULL: there is none. */
static const char *parse_mac_byte(const char *p, unsigned int *byte)
{
	static const char digits[] = "0123456789abcdef";

	*byte = 0;
	for (int i = 0; i < 2 && isxdigit((unsigned char)p[i]); i++)
		*byte = *byte << 4 |
			(unsigned int)(strchr(digits, tolower((unsigned char)p[i])) - digits);
	if (!isxdigit((unsigned char)*p))
		return NULL;
	return p + (isxdigit((unsigned char)p[1]) ? 2 : 1);
}

char *config_mac_parse(const char *text)
{
	struct str mac = STR_INIT;
	unsigned int byte, any = 0, first = 0;

	for (int i = 0; i < 6 && text; i++) {
		if (i && *text != ':' && *text != '-')
			break;
		text = parse_mac_byte(text + !!i, &byte);
		str_printf(&mac, "%s%02x", i ? ":" : "", byte);
		first = i ? first : byte;
		any |= byte;
	}
	/* The lowest bit of the first byte marks a multicast address; all zeroes is no address. */
	if (text && !*text && mac.len == 17 && any && !(first & 1))
		return str_steal(&mac);
	str_free(&mac);
	return NULL;
}

void config_vif_generate(struct config_vif *v)
{
	if (v->mac)
		return;
	v->mac = config_random_mac();
	schema_mark_set(&config_vif_schema, v, "mac");
}

void config_generate(struct config *c)
{
	if (!c->uuid) {
		c->uuid = config_random_uuid();
		schema_mark_set(&config_domain_schema, c, "uuid");
	}
	for (size_t i = 0; i < c->nr_vif; i++)
		config_vif_generate(&c->vif[i]);
}
