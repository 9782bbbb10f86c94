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

char *config_mac_parse(const char *text)
{
	char mac[18];

	if (strlen(text) != 17)
		return NULL;
	for (unsigned int i = 0; i < 17; i++) {
		bool at_colon = i % 3 == 2;

		if (at_colon ? text[i] != ':' && text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return NULL;
		mac[i] = (char)(at_colon ? ':' : tolower((unsigned char)text[i]));
	}
	mac[17] = '\0';
	/* The lowest bit of the first byte marks a multicast address; all zeroes is no address. */
	if (strchr("13579bdf", mac[1]) || strcmp(mac, "00:00:00:00:00:00") == 0)
		return NULL;
	return xstrdup(mac);
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
