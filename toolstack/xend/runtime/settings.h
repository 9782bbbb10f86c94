/* SPDX-License-Identifier: MIT */
/*
 * The settings in /etc/xen/xend-config.sxp (config/xend_config.h). Without the file the defaults
 * hold.
 */
#ifndef XEND_RUNTIME_SETTINGS_H
#define XEND_RUNTIME_SETTINGS_H

#include "config/xend_config.h"
#include "lib/error.h"

extern struct xend_config *settings;

/*
 * Reads the file. The log names each key that is unknown or not supported yet; an error names all
 * mistakes.
 */
int settings_load(const char *path, struct error **e);
void settings_free(void);

#endif
