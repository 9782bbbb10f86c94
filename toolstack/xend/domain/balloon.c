/* SPDX-License-Identifier: MIT */
/*
 * Finds memory for a new domain, one task at a time. Domain-0 gives some by its balloon: xend
 * lowers its target in xenstore and waits while that makes progress. A domain that does not come to
 * be gives it back. With the target, in one transaction, xend writes how much is lent: so a xend
 * that is killed is followed by one that gives it back.
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
/* KiB that Domain-0 gave for domains that are being made. */
#define DOM0_LENT "/local/domain/0/memory/xend-lent"

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

static uint64_t read_lent(void)
{
	return store_read_number(UINT64_MAX / 2, 0, DOM0_LENT);
}

/* target: 0 leaves it as it is. Both or none. */
static int write_both(uint64_t target, uint64_t lent, struct error **e)
{
	struct store_batch *batch = store_begin();

	if (target)
		store_put_number(batch, STORE_PRIVATE, 0, target, DOM0_TARGET);
	if (lent)
		store_put_number(batch, STORE_PRIVATE, 0, lent, DOM0_LENT);
	else
		store_drop(batch, DOM0_LENT);
	return store_commit(batch, e);
}

static void return_kb(uint64_t kb)
{
	uint64_t target = store_read_number(UINT64_MAX / 2, 0, DOM0_TARGET), lent = read_lent();

	if (!target)
		return;
	target += kb;
	if (write_both(target, lent > kb ? lent - kb : 0, NULL))
		log_error("Domain-0 does not get its %llu MiB back: `xm mem-set Domain-0 %llu' "
			  "gives them.",
			  (unsigned long long)kb / 1024, (unsigned long long)target / 1024);
	else
		log_info("Domain-0 gets %llu MiB back, its target is %llu MiB now.",
			 (unsigned long long)kb / 1024, (unsigned long long)target / 1024);
}

/* Whether nobody has chosen another target since. */
static bool is_open(const struct balloon_loan *loan)
{
	return loan->kb && loan->generation == finder.generation;
}

void balloon_give_back(struct balloon_loan *loan)
{
	if (is_open(loan))
		return_kb(loan->kb);
	loan->kb = 0;
}

static void note_lent(uint64_t lent)
{
	struct error *e = NULL;

	if (write_both(0, lent, &e))
		log_error("The next xend will raise Domain-0's memory target too far: %s",
			  error_text(e));
	error_free(&e);
}

void balloon_keep(struct balloon_loan *loan)
{
	uint64_t lent = is_open(loan) ? read_lent() : 0;

	if (lent)
		note_lent(lent > loan->kb ? lent - loan->kb : 0);
	loan->kb = 0;
}

void balloon_recover(void)
{
	uint64_t lent = read_lent();

	if (lent)
		return_kb(lent);
}

void balloon_forget_loans(void)
{
	finder.generation++;
	if (read_lent())
		note_lent(0);
}

static int too_little(uint64_t need, uint64_t there_is, struct error **e)
{
	return error_set(e, ENOMEM,
			 "There is not enough memory: %llu MiB are needed, %llu MiB are free or "
			 "can be taken from Domain-0 (dom0-min-mem is %llu MiB).",
			 (unsigned long long)(need + 1023) / 1024,
			 (unsigned long long)there_is / 1024,
			 (unsigned long long)settings->dom0_min_mem);
}

int balloon_check(uint64_t kb, struct error **e)
{
	uint64_t target = 0, from = 0, free_kb;
	int rc = read_free(&free_kb, e);

	if (rc)
		return rc;
	free_kb += dom0_can_give(&target, &from);
	return free_kb < kb + RESERVE_KB ? too_little(kb + RESERVE_KB, free_kb, e) : 0;
}

/* Lowers Domain-0's target, and notes in *loan by how much. */
static int borrow(uint64_t need, uint64_t free_kb, struct balloon_loan *loan, struct error **e)
{
	uint64_t before = 0, now = 0, give = dom0_can_give(&before, &now);
	int rc;

	if (free_kb + give < need)
		return too_little(need, free_kb + give, e);
	now -= need - free_kb;
	rc = write_both(now, read_lent() + (before - now), e);
	if (rc) {
		error_prefix(e, "Cannot set Domain-0's memory target: ");
		return rc;
	}
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
	uint64_t begin = task_now(), free_kb, most = first, deadline = task_deadline(PATIENCE);
	int rc;

	for (;;) {
		rc = task_sleep(POLL_INTERVAL);
		if (rc)
			return error_set(e, rc, "Waiting for memory was cancelled.");
		rc = read_free(&free_kb, e);
		if (rc || free_kb >= need)
			return rc;
		/* A guest that takes memory and gives it back again makes no progress. */
		if (free_kb > most) {
			most = free_kb;
			deadline = task_deadline(PATIENCE);
		}
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
