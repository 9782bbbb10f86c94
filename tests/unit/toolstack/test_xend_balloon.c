/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/balloon.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/log.c toolstack/lib/str.c */
/*
 * Domain-0 gives memory to a new domain: fast, slowly, not enough, or not at all. What it gave for
 * a domain that does not come to be, it gets back.
 */
#include "xend/domain/balloon.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/xend_config.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"
#include "unit.h"

#define MIB 1024 /* KiB */

struct hv *domain_hv;
static struct xend_config its_settings = { .dom0_min_mem = 256, .dom0_ballooning = true };
struct xend_config *settings = &its_settings;

static struct {
	uint64_t free_kb, dom0_kb, target_kb, lent_kb;
	uint64_t new_target_kb, new_lent_kb; /* of the transaction */
	uint64_t takes_kb;		     /* a guest does, now and then, and gives it back */
	uint64_t rate_kb;		     /* what Domain-0 gives in a second */
	uint64_t gives_kb;		     /* and no more than that */
	uint64_t now;
	uint64_t cancelled_at; /* 0: never */
	bool hv_fails, store_fails;
} world;

/* A guest takes memory in one look, and gives it back in the next. */
static uint64_t taken(void)
{
	return world.now / 50 % 2 ? world.takes_kb : 0;
}

int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e)
{
	*info = (struct xen_sysctl_physinfo){ .free_pages = (world.free_kb - taken()) / 4 };
	return world.hv_fails ? error_set(e, EIO, "The hypervisor does not say.") : 0;
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	assert_int_equal(domid, 0);
	*info = (struct hv_domain_info){ .pages = world.dom0_kb / 4 };
	return 0;
}

#define TARGET "/local/domain/0/memory/target"
#define LENT   "/local/domain/0/memory/xend-lent"

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	if (strcmp(fmt, LENT) == 0)
		return world.lent_kb;
	assert_string_equal(fmt, TARGET);
	return world.target_kb;
}

struct store_batch *store_begin(void)
{
	world.new_target_kb = world.target_kb;
	world.new_lent_kb = world.lent_kb;
	return NULL;
}

void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *path, ...)
{
	if (strcmp(path, LENT) == 0) {
		world.new_lent_kb = value;
	} else {
		assert_string_equal(path, TARGET);
		world.new_target_kb = value;
	}
}

void store_drop(struct store_batch *batch, const char *path, ...)
{
	assert_string_equal(path, LENT);
	world.new_lent_kb = 0;
}

int store_commit(struct store_batch *batch, struct error **e)
{
	if (world.store_fails)
		return error_set(e, EACCES, "xenstore refuses.");
	world.target_kb = world.new_target_kb;
	world.lent_kb = world.new_lent_kb;
	return 0;
}

int task_sleep(uint64_t ms)
{
	uint64_t step = world.rate_kb * ms / 1000;

	world.now += ms;
	if (world.cancelled_at && world.now >= world.cancelled_at)
		return -ECANCELED;
	if (step > world.gives_kb)
		step = world.gives_kb;
	if (world.dom0_kb > world.target_kb && step > world.dom0_kb - world.target_kb)
		step = world.dom0_kb - world.target_kb;
	if (world.dom0_kb <= world.target_kb)
		step = 0;
	world.gives_kb -= step;
	world.dom0_kb -= step;
	world.free_kb += step;
	return 0;
}

uint64_t task_now(void)
{
	return world.now;
}

uint64_t task_deadline(uint64_t after_ms)
{
	return world.now + after_ms;
}

void cond_init(struct cond *cond)
{
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	fail_msg("somebody else has the memory");
	return 0;
}

void cond_wake(struct cond *cond)
{
}

/* Domain-0 has 1024 MiB, 108 MiB are free: 100, and what the hypervisor keeps for itself. */
static void begin(void)
{
	memset(&world, 0, sizeof(world));
	world.free_kb = 108 * MIB;
	world.dom0_kb = world.target_kb = 1024 * MIB;
	world.gives_kb = UINT64_MAX;
	world.rate_kb = 100 * MIB;
}

static void check_refused(int errnum, const char *text)
{
	struct balloon_loan loan = { 0 };
	struct error *e = NULL;

	assert_int_equal(balloon_reserve(600 * MIB, &loan, &e), -errnum);
	assert_string_equal(error_text(e), text);
	error_free(&e);
	assert_int_equal(world.target_kb, 1024 * MIB);
	assert_int_equal(world.lent_kb, 0);
	/* There is nothing more to give back. */
	balloon_give_back(&loan);
	assert_int_equal(world.target_kb, 1024 * MIB);
}

static void test_what_is_free_needs_nothing_of_domain_0(void **state)
{
	struct balloon_loan loan = { 0 };

	begin();
	assert_int_equal(balloon_reserve(100 * MIB, &loan, NULL), 0);
	balloon_release();
	balloon_give_back(&loan);
	assert_int_equal(world.target_kb, 1024 * MIB);
}

static void test_domain_0_gives_what_is_missing(void **state)
{
	struct balloon_loan loan = { 0 };

	begin();
	assert_int_equal(balloon_reserve(600 * MIB, &loan, NULL), 0);
	balloon_release();
	assert_int_equal(world.target_kb, 524 * MIB);
	assert_true(world.free_kb >= 608 * MIB);
	/* The domain does not start for another reason. */
	balloon_give_back(&loan);
	assert_int_equal(world.target_kb, 1024 * MIB);
	balloon_give_back(&loan);
	assert_int_equal(world.target_kb, 1024 * MIB);
}

static void test_more_than_domain_0_may_give_is_refused_at_once(void **state)
{
	begin();
	its_settings.dom0_min_mem = 900;
	check_refused(ENOMEM, "There is not enough memory: 608 MiB are needed, 232 MiB are free or "
			      "can be taken from Domain-0 (dom0-min-mem is 900 MiB).");
	assert_int_equal(world.now, 0);
	its_settings.dom0_min_mem = 256;
}

static void test_a_slow_domain_0_is_called_slow_and_gets_its_memory_back(void **state)
{
	begin();
	world.gives_kb = 300 * MIB;
	check_refused(ENOMEM,
		      "There is not enough memory yet: Domain-0 gave up 300 of 500 MiB in "
		      "13 s, nothing of it in the last 10. It gets them back. Try again when it is "
		      "less busy, or free memory in it.");
	begin();
	world.rate_kb = 0;
	check_refused(ENOMEM,
		      "There is not enough memory yet: Domain-0 gave up 0 of 500 MiB in "
		      "10 s, nothing of it in the last 10. It gets them back. Try again when it is "
		      "less busy, or free memory in it.");
}

/* A guest balloons up and down all the time. */
static void test_a_guest_that_takes_and_gives_back_is_no_progress(void **state)
{
	begin();
	world.rate_kb = 0;
	world.takes_kb = 50 * MIB;
	world.cancelled_at = 100000;
	check_refused(ENOMEM,
		      "There is not enough memory yet: Domain-0 gave up 0 of 500 MiB in "
		      "10 s, nothing of it in the last 10. It gets them back. Try again when it is "
		      "less busy, or free memory in it.");
}

/* xend is killed before the domain has come to be, or before it could say so. */
static void test_the_next_xend_gives_back_what_was_lent(void **state)
{
	struct balloon_loan first = { 0 }, second = { 0 };

	begin();
	assert_int_equal(balloon_reserve(200 * MIB, &first, NULL), 0);
	balloon_release();
	world.free_kb -= 200 * MIB;
	assert_int_equal(balloon_reserve(300 * MIB, &second, NULL), 0);
	balloon_release();
	/* Nobody asks back what has its use. */
	balloon_keep(&second);
	assert_int_equal(second.kb, 0);
	assert_int_equal(world.lent_kb, 100 * MIB);
	balloon_recover();
	assert_int_equal(world.target_kb, 724 * MIB);
	assert_int_equal(world.lent_kb, 0);
	balloon_recover();
	assert_int_equal(world.target_kb, 724 * MIB);
}

static void test_every_other_failure_gives_it_back_too(void **state)
{
	struct balloon_loan loan = { 0 };

	begin();
	world.cancelled_at = 2000;
	check_refused(ECANCELED, "Waiting for memory was cancelled.");
	begin();
	world.store_fails = true;
	assert_int_equal(balloon_reserve(600 * MIB, &loan, NULL), -EACCES);
	assert_int_equal(world.target_kb, 1024 * MIB);
}

/* Two domains are made at the same time; one of them fails. */
static void test_each_gives_back_its_own_part(void **state)
{
	struct balloon_loan first = { 0 }, second = { 0 };

	begin();
	assert_int_equal(balloon_reserve(200 * MIB, &first, NULL), 0);
	balloon_release();
	world.free_kb -= 200 * MIB;
	assert_int_equal(balloon_reserve(300 * MIB, &second, NULL), 0);
	balloon_release();
	assert_int_equal(world.target_kb, 624 * MIB);
	balloon_give_back(&first);
	assert_int_equal(world.target_kb, 724 * MIB);
	balloon_give_back(&second);
	assert_int_equal(world.target_kb, 1024 * MIB);
}

static void test_a_target_that_somebody_chose_meanwhile_stays(void **state)
{
	struct balloon_loan loan = { 0 };

	begin();
	assert_int_equal(balloon_reserve(200 * MIB, &loan, NULL), 0);
	balloon_release();
	world.target_kb = 500 * MIB;
	balloon_forget_loans();
	balloon_give_back(&loan);
	balloon_recover();
	assert_int_equal(world.target_kb, 500 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_free_needs_nothing_of_domain_0),
		cmocka_unit_test(test_domain_0_gives_what_is_missing),
		cmocka_unit_test(test_more_than_domain_0_may_give_is_refused_at_once),
		cmocka_unit_test(test_a_slow_domain_0_is_called_slow_and_gets_its_memory_back),
		cmocka_unit_test(test_a_guest_that_takes_and_gives_back_is_no_progress),
		cmocka_unit_test(test_the_next_xend_gives_back_what_was_lent),
		cmocka_unit_test(test_every_other_failure_gives_it_back_too),
		cmocka_unit_test(test_each_gives_back_its_own_part),
		cmocka_unit_test(test_a_target_that_somebody_chose_meanwhile_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
