/* SPDX-License-Identifier: MIT */
/*
 * The daemon's own settings in /etc/xen/xend-config.sxp, by a table of keys like that of a domain's
 * configuration.
 */
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

/* What becomes of a guest when the host stops, if its on_xend_stop does not say. */
enum xend_guests_stop { XEND_GUESTS_SUSPEND, XEND_GUESTS_SHUTDOWN, XEND_GUESTS_LEAVE };
/* What becomes of a guest that has not shut down in time. */
enum xend_guests_late { XEND_GUESTS_LATE_DESTROY, XEND_GUESTS_LATE_LEAVE };

/* A string that was not given and has no default is NULL. */
struct xend_config {
	uint64_t set;

	bool relocation_server; /* whether domains may be moved here */
	uint64_t relocation_port;
	char *relocation_address; /* NULL: every address */
	bool relocation_ssl_server;
	uint64_t relocation_ssl_port;
	char *relocation_ssl_key_file;
	char *relocation_ssl_cert_file;
	/*
	 * Extended regular expressions for names and addresses of hosts. One of them must match as
	 * a whole. No element: every host may connect.
	 */
	char **relocation_hosts_allow;
	size_t nr_relocation_hosts_allow;
	/* Directories below which the files and disks of domains from other hosts must lie. */
	char **relocation_paths;
	size_t nr_relocation_paths;
	/* Names of the bootloaders that domains from other hosts may use. */
	char **relocation_bootloaders;
	size_t nr_relocation_bootloaders;

	uint64_t dom0_min_mem; /* MiB that Domain-0 keeps when it gives memory to a new domain */
	bool dom0_ballooning;

	char *network_script; /* with its arguments; runs when xend starts. NULL: none */
	char *vif_script;     /* NULL: xend itself puts interfaces on bridges */
	char *default_bridge;

	bool bootloader_restrict;
	uint64_t bootloader_timeout;  /* seconds */
	uint64_t bootloader_max_size; /* MiB of kernel and RAM disk */

	bool restore_foreign_files; /* trust them like those that this host saved */

	char *vnc_listen, *vncpasswd, *keymap;
	unsigned int guests_stop;	  /* enum xend_guests_stop */
	unsigned int guests_late;	  /* enum xend_guests_late */
	uint64_t guests_shutdown_timeout; /* seconds */
	uint64_t guests_suspend_timeout;  /* seconds */
	uint64_t guests_parallel;	  /* starts, resumes or suspends at the same time */

	unsigned int loglevel;	/* enum xend_log_level */
	uint64_t console_limit; /* KiB of a guest's console output that are kept */
	bool console_log;	/* whether the output goes to /var/log/xen/console too */
};

/* The table of keys. */
extern const struct config_schema xend_config_schema;

/*
 * Returns NULL when diags has errors. An unknown key is a warning. The caller frees the result with
 * xend_config_free().
 */
struct xend_config *xend_config_parse(const char *text, size_t len, const char *name,
				      struct config_diags *diags);

/*
 * The same for a file; a missing file means the defaults. Returns NULL on an error; *e holds all
 * errors of the file.
 */
struct xend_config *xend_config_load(const char *path, struct config_diags *diags,
				     struct error **e);

/* Whether relocation_hosts_allow has this name or address of a host. */
bool xend_config_allows(const struct xend_config *c, const char *host);

void xend_config_free(struct xend_config *c);

#endif
