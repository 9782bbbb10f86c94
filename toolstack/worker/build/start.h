/* SPDX-License-Identifier: MIT */
/* The last steps before a PV guest can run: what it is told, its page tables, grants, and the first
 * vCPU's registers. */
#ifndef WORKER_BUILD_START_H
#define WORKER_BUILD_START_H

#include <stdint.h>

#include "worker/build/guest.h"
#include "worker/build/kernel.h"
#include "worker/build/layout.h"

/* A page that the guest shares with a service in another domain, and the event channel for it. */
struct start_service {
	uint32_t domid;
	uint32_t port;
	uint64_t mfn;
};

struct start {
	const struct kernel_info *kernel;
	const struct layout *layout;
	const char *cmdline;
	uint64_t ramdisk_size;
	struct start_service store, console; /* in: domid; out: port and mfn */
};

/* Everything but the memory's contents. The domain is then ready to be unpaused. */
int start_prepare(struct guest *guest, struct start *start, struct error **e);

/* Makes the entries of the grant table and the shared info page as a new domain has them; restoring
 * needs them too. */
int start_seed_grants(struct guest *guest, const struct start_service *store,
		      const struct start_service *console, struct error **e);

#endif
