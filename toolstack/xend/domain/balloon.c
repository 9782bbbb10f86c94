/* SPDX-License-Identifier: MIT */
/*
 * Finds memory for a new domain, one task at a time. Domain-0 gives some by its balloon: xend
 * lowers its target in xenstore and waits while that makes progress. A domain that does not come to
 * be gives it back.
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

#define DOM0_TARGET "/local/domain/0/memory/target"

static struct {
	bool taken;
	struct cond released;
	bool ready;
	/* Loans of an earlier generation are no longer given back. */
	unsigned int generation;
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

/*
 * How much Domain-0 may give, KiB. *target: its target, KiB; *from: what it has, up to that: what
 * it gives is taken from there.
 */
static uint64_t dom0_can_give(uint64_t *target, uint64_t *from)
{
	struct hv_domain_info info;
	uint64_t least = settings->dom0_min_mem * 1024;

	if (!settings->dom0_ballooning || hv_domain_info(domain_hv, 0, &info, NULL))
		return 0;
	*target = store_read_number(UINT64_MAX / 2, info.pages * PAGE_KB, DOM0_TARGET);
	/* Domain-0 may still be below its target; count only what it really has. */
	*from = *target > info.pages * PAGE_KB ? info.pages * PAGE_KB : *target;
	return *from > least ? *from - least : 0;
}

void balloon_give_back(struct balloon_loan *loan)
{
	uint64_t target = store_read_number(UINT64_MAX / 2, 0, DOM0_TARGET);

	if (loan->kb && loan->generation == finder.generation && target) {
		target += loan->kb;
		if (store_write(DOM0_TARGET, "%llu", (unsigned long long)target))
			log_error("Domain-0 does not get its %llu MiB back: `xm mem-set Domain-0 "
				  "%llu' gives them.",
				  (unsigned long long)loan->kb / 1024,
				  (unsigned long long)target / 1024);
		else
			log_info("Domain-0 gets %llu MiB back, its target is %llu MiB now.",
				 (unsigned long long)loan->kb / 1024,
				 (unsigned long long)target / 1024);
	}
	loan->kb = 0;
}

void balloon_forget_loans(void)
{
	finder.generation++;
}

/* Lowers Domain-0's target, and notes in *loan by how much. */
static int borrow(uint64_t need, uint64_t free_kb, struct balloon_loan *loan, struct error **e)
{
	uint64_t before = 0, now = 0, give = dom0_can_give(&before, &now);
	int rc;

	if (free_kb + give < need)
		return error_set(e, ENOMEM,
				 "There is not enough memory: %llu MiB are needed, %llu MiB are "
				 "free or can be taken from Domain-0 (dom0-min-mem is %llu MiB).",
				 (unsigned long long)(need + 1023) / 1024,
				 (unsigned long long)(free_kb + give) / 1024,
				 (unsigned long long)settings->dom0_min_mem);
	now -= need - free_kb;
	rc = store_write(DOM0_TARGET, "%llu", (unsigned long long)now);
	if (rc)
		return error_set(e, rc, "Cannot set Domain-0's memory target: %s.", strerror(-rc));
	log_info("Domain-0 gives %llu MiB, its target is %llu MiB now.",
		 (unsigned long long)(need - free_kb + 1023) / 1024,
		 (unsigned long long)now / 1024);
	loan->kb = before - now;
	loan->generation = finder.generation;
	return 0;
}

/* Waits until `need` KiB are free; `first` were free when Domain-0 was asked. */
static int await(uint64_t need, uint64_t first, struct error **e)
{
	uint64_t begin = task_now(), free_kb, before = first, deadline = task_deadline(PATIENCE);
	int rc;

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
			break;
	}
	return error_set(
		e, ENOMEM,
		"There is not enough memory yet: Domain-0 gave up %llu of %llu MiB in %llu "
		"s, nothing of it in the last %d. It gets them back. Try again when it is less "
		"busy, or free memory in it.",
		(unsigned long long)(free_kb > first ? free_kb - first : 0) / 1024,
		(unsigned long long)(need - first + 1023) / 1024,
		(unsigned long long)(task_now() - begin) / 1000, PATIENCE / 1000);
}

int balloon_reserve(uint64_t kb, struct balloon_loan *loan, struct error **e)
{
	uint64_t free_kb;
	int rc;

	loan->kb = 0;
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
	if (rc == 0 && free_kb < kb) {
		rc = borrow(kb, free_kb, loan, e);
		if (rc == 0)
			rc = await(kb, free_kb, e);
	}
	if (rc) {
		balloon_give_back(loan);
		balloon_release();
	}
	return rc;
}

void balloon_release(void)
{
	finder.taken = false;
	cond_wake(&finder.released);
}
