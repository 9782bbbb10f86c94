/* SPDX-License-Identifier: MIT */
/* Runs the checks and prints what they found. */
#include "xm/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/str.h"
#include "xm/client/call.h"

/* Columns of the table: level, topic. */
#define INDENT "                    "

static const char *const level_names[] = { "ok", "advice", "fault" };

static void (*const checks[])(struct doctor *) = {
	doctor_check_hypervisor, doctor_check_xend,    doctor_check_xenstored,
	doctor_check_processor,	 doctor_check_memory,  doctor_check_drivers,
	doctor_check_loop,	 doctor_check_bridge,  doctor_check_qemu,
	doctor_check_guests,	 doctor_check_libvirt, doctor_check_space,
	doctor_check_clock,
};

void doctor_add(struct doctor *d, const char *topic, enum doctor_level level, const char *mend,
		const char *format, ...)
{
	struct str text = STR_INIT;
	va_list ap;

	va_start(ap, format);
	str_vprintf(&text, format, ap);
	va_end(ap);
	d->findings = xreallocarray(d->findings, d->nr_findings + 1, sizeof(*d->findings));
	d->findings[d->nr_findings++] = (struct doctor_finding){ topic, level, str_steal(&text),
								 mend ? xstrdup(mend) : NULL };
}

char *doctor_path(const struct doctor *d, const char *path)
{
	return xasprintf("%s%s", d->root, path);
}

bool doctor_exists(const struct doctor *d, const char *path)
{
	char *below = doctor_path(d, path);
	bool exists = access(below, F_OK) == 0;

	free(below);
	return exists;
}

char *doctor_line(const struct doctor *d, const char *path)
{
	char *below = doctor_path(d, path), *line, *end;
	struct str text = STR_INIT;

	file_read(below, 64 * 1024, &text, NULL);
	end = strchr(str_text(&text), '\n');
	if (end)
		*end = '\0';
	line = xstrdup(text.len ? str_trim(text.text) : "");
	str_free(&text);
	free(below);
	return line;
}

static unsigned int count(const struct doctor *d, enum doctor_level level)
{
	unsigned int n = 0;

	for (size_t i = 0; i < d->nr_findings; i++)
		n += d->findings[i].level == level;
	return n;
}

/* One command a line, below the finding. */
static void print_mend(const char *mend)
{
	for (size_t length; *mend; mend += length + (mend[length] == '\n')) {
		length = strcspn(mend, "\n");
		printf(INDENT "  # %.*s\n", (int)length, mend);
	}
}

static void print_table(const struct doctor *d)
{
	for (size_t i = 0; i < d->nr_findings; i++) {
		const struct doctor_finding *finding = &d->findings[i];

		printf("%-7s %-11s %s.\n", level_names[finding->level], finding->topic,
		       finding->text);
		if (finding->mend)
			print_mend(finding->mend);
	}
}

static void print_json(const struct doctor *d)
{
	struct json_object *all = json_new_object(), *list = json_new_array();

	for (size_t i = 0; i < d->nr_findings; i++) {
		const struct doctor_finding *finding = &d->findings[i];
		struct json_object *o = json_new_object();

		json_set_string(o, "check", finding->topic);
		json_set_string(o, "level", level_names[finding->level]);
		json_set_string(o, "text", finding->text);
		json_set_string(o, "mend", finding->mend);
		json_append(list, o);
	}
	json_set(all, "checks", list);
	json_set_int(all, "faults", count(d, DOCTOR_FAULT));
	json_set_int(all, "advice", count(d, DOCTOR_ADVICE));
	xm_print_json(all);
	json_object_put(all);
}

/* For a login: nothing is said while all is well. Advice alone is not worth a line each time. */
static void print_brief(const struct doctor *d)
{
	struct str topics = STR_INIT;

	for (size_t i = 0; i < d->nr_findings; i++)
		if (d->findings[i].level == DOCTOR_FAULT)
			str_printf(&topics, "%s%s", topics.len ? ", " : "", d->findings[i].topic);
	if (topics.len)
		printf("Xenolith: something is wrong with %s; `xm doctor' says how to mend it.\n",
		       topics.text);
	str_free(&topics);
}

static void forget(struct doctor *d)
{
	for (size_t i = 0; i < d->nr_findings; i++) {
		free(d->findings[i].text);
		free(d->findings[i].mend);
	}
	free(d->findings);
	json_object_put(d->host);
}

int doctor_run(const struct xm_args *args)
{
	const char *root = xm_args_value(args, XM_OPTION_ROOT);
	struct doctor d = { .root = root ? root : "" };
	int status;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&d);
	if (xm_args_has(args, XM_OPTION_JSON))
		print_json(&d);
	else if (xm_args_has(args, XM_OPTION_BRIEF))
		print_brief(&d);
	else
		print_table(&d);
	status = count(&d, DOCTOR_FAULT) ? XM_FAILED : XM_OK;
	forget(&d);
	return status;
}

const struct xm_option doctor_options[] = {
	{ XM_OPTION_JSON, "json", NULL, "print the findings as JSON" },
	{ XM_OPTION_BRIEF, "brief", NULL,
	  "print one line if something is wrong, and nothing otherwise" },
	{ XM_OPTION_ROOT, "root", "DIR", "look at the system that is mounted at DIR" },
	{ 0 },
};
