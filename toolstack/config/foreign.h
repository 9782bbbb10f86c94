/* SPDX-License-Identifier: MIT */
/*
 * Keys of xm's and xl's files that have no effect here, each with the reason: none is ignored
 * silently.
 */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include "config/schema.h"

extern const struct config_foreign foreign_domain_keys[], foreign_disk_keys[], foreign_vif_keys[],
	foreign_vfb_keys[];

/* The row that names the key, NULL when none does. */
const struct config_foreign *foreign_find(const struct config_foreign *table, const char *name);

#endif
