/* SPDX-License-Identifier: MIT */
/* What /etc/xen/xend-config.sxp says (config/xend_config.h). A file that is not there means the
 * defaults. */
#ifndef XEND_RUNTIME_SETTINGS_H
#define XEND_RUNTIME_SETTINGS_H

#include "config/xend_config.h"
#include "lib/error.h"

extern struct xend_config *settings;

/* Reads the file. What is not known, or not there yet, is named in the log; an error names all that
 * is wrong. */
int settings_load(const char *path, struct error **e);
void settings_free(void);

#endif
