/* SPDX-License-Identifier: MIT */
/*
 * Configurations that a stranger wrote: a file of a saved domain brings one along, and xend runs
 * and opens as root what it names.
 */
#ifndef XEND_DOMAIN_FOREIGN_H
#define XEND_DOMAIN_FOREIGN_H

#include "lib/error.h"

struct config;

/*
 * -EPERM, and a sentence that says what of this host the configuration from the file `path` would
 * use, and what to do. Pure.
 */
int foreign_refuse(const char *path, const struct config *config, struct error **e);

#endif
