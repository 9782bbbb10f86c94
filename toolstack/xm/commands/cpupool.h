/* SPDX-License-Identifier: MIT */
/* Commands of xl for pools of processors, of which the hypervisor has one. */
#ifndef XM_COMMANDS_CPUPOOL_H
#define XM_COMMANDS_CPUPOOL_H

#include "xm/command.h"

/* `xm cpupool-create` and the like: says why there is no other pool, and what to do instead. */
int cpupool_change_run(const struct xm_args *args);
/* `xm cpupool-migrate`: every domain is in Pool-0 already. */
int cpupool_migrate_run(const struct xm_args *args);

#endif
