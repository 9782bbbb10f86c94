/* SPDX-License-Identifier: MIT */
/* Lists of CPUs as text: config_cpus_parse() (config.h), and a check of the syntax alone. */
#ifndef CONFIG_CPUS_H
#define CONFIG_CPUS_H

#include "lib/error.h"

enum { CPUS_MAX = 4096 };

int cpus_check(const char *text, struct error **e);

#endif
