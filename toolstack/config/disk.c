/* SPDX-License-Identifier: MIT */
/*
 * A disk as one text, in the two forms that are in use:
 *
 *	xm's:	phy:DEVICE,VDEV,MODE	file:IMAGE,VDEV:cdrom,r	    tap:aio:IMAGE,VDEV,w
 *		A fourth part is the backend.
 *	xl's:	TARGET[,[FORMAT][,[VDEV][,[ACCESS]]]]
 *
 * KEY=VALUE and words such as cdrom may stand between the parts of both. target= takes the rest of
 * the text, commas included.
 */
#include "config/foreign.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the scripts are that set disks up. */
#define SCRIPTS "/etc/xen/scripts"

struct reader {
	const struct value *text;
	struct value *object;
	struct config_diags *diags;
};

/* Bytes from..to of the text, without blanks at either end. */
struct part {
	size_t from, to;
};

static struct part trim(const struct value *text, struct part p)
{
	while (p.from < p.to && strchr(" \t", text->text[p.from]))
		p.from++;
	while (p.to > p.from && strchr(" \t", text->text[p.to - 1]))
		p.to--;
	return p;
}

/* Takes the part before the next comma from *rest; false when nothing was left. */
static bool next_part(const struct value *text, size_t *rest, struct part *p)
{
	size_t len = strlen(text->text);

	if (*rest > len)
		return false;
	p->from = *rest;
	p->to = p->from + strcspn(text->text + p->from, ",");
	*rest = p->to + 1;
	*p = trim(text, *p);
	return true;
}

static bool is(const struct reader *r, struct part p, const char *word)
{
	return p.to - p.from == strlen(word) &&
	       memcmp(r->text->text + p.from, word, p.to - p.from) == 0;
}

static void set(struct reader *r, const char *key, struct part p)
{
	struct config_pos pos = value_pos_in(r->text, p.from);
	struct value *v =
		value_new_string(r->text->source, pos, r->text->text + p.from, p.to - p.from);

	value_set(r->object, key, pos, v);
}

static void set_word(struct reader *r, const char *key, const char *word, struct part p)
{
	struct config_pos pos = value_pos_in(r->text, p.from);

	value_set(r->object, key, pos, value_new_string(r->text->source, pos, word, strlen(word)));
}

/* "r", "ro", "w" or "rw"; a ! behind means that others may use the disk too. */
static void set_mode(struct reader *r, struct part p)
{
	value_free(value_take(r->object, "mode"));
	if (p.to > p.from && r->text->text[p.to - 1] == '!') {
		struct part mark = { p.to - 1, p.to };

		set_word(r, "shared", "1", mark);
		p.to--;
	}
	if (is(r, p, "ro"))
		set_word(r, "mode", "r", p);
	else if (is(r, p, "rw"))
		set_word(r, "mode", "w", p);
	else
		set(r, "mode", p);
}

/* "xvda", "xvda:cdrom", "hda:disk"; "ioemu:" and "/dev/" before it say nothing. */
static void set_vdev(struct reader *r, struct part p)
{
	const char *text = r->text->text, *colon;

	p.from += str_starts(text + p.from, "ioemu:") ? 6 : 0;
	p.from += str_starts(text + p.from, "/dev/") ? 5 : 0;
	colon = memchr(text + p.from, ':', p.to - p.from);

	if (colon) {
		struct part kind = { (size_t)(colon - text) + 1, p.to };

		if (is(r, kind, "cdrom") || is(r, kind, "disk")) {
			set_word(r, "cdrom", is(r, kind, "cdrom") ? "1" : "0", kind);
			p.to = kind.from - 1;
		}
	}
	set(r, "vdev", p);
}

static struct config_pos pos_of(const struct reader *r, struct part p)
{
	return value_pos_in(r->text, p.from);
}

/* --- xm's form --- */

/* Sets the target of "phy:"; a relative one is below /dev. */
static void set_device(struct reader *r, struct part p)
{
	if (p.to > p.from && r->text->text[p.from] != '/') {
		char *path = xasprintf("/dev/%.*s", (int)(p.to - p.from), r->text->text + p.from);

		set_word(r, "target", path, p);
		free(path);
	} else {
		set(r, "target", p);
	}
}

enum prefix_kind { PREFIX_DEVICE, PREFIX_FILE, PREFIX_FORMAT, PREFIX_SCRIPT };

/* Words before a colon. Those of xm's drivers (tap:aio:) all mean an image. */
static const struct prefix {
	const char *word;
	enum prefix_kind kind;
	const char *value; /* of the key that the kind sets */
} prefixes[] = {
	{ "phy", PREFIX_DEVICE, "phy" },
	{ "file", PREFIX_FILE, NULL },
	{ "tap", PREFIX_FILE, NULL },
	{ "tap2", PREFIX_FILE, NULL },
	{ "tapdisk", PREFIX_FILE, NULL },
	{ "aio", PREFIX_FILE, NULL },
	{ "ioemu", PREFIX_FILE, NULL },
	{ "raw", PREFIX_FORMAT, "raw" },
	{ "qcow", PREFIX_FORMAT, "qcow" },
	{ "qcow2", PREFIX_FORMAT, "qcow2" },
	{ "vhd", PREFIX_FORMAT, "vhd" },
	{ "qed", PREFIX_FORMAT, "qed" },
	{ "drbd", PREFIX_SCRIPT, "block-drbd" },
	{ "iscsi", PREFIX_SCRIPT, "block-iscsi" },
	{ "nbd", PREFIX_SCRIPT, "block-nbd" },
	{ "enbd", PREFIX_SCRIPT, "block-enbd" },
};

/* The prefix with which the part begins; NULL: none of the table. */
static const struct prefix *prefix_of(const struct reader *r, struct part p)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i].word);

		if (p.to - p.from > len && r->text->text[p.from + len] == ':' &&
		    memcmp(r->text->text + p.from, prefixes[i].word, len) == 0)
			return &prefixes[i];
	}
	return NULL;
}

/* Whether the part is a target of xm's form: a word and a colon before any slash. */
static bool has_prefix(const struct reader *r, struct part p)
{
	size_t len = strspn(r->text->text + p.from, "abcdefghijklmnopqrstuvwxyz0123456789");

	return len && p.from + len < p.to && r->text->text[p.from + len] == ':';
}

static void report_prefix(struct reader *r, struct part p)
{
	config_error(
		r->diags, r->text->source, pos_of(r, p),
		"disk target: expected a prefix such as phy:, file: or qcow2:, or one that has a "
		"script in " SCRIPTS " (block-%.*s), found \"%.*s\"",
		(int)strcspn(r->text->text + p.from, ":"), r->text->text + p.from,
		(int)(p.to - p.from < 40 ? p.to - p.from : 40), r->text->text + p.from);
}

/*
 * Any other prefix P means the script block-P, as for xm, if the host has it: rbd:, npiv: and so
 * on.
 */
static bool read_script_prefix(struct reader *r, struct part p)
{
	size_t end = p.from + strcspn(r->text->text + p.from, ":");
	char *script = xasprintf("block-%.*s", (int)(end - p.from), r->text->text + p.from);
	char *path = xasprintf("%s/%s", r->diags->scripts ? r->diags->scripts : SCRIPTS, script);
	bool found = access(path, X_OK) == 0;

	if (found) {
		set_word(r, "script", script, (struct part){ p.from, end });
		set(r, "target", trim(r->text, (struct part){ end + 1, p.to }));
	}
	free(script);
	free(path);
	return found;
}

/* Reads the first part, PREFIX:[PREFIX:...]TARGET. */
static void read_prefix(struct reader *r, struct part p)
{
	const struct prefix *prefix = prefix_of(r, p);

	if (!prefix) {
		if (!read_script_prefix(r, p))
			report_prefix(r, p);
		return;
	}
	for (; prefix; prefix = prefix_of(r, p)) {
		size_t end = p.from + strlen(prefix->word) + 1;
		struct part word = { p.from, end },
			    rest = trim(r->text, (struct part){ end, p.to });

		p = rest;
		switch (prefix->kind) {
		case PREFIX_DEVICE:
			set_word(r, "type", prefix->value, word);
			set_device(r, p);
			return;
		case PREFIX_SCRIPT:
			set_word(r, "script", prefix->value, word);
			set(r, "target", p);
			return;
		case PREFIX_FORMAT:
			set_word(r, "format", prefix->value, word);
			break;
		case PREFIX_FILE:
			break;
		}
	}
	if (!has_prefix(r, p))
		set(r, "target", p);
	else if (!read_script_prefix(r, p))
		report_prefix(r, p);
}

/* --- parts that both forms have --- */

/* The length of KEY if the part has the form KEY=..., else 0. */
static size_t key_length(const struct reader *r, struct part p)
{
	const char *text = r->text->text + p.from;
	size_t len = 0;

	while (p.from + len < p.to && (isalpha((unsigned char)text[len]) || text[len] == '-'))
		len++;
	return p.from + len < p.to && text[len] == '=' ? len : 0;
}

static void set_kind(struct reader *r, struct part value)
{
	if (is(r, value, "cdrom") || is(r, value, "disk"))
		set_word(r, "cdrom", is(r, value, "cdrom") ? "1" : "0", value);
	else
		config_error(r->diags, r->text->source, pos_of(r, value),
			     "disk devtype: expected \"cdrom\" or \"disk\", found \"%.*s\"",
			     (int)(value.to - value.from < 40 ? value.to - value.from : 40),
			     r->text->text + value.from);
}

/*
 * "empty" is how xl names a drive without a medium; no format and no tap driver are left to choose
 * by the target.
 */
static bool says_nothing(const struct reader *r, const char *name, struct part value)
{
	return (strcmp(name, "format") == 0 && (value.from == value.to || is(r, value, "empty"))) ||
	       (strcmp(name, "backendtype") == 0 && is(r, value, "tap")) ||
	       (strcmp(name, "specification") == 0 && is(r, value, "xen"));
}

/* Reads KEY=VALUE. If the value is all of the remaining text, *rest moves to the end. */
static void read_named(struct reader *r, struct part p, size_t len, size_t *rest)
{
	struct part key = { p.from, p.from + len },
		    value = trim(r->text, (struct part){ key.to + 1, p.to });
	char *name = xstrndup(r->text->text + p.from, len);

	if (strcmp(name, "target") == 0) {
		value.to = strlen(r->text->text);
		*rest = value.to + 1;
		value_free(value_take(r->object, name));
		set(r, name, trim(r->text, value));
	} else if (strcmp(name, "access") == 0 || strcmp(name, "mode") == 0) {
		set_mode(r, value);
	} else if (strcmp(name, "vdev") == 0) {
		set_vdev(r, value);
	} else if (strcmp(name, "devtype") == 0) {
		set_kind(r, value);
	} else if (!says_nothing(r, name, value)) {
		struct config_pos pos = pos_of(r, value);

		value_set(r->object, name, pos_of(r, key),
			  value_new_string(r->text->source, pos, r->text->text + value.from,
					   value.to - value.from));
	}
	free(name);
}

/* Reads a word that stands alone; false when it is none. */
static bool read_flag(struct reader *r, struct part p)
{
	static const char *const flags[][3] = {
		{ "cdrom", "cdrom", "1" },	   { "discard", "discard", "1" },
		{ "no-discard", "discard", "0" },  { "trusted", "trusted", "1" },
		{ "untrusted", "trusted", "0" },   { "direct-io-safe", "direct_io_safe", "1" },
		{ "removable", "removable", "1" }, { "colo", "colo", "1" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (is(r, p, flags[i][0])) {
			set_word(r, flags[i][1], flags[i][2], p);
			return true;
		}
	}
	return false;
}

/* --- the parts by their places --- */

static void report_too_many(struct reader *r, struct part p, const char *before)
{
	config_error(r->diags, r->text->source, pos_of(r, p),
		     "disk: expected KEY=VALUE or cdrom after %s, found \"%.*s\"", before,
		     (int)(p.to - p.from < 40 ? p.to - p.from : 40), r->text->text + p.from);
}

/* Part n of PREFIX:TARGET,VDEV,MODE,BACKEND. */
static void read_xm(struct reader *r, unsigned int n, struct part p)
{
	if (n == 0)
		read_prefix(r, p);
	else if (n == 1)
		set_vdev(r, p);
	else if (p.from == p.to)
		return;
	else if (n == 2)
		set_mode(r, p);
	else if (n == 3)
		set(r, "backend", p);
	else
		report_too_many(r, p, "TARGET,VDEV,MODE,BACKEND");
}

/* Part n of TARGET,FORMAT,VDEV,ACCESS. */
static void read_xl(struct reader *r, unsigned int n, struct part p)
{
	if (p.from == p.to)
		return;
	if (n == 0)
		set(r, "target", p);
	else if (n == 1 && !says_nothing(r, "format", p))
		set(r, "format", p);
	else if (n == 2)
		set_vdev(r, p);
	else if (n == 3)
		set_mode(r, p);
	else if (n > 3)
		report_too_many(r, p, "TARGET,FORMAT,VDEV,ACCESS");
}

/*
 * Adds KEY=VALUE to the target of a script: "iscsi:iqn=NAME,portal=ADDRESS,xvda,w". False when the
 * part belongs to the disk.
 */
static bool extend_target(struct reader *r, struct part p, size_t key_len)
{
	char *key = xstrndup(r->text->text + p.from, key_len), *longer;
	bool is_ours = schema_find(&config_disk_schema, key) || strcmp(key, "devtype") == 0 ||
		       foreign_find(foreign_disk_keys, key);
	struct value *target = value_find(r->object, "target");

	free(key);
	if (is_ours || !target || !value_find(r->object, "script"))
		return false;
	longer = xasprintf("%s,%.*s", target->text, (int)(p.to - p.from), r->text->text + p.from);
	free(target->text);
	target->text = longer;
	return true;
}

static bool is_filled(const struct reader *r, bool xm, unsigned int n)
{
	static const char *const xms[] = { "target", "vdev", "mode", "backend" }, *const xls[] = {
		"target", "format", "vdev", "mode"
	};

	return n < 4 && value_find(r->object, (xm ? xms : xls)[n]);
}

static void read_parts(struct reader *r)
{
	bool xm = false, drive;
	unsigned int n = 0;
	size_t rest = 0;
	struct part p;

	while (next_part(r->text, &rest, &p)) {
		size_t len = key_length(r, p);

		if (len && xm && n == 1 && extend_target(r, p, len))
			continue;
		if (len) {
			read_named(r, p, len, &rest);
			continue;
		}
		if (read_flag(r, p))
			continue;
		/* ",hdc:cdrom,r" is a drive without a medium in both forms. */
		/* A place that KEY=VALUE has filled is passed over. */
		while (n && is_filled(r, xm, n))
			n++;
		drive = n == 1 && !xm && memchr(r->text->text + p.from, ':', p.to - p.from);
		xm |= drive || (n == 0 && has_prefix(r, p));
		(xm ? read_xm : read_xl)(r, n++, p);
	}
}

struct value *disk_from_text(const struct value *text, struct config_diags *diags)
{
	struct reader r = { .text = text,
			    .object = value_new(VALUE_OBJECT, text->source, text->pos),
			    .diags = diags };
	size_t errors = diags->nr_errors;

	read_parts(&r);
	if (diags->nr_errors == errors)
		return r.object;
	value_free(r.object);
	return NULL;
}

static enum config_disk_type default_type(const struct config_disk *d)
{
	if (d->format != CONFIG_FORMAT_RAW)
		return CONFIG_DISK_QDISK;
	if (d->script || (d->target && str_starts(d->target, "/dev/")))
		return CONFIG_DISK_PHY;
	return CONFIG_DISK_FILE;
}

/*
 * Makes a relative target absolute. A block device is below /dev; what is no image in the reader's
 * directory may be one.
 */
static void complete_target(struct config_disk *d, const char *directory)
{
	char *image, *device;

	if (!d->target || *d->target == '/' || d->script)
		return;
	device = xasprintf("/dev/%s", d->target);
	image = directory ? xasprintf("%s/%s", directory, d->target) : NULL;
	if (schema_is_set(&config_disk_schema, d, "type") && d->type == CONFIG_DISK_PHY) {
		free(d->target);
		d->target = xstrdup(device);
	} else if (image) {
		free(d->target);
		d->target =
			xstrdup(access(image, F_OK) && access(device, F_OK) == 0 ? device : image);
	}
	free(image);
	free(device);
}

/* A target is a path unless a script interprets it. Only a CD-ROM drive may lack one. */
static void check_target(const struct config_disk *d, const struct value *given,
			 struct config_diags *diags)
{
	static const char expected[] = "expected an absolute path";
	const struct value *target = value_find(given, "target");

	if (!d->target && !d->cdrom && !target)
		config_error(diags, given->source, given->pos, "disk target is missing: %s",
			     expected);
	else if (d->target ? !d->script && *d->target != '/' : !d->cdrom && value_is_empty(target))
		config_error(diags, target->source, target->pos, "disk target: %s, found \"%.40s\"",
			     expected, d->target ? d->target : "");
}

void disk_finish(void *record, const struct value *given, struct config_diags *diags)
{
	struct config_disk *d = record;
	const struct value *mode = value_find(given, "mode");

	complete_target(d, diags->directory);
	if (!schema_is_set(&config_disk_schema, d, "type"))
		d->type = default_type(d);
	check_target(d, given, diags);
	if (!d->cdrom)
		return;
	if (mode && d->mode == CONFIG_DISK_WRITE)
		config_warning(diags, mode->source, mode->pos,
			       "disk mode has no effect: a CD-ROM is read-only");
	d->mode = CONFIG_DISK_READ;
}
