/* SPDX-License-Identifier: MIT */
/* /etc/xen/xend-config.sxp. A file that is not there means the defaults; a key that is not known is named in the log. */
#ifndef XEND_SETTINGS_H
#define XEND_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

#define SETTINGS_PATH "/etc/xen/xend-config.sxp"

struct settings {
	uint64_t dom0_min_mem_mb; /* Domain-0 is never ballooned below; 0: not at all */
	bool dom0_ballooning;
	char *vif_script;
	char *network_script;	 /* run at start; NULL: none */
	uint64_t console_log_kb; /* size of a guest's console log, before it is turned over */
	bool console_log;
	char *log_level;
};

extern struct settings settings;

int settings_load(const char *path, struct error **e);
void settings_free(void);

#endif
