/* SPDX-License-Identifier: MIT */
/* The list of diagnostics: bounded, safe to print, sorted by place. */
#include "config/diag.h"
#include "lib/alloc.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void add(struct config_diags *diags, bool is_error, const char *source,
		struct config_pos pos, const char *fmt, va_list ap)
	__attribute__((format(printf, 5, 0)));

/* The place for another message. A full list gives up a warning for an error. NULL: no place. */
static struct config_diag *place(struct config_diags *diags, bool is_error)
{
	if (diags->nr == CONFIG_MAX_DIAGS) {
		for (size_t i = diags->nr; is_error && i--;) {
			struct config_diag *d = &diags->list[i];

			if (d->is_error)
				continue;
			free(d->source);
			free(d->text);
			return d;
		}
		return NULL;
	}
	if (diags->nr == diags->capacity) {
		diags->capacity = diags->capacity ? 2 * diags->capacity : 8;
		diags->list = xreallocarray(diags->list, diags->capacity, sizeof(*diags->list));
	}
	return &diags->list[diags->nr++];
}

static void add(struct config_diags *diags, bool is_error, const char *source,
		struct config_pos pos, const char *fmt, va_list ap)
{
	struct config_diag *d = place(diags, is_error);
	struct str shown = STR_INIT;
	char *text;

	diags->nr_errors += is_error;
	if (!d)
		return;
	d->is_error = is_error;
	d->source = xstrdup(source);
	d->pos = pos;
	/* The text may quote the file, so control characters are replaced. */
	text = xvasprintf(fmt, ap);
	str_add_shown(&shown, text, SIZE_MAX);
	free(text);
	d->text = str_steal(&shown);
}

void config_error(struct config_diags *diags, const char *source, struct config_pos pos,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, true, source, pos, fmt, ap);
	va_end(ap);
}

void config_warning(struct config_diags *diags, const char *source, struct config_pos pos,
		    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, diags->strict, source, pos, fmt, ap);
	va_end(ap);
}

void config_unknown(struct config_diags *diags, const char *source, struct config_pos pos,
		    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, diags->strict || diags->only_known, source, pos, fmt, ap);
	va_end(ap);
}

static bool is_after(const struct config_diag *a, const struct config_diag *b)
{
	/* Line 0 sorts last: as an unsigned number, 0 - 1 is the largest. */
	if (a->pos.line != b->pos.line)
		return a->pos.line - 1 > b->pos.line - 1;
	return a->pos.column > b->pos.column;
}

/* By insertion: the list is short and nearly sorted, and the sort must be stable. */
void config_diags_sort(struct config_diags *diags)
{
	for (size_t i = 1; i < diags->nr; i++) {
		struct config_diag d = diags->list[i];
		size_t j = i;

		for (; j && is_after(&diags->list[j - 1], &d); j--)
			diags->list[j] = diags->list[j - 1];
		diags->list[j] = d;
	}
}

static void print_place(const struct config_diag *d, struct str *s)
{
	if (*d->source)
		str_printf(s, "%s:", d->source);
	if (d->pos.line)
		str_printf(s, "%u:%u:", d->pos.line, d->pos.column);
	if (*d->source || d->pos.line)
		str_add_char(s, ' ');
}

void config_diags_print(const struct config_diags *diags, struct str *s)
{
	for (size_t i = 0; i < diags->nr; i++) {
		const struct config_diag *d = &diags->list[i];

		print_place(d, s);
		str_printf(s, "%s: %s\n", d->is_error ? "error" : "warning", d->text);
	}
	if (diags->nr == CONFIG_MAX_DIAGS)
		str_printf(s, "There is more; the first %u are shown.\n", CONFIG_MAX_DIAGS);
}

int config_diags_to_error(const struct config_diags *diags, struct error **e)
{
	struct str s = STR_INIT;
	int rc;

	if (!diags->nr_errors)
		return 0;
	for (size_t i = 0; i < diags->nr; i++) {
		if (!diags->list[i].is_error)
			continue;
		if (s.len)
			str_add(&s, "; ");
		print_place(&diags->list[i], &s);
		str_add(&s, diags->list[i].text);
	}
	/* A question has its mark already. */
	rc = error_set(e, EINVAL, "%s%s", str_text(&s), str_ends(str_text(&s), "?") ? "" : ".");
	str_free(&s);
	return rc;
}

void config_diags_free(struct config_diags *diags)
{
	for (size_t i = 0; i < diags->nr; i++) {
		free(diags->list[i].source);
		free(diags->list[i].text);
	}
	free(diags->list);
	memset(diags, 0, sizeof(*diags));
}
