/* SPDX-License-Identifier: MIT */
/*
 * `xm doctor`: what this machine lacks to run guests, and the command that mends each. It works
 * without a hypervisor, without xend, and on a system that is mounted somewhere.
 */
#ifndef XM_DOCTOR_DOCTOR_H
#define XM_DOCTOR_DOCTOR_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>

#include "xm/command.h"

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_ADVICE, /* guests run, but something is not as it should be */
	DOCTOR_FAULT,  /* guests do not run, or some of their devices do not work */
};

struct doctor_finding {
	const char *topic; /* one word */
	enum doctor_level level;
	char *text; /* a sentence without its full stop */
	char *mend; /* commands of a shell, one a line; NULL: nothing to do */
};

/* What the checks know, and what they have found so far. */
struct doctor {
	const char *root;	  /* the directory that stands for /; "": this machine */
	bool hypervisor;	  /* this is the Domain-0 of Xen or Xenolith */
	struct json_object *host; /* xend's host.info; NULL: it did not answer */
	struct doctor_finding *findings;
	size_t nr_findings;
};

/*
 * Adds a finding. `mend` may be NULL; the caller keeps it. The text is as printf() makes it.
 */
void doctor_add(struct doctor *d, const char *topic, enum doctor_level level, const char *mend,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether the file, below the root, exists. */
bool doctor_exists(const struct doctor *d, const char *path);

/* The first line of a file below the root, without blanks at its ends; the caller frees it. "" when
 * it cannot be read. */
char *doctor_line(const struct doctor *d, const char *path);

/* The path below the root; the caller frees it. */
char *doctor_path(const struct doctor *d, const char *path);

/* The checks; each adds at least one finding. The first two fill in what the others ask for. */
void doctor_check_hypervisor(struct doctor *d);
void doctor_check_xend(struct doctor *d);
void doctor_check_processor(struct doctor *d);
void doctor_check_memory(struct doctor *d);
void doctor_check_clock(struct doctor *d);
void doctor_check_space(struct doctor *d);
void doctor_check_xenstored(struct doctor *d);
void doctor_check_guests(struct doctor *d);
void doctor_check_libvirt(struct doctor *d);
void doctor_check_drivers(struct doctor *d);
void doctor_check_loop(struct doctor *d);
void doctor_check_qemu(struct doctor *d);
void doctor_check_bridge(struct doctor *d);

/* The command. */
int doctor_run(const struct xm_args *args);
extern const struct xm_option doctor_options[];

#endif
