/* SPDX-License-Identifier: MIT */
/* Private to sysctl.c, which dispatches, and the files with the sub-operations. */
#ifndef CORE_HYPERCALL_SYSCTL_H
#define CORE_HYPERCALL_SYSCTL_H

#include "core/hypercall/domctl.h"

#include <xen/sysctl.h>

/* A sub-operation. op is a private copy. 0 or -errno. A lock of rank LOCK_DOMCTL is held. */
typedef long sysctl_fn(struct xen_sysctl *op);

/* sysctl_system.c */
sysctl_fn sysctl_readconsole, sysctl_debug_keys, sysctl_physinfo, sysctl_sched_id,
	sysctl_getdomaininfolist, sysctl_availheap, sysctl_scheduler;
/* sysctl_topology.c */
sysctl_fn sysctl_getcpuinfo, sysctl_cputopoinfo, sysctl_numainfo, sysctl_pcitopoinfo;
/* sysctl_cpupool.c */
sysctl_fn sysctl_cpupool;

#endif
