/* SPDX-License-Identifier: MIT */
/*
 * The last steps before a PV guest can run: start info, page tables, grants, and the first vCPU's
 * registers.
 */
#ifndef WORKER_BUILD_START_H
#define WORKER_BUILD_START_H

#include <stdint.h>

#include "worker/build/guest_memory.h"
#include "worker/build/kernel.h"

/* The domain that serves store and console. */
#define SERVICE_DOMID 0

/*
 * A service of Domain-0: the page that the guest shares with it, and the guest's event channel for
 * it.
 */
struct start_service {
	uint32_t port;
	uint64_t mfn;
};

struct pv_start;

struct start {
	const struct kernel_info *kernel;
	const struct pv_start *layout;
	const char *cmdline;
	struct start_service store, console; /* out */
};

/* Does everything but load kernel and ramdisk. Afterwards the domain can be unpaused. */
int start_prepare(struct guest *guest, struct start *start, struct error **e);

/* Writes the grant entries of the xenstore and console pages. Restoring a domain needs them too. */
int start_seed_grants(struct guest *guest, const struct start_service *store,
		      const struct start_service *console, struct error **e);

#endif
