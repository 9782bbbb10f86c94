/* SPDX-License-Identifier: MIT */
/* The list of domains, and each one's facts as an S-expression. */
#ifndef XM_COMMANDS_LIST_H
#define XM_COMMANDS_LIST_H

#include <json.h>
#include <stdbool.h>

struct xm_args;

/* The numbers of a domain's status: xend's, and those of old. */
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

/* The word for a status, "unknown" for others. */
const char *list_status_name(int64_t status);

/*
 * The named domains, or all when count is 0, as an array of xend's domain objects; `config`: with
 * their configuration. NULL after an error was said.
 */
struct json_object *list_domains(char *const *names, int count, bool config);

#endif
