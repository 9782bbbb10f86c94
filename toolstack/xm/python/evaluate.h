/* SPDX-License-Identifier: MIT */
/*
 * Evaluates a domain's file that is a Python program, as xm of Xen 3 and 4.1 did. It runs as the
 * caller, in a process with limits.
 */
#ifndef XM_PYTHON_EVALUATE_H
#define XM_PYTHON_EVALUATE_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "lib/str.h"

/* Seconds by the clock. A host that starts is busy, and nobody waits at a terminal. */
enum { PYTHON_SECONDS = 10, PYTHON_SECONDS_AT_START = 60, PYTHON_MAX_SECONDS = 3600 };

struct python_file {
	const char *path;	  /* as messages call it */
	const struct str *text;	  /* what is evaluated */
	const char *const *words; /* key=value, from the command line */
	size_t nr_words;
	bool help;	      /* only say what variables the file takes */
	unsigned int seconds; /* how long it may take */
};

/*
 * Returns 0 and the answer, which evaluate.py describes and the caller frees. What the file prints
 * goes to stderr. An error is one of the process, such as one that ended without an answer.
 */
int python_evaluate(const struct python_file *file, struct json_object **answer, struct error **e);

#endif
