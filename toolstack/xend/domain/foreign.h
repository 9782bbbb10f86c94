/* SPDX-License-Identifier: MIT */
/*
 * Configurations that another host wrote. A saved domain's file contains one, and xend, as root,
 * runs and opens what it names.
 */
#ifndef XEND_DOMAIN_FOREIGN_H
#define XEND_DOMAIN_FOREIGN_H

#include "lib/error.h"

struct config;

/*
 * Returns -EPERM with a sentence: what of this host the configuration from the file `path` would
 * use, and what to do. Pure.
 */
int foreign_refuse(const char *path, const struct config *config, struct error **e);

#endif
