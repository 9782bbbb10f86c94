/* SPDX-License-Identifier: MIT */
/* The list of domains, and the facts of each domain as an S-expression. */
#ifndef XM_COMMANDS_LIST_H
#define XM_COMMANDS_LIST_H

#include <json.h>
#include <stdbool.h>

struct xm_args;

/* The numbers for a domain's status, in xend's protocol and in the original xm. */
enum list_status {
	LIST_HALTED,
	LIST_PAUSED,
	LIST_RUNNING,
	LIST_SUSPENDED,
	LIST_SHUTDOWN,
	LIST_CRASHED
};

/* `xm list`. */
int list_run(const struct xm_args *args);

/* The word for a status; "unknown" for any other number. */
const char *list_status_name(int64_t status);

/*
 * The named domains, or all when count is 0, as an array of xend's domain objects. `config`: with
 * their configuration. Goes on after a name that is refused, with an error message, and returns
 * XM_FAILED then; *domains is NULL if all were.
 */
int list_domains(char *const *names, int count, bool config, struct json_object **domains);

#endif
