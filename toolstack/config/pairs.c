/* SPDX-License-Identifier: MIT */
/*
 * A network interface or a framebuffer as text: KEY=VALUE,KEY=VALUE. An empty text has all
 * defaults, an empty part says nothing; the words "trusted" and "untrusted" may stand alone.
 */
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a password that VNC uses (RFC 6143, 7.2.2). */
#define VNC_PASSWORD_MAX 8

struct pairs {
	const char *what;
	const struct config_schema *schema;
	const struct value *text;
	struct value *object;
	struct config_diags *diags;
};

/* The last of several values counts, as for xl and xm. */
static void set(const struct pairs *p, const char *key, struct config_pos pos, struct value *v)
{
	struct value *old = value_take(p->object, key);

	if (old)
		config_warning(p->diags, p->text->source, pos,
			       "%s %s is given twice: this value counts", p->what, key);
	value_free(old);
	value_set(p->object, key, pos, v);
}

static void read_word(const struct pairs *p, const char *word, struct config_pos pos)
{
	bool trusted = strcmp(word, "trusted") == 0;

	if (!*word)
		return;
	if (trusted || strcmp(word, "untrusted") == 0)
		set(p, "trusted", pos,
		    value_new_string(p->text->source, pos, trusted ? "1" : "0", 1));
	else
		config_unknown(p->diags, p->text->source, pos,
			       "%s: expected KEY=VALUE parts separated by commas, found \"%.40s\"",
			       p->what, word);
}

/* xl takes an interface of a type that nobody knows for a paravirtualized one. */
static bool is_strange_type(const struct pairs *p, const char *key, const char *value)
{
	const struct config_key *row = schema_find(p->schema, key);

	if (!row || strcmp(row->name, "type") != 0)
		return false;
	for (const char *const *word = row->words; *word; word++) {
		if (strcasecmp(*word, value) == 0)
			return false;
	}
	return true;
}

/* The addresses are for scripts, and xl checks none: what is no address goes to no script. */
static bool is_strange_ip(const struct pairs *p, const char *key, const char *value)
{
	const struct config_key *row = schema_find(p->schema, key);
	char *addresses;

	if (!row || row->text != &text_addresses || !*value)
		return false;
	addresses = text_addresses.parse(value);
	free(addresses);
	return !addresses;
}

/* Reads `part`, which begins at byte `offset` of the text. */
static void read_part(const struct pairs *p, char *part, size_t offset)
{
	char *trimmed = str_trim(part), *equal = strchr(trimmed, '=');
	struct config_pos pos = value_pos_in(p->text, offset + (size_t)(trimmed - part));
	struct config_pos value_pos;
	char *value;

	if (!equal || equal == trimmed) {
		read_word(p, trimmed, pos);
		return;
	}
	*equal = '\0';
	value = equal + 1 + strspn(equal + 1, " \t");
	value_pos = value_pos_in(p->text, offset + (size_t)(value - part));
	trimmed = str_trim(trimmed);
	if (is_strange_type(p, trimmed, value))
		config_unknown(p->diags, p->text->source, value_pos,
			       "%s type: there is no type \"%.40s\"", p->what, value);
	else if (is_strange_ip(p, trimmed, value))
		config_unknown(p->diags, p->text->source, value_pos,
			       "%s %s: expected %s, found \"%.40s\"", p->what, trimmed,
			       text_addresses.expected, value);
	else
		set(p, trimmed, pos,
		    value_new_string(p->text->source, value_pos, value, strlen(value)));
}

static struct value *read_pairs(const char *what, const struct config_schema *schema,
				const struct value *text, struct config_diags *diags)
{
	struct pairs p = { .what = what,
			   .schema = schema,
			   .text = text,
			   .object = value_new(VALUE_OBJECT, text->source, text->pos),
			   .diags = diags };
	char *copy = xstrdup(text->text), *rest = copy, *part;
	size_t errors = diags->nr_errors;

	while ((part = strsep(&rest, ",")))
		read_part(&p, part, (size_t)(part - copy));
	free(copy);
	if (diags->nr_errors == errors)
		return p.object;
	value_free(p.object);
	return NULL;
}

struct value *vif_from_text(const struct value *text, struct config_diags *diags)
{
	return read_pairs("vif", &config_vif_schema, text, diags);
}

struct value *vfb_from_text(const struct value *text, struct config_diags *diags)
{
	return read_pairs("vfb", &config_vfb_schema, text, diags);
}

void vif_finish(void *record, const struct value *given, struct config_diags *diags)
{
	struct config_vif *vif = record;
	const struct value *type = value_find(given, "type");

	if (vif->type == CONFIG_VIF_IOEMU && type)
		config_warning(diags, type->source, type->key_pos,
			       "vif type has no effect: the interface is paravirtualized");
	vif->type = CONFIG_VIF_NETFRONT;
}

/* Splits ADDRESS:DISPLAY or [ADDRESS]:DISPLAY. */
static void split_listen(struct config_vfb *vfb)
{
	char *text = vfb->vnclisten, *colon = text ? strrchr(text, ':') : NULL;
	unsigned char address[16];
	uint64_t display;

	if (!colon || inet_pton(AF_INET6, text, address) == 1 ||
	    !str_to_u64(colon + 1, 10, 0, CONFIG_DISPLAY_MAX, &display))
		return;
	*colon = '\0';
	if (*text == '[') {
		colon[-1] = '\0';
		memmove(text, text + 1, strlen(text));
	}
	vfb->vncdisplay = display;
	schema_mark_set(&config_vfb_schema, vfb, "vncdisplay");
}

void vfb_finish(void *record, const struct value *given, struct config_diags *diags)
{
	struct config_vfb *vfb = record;
	const struct value *type = value_find(given, "type");

	const struct value *password = value_find(given, "vncpasswd");

	split_listen(vfb);
	if (vfb->vncpasswd && strlen(vfb->vncpasswd) > VNC_PASSWORD_MAX && password)
		config_warning(diags, password->source, password->key_pos,
			       "vfb vncpasswd: VNC takes its first %d characters only",
			       VNC_PASSWORD_MAX);
	if (vfb->type == CONFIG_VFB_SDL && type)
		config_warning(diags, type->source, type->key_pos,
			       "vfb type has no effect: the screen is shown by VNC only");
	vfb->type = CONFIG_VFB_VNC;
}
