/* SPDX-License-Identifier: MIT */
/* What /etc/xen/xend-config.sxp says about the daemon itself, by a table of keys like that of
 * domains. */
#ifndef CONFIG_XEND_CONFIG_H
#define CONFIG_XEND_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/diag.h"
#include "lib/error.h"

#define XEND_CONFIG_PATH "/etc/xen/xend-config.sxp"

enum xend_log_level {
	XEND_LOG_ERROR,
	XEND_LOG_WARNING,
	XEND_LOG_INFO,
	XEND_LOG_DEBUG
}; /* as enum log_level */

/* Strings without a default are NULL when they are not given. */
struct xend_config {
	uint64_t set;

	bool relocation_server; /* whether domains may be moved here */
	uint64_t relocation_port;
	char *relocation_address; /* NULL: every address */
	bool relocation_ssl_server;
	uint64_t relocation_ssl_port;
	char *relocation_ssl_key_file;
	char *relocation_ssl_cert_file;
	/* Extended regular expressions of host names and addresses, one must match as a whole;
	 * none: every host. */
	char **relocation_hosts_allow;
	size_t nr_relocation_hosts_allow;

	uint64_t dom0_min_mem; /* MiB that Domain-0 keeps when memory is found for others */
	bool dom0_ballooning;

	char *network_script; /* run when xend starts, with its arguments; NULL: none */
	char *vif_script;

	bool bootloader_restrict;
	uint64_t bootloader_timeout;  /* seconds */
	uint64_t bootloader_max_size; /* MiB of kernel and RAM disk */

	bool restore_foreign_files; /* believed as those that this host saved */

	unsigned int loglevel;	/* enum xend_log_level */
	uint64_t console_limit; /* KiB of a guest's console that are kept */
	bool console_log;	/* whether they are written to /var/log/xen/console too */
};

/* The row of each key (config/schema.h). */
extern const struct config_schema xend_config_schema;

/* NULL when diags has errors. Keys that are not known are warnings. To be freed by
 * xend_config_free(). */
struct xend_config *xend_config_parse(const char *text, size_t len, const char *name,
				      struct config_diags *diags);

/* The file's; a file that is not there means defaults. NULL after an error, which holds all errors
 * of the file. */
struct xend_config *xend_config_load(const char *path, struct config_diags *diags,
				     struct error **e);

/* Whether a host of this name or address is one of relocation_hosts_allow. */
bool xend_config_allows(const struct xend_config *c, const char *host);

void xend_config_free(struct xend_config *c);

#endif
