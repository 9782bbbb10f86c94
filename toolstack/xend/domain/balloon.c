/* SPDX-License-Identifier: MIT */
/*
 * Finds memory for a new domain, one task at a time. Domain-0 gives some by its balloon: xend
 * lowers its target in xenstore and waits while that makes progress.
 */
#include "xend/domain/balloon.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

#define PAGE_KB 4
/* Kept free, because the hypervisor allocates for itself, too. */
#define RESERVE_KB 8192
/* Milliseconds: how long Domain-0 may make no progress, and the time between two checks. */
#define PATIENCE      10000
#define POLL_INTERVAL 50

static struct {
	bool taken;
	struct cond released;
	bool ready;
} finder;

uint64_t balloon_overhead_kb(uint64_t memory_kb, unsigned int vcpus)
{
	return 2048 + 256 * (uint64_t)vcpus + memory_kb / 256;
}

/* Free memory, without the claims of domains that are being filled. */
static int read_free(uint64_t *kb, struct error **e)
{
	struct xen_sysctl_physinfo info;
	int rc = hv_host_physinfo(domain_hv, &info, e);

	*kb = 0;
	if (rc == 0 && info.free_pages > info.outstanding_pages)
		*kb = (info.free_pages - info.outstanding_pages) * PAGE_KB;
	return rc;
}

static int refuse(uint64_t need, uint64_t available, struct error **e)
{
	return error_set(e, ENOMEM,
			 "There is not enough memory: %llu MiB are needed, %llu MiB are free or "
			 "can be taken from "
			 "Domain-0 (dom0-min-mem is %llu MiB).",
			 (unsigned long long)(need + 1023) / 1024,
			 (unsigned long long)available / 1024,
			 (unsigned long long)settings->dom0_min_mem);
}

/* How much Domain-0 may give, KiB; *target: its target now, KiB. */
static uint64_t dom0_can_give(uint64_t *target)
{
	struct hv_domain_info info;
	uint64_t least = settings->dom0_min_mem * 1024;

	if (!settings->dom0_ballooning || hv_domain_info(domain_hv, 0, &info, NULL))
		return 0;
	*target = store_read_number(UINT64_MAX / 2, info.pages * PAGE_KB,
				    "/local/domain/0/memory/target");
	/* Domain-0 may still be below its target; count only what it really has. */
	if (*target > info.pages * PAGE_KB)
		*target = info.pages * PAGE_KB;
	return *target > least ? *target - least : 0;
}

static int shrink_dom0(uint64_t need, uint64_t free_kb, struct error **e)
{
	uint64_t target = 0, give = dom0_can_give(&target), before = free_kb,
		 deadline = task_deadline(PATIENCE);
	int rc;

	if (free_kb + give < need)
		return refuse(need, free_kb + give, e);
	target -= need - free_kb;
	log_info("Domain-0 gives %llu MiB, its target is %llu MiB now.",
		 (unsigned long long)(need - free_kb + 1023) / 1024,
		 (unsigned long long)target / 1024);
	if (store_write("/local/domain/0/memory/target", "%llu", (unsigned long long)target))
		return error_set(e, errno, "Cannot set Domain-0's memory target: %s.",
				 strerror(errno));
	for (;;) {
		rc = task_sleep(POLL_INTERVAL);
		if (rc)
			return error_set(e, rc, "Waiting for memory was cancelled.");
		rc = read_free(&free_kb, e);
		if (rc || free_kb >= need)
			return rc;
		if (free_kb > before)
			deadline = task_deadline(PATIENCE);
		before = free_kb;
		if (task_now() >= deadline)
			return refuse(need, free_kb, e);
	}
}

int balloon_reserve(uint64_t kb, struct error **e)
{
	uint64_t free_kb;
	int rc;

	if (!finder.ready) {
		cond_init(&finder.released);
		finder.ready = true;
	}
	while (finder.taken) {
		rc = cond_wait(&finder.released, TASK_FOREVER);
		if (rc)
			return error_set(e, rc, "Waiting for memory was cancelled.");
	}
	finder.taken = true;
	kb += RESERVE_KB;
	rc = read_free(&free_kb, e);
	if (rc == 0 && free_kb < kb)
		rc = shrink_dom0(kb, free_kb, e);
	if (rc)
		balloon_release();
	return rc;
}

void balloon_release(void)
{
	finder.taken = false;
	cond_wake(&finder.released);
}
