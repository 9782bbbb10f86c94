/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/guests_stop.c toolstack/xend/domain/guests_plan.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* The host ends while somebody is at work with a guest: a save to a dead file server, say. */
#include "xend/domain/guests.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "xend/domain/acquire.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/suspend.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"
#include "xend/xend.h"
#include "unit.h"

#define LIMIT 300 /* seconds */

static struct xend_config the_settings;
struct xend_config *settings = &the_settings;
struct hv *domain_hv;

static struct domain domain;
static struct {
	uint64_t now;
	uint64_t frees_at; /* the work ends by itself */
	bool obeys;	   /* it ends when it is cancelled */
	bool cancelled, suspended, asked, destroyed;
} world;

static void pass(uint64_t until)
{
	world.now = until;
	if (world.now >= world.frees_at)
		domain.operation = NULL;
}

int domain_lock_now(struct domain *its, const char *operation)
{
	if (its->operation)
		return -EBUSY;
	its->operation = operation;
	return 0;
}

void domain_unlock(struct domain *its)
{
	its->operation = NULL;
}

void task_cancel(struct task *task)
{
	assert_ptr_equal(task, domain.task);
	world.cancelled = true;
	if (world.obeys)
		domain.operation = NULL;
}

uint64_t task_deadline(uint64_t after_ms)
{
	return world.now + after_ms;
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	/* A guest that was asked to shut down does so. */
	if (world.asked && !domain.operation) {
		domain.domid = -1;
		return 0;
	}
	if (world.now < world.frees_at && world.frees_at < deadline) {
		pass(world.frees_at);
		return 0;
	}
	pass(deadline);
	return -ETIMEDOUT;
}

int domain_suspend(struct domain *its, bool with_host, struct request *asker, struct error **e)
{
	assert_string_equal(its->operation, "suspend");
	world.suspended = true;
	return 0;
}

int store_write(const char *path, const char *fmt, ...)
{
	assert_string_equal(path, "/local/domain/7/control/shutdown");
	world.asked = true;
	return 0;
}

int domain_tear_down(struct domain *its, struct error **e)
{
	world.destroyed = true;
	its->domid = -1;
	return 0;
}

void domain_settle(struct domain *its)
{
}

struct domain *domain_by_uuid(const uint8_t uuid[16])
{
	return &domain;
}

struct domain *domain_ref(struct domain *its)
{
	return its;
}

void domain_unref(struct domain *its)
{
}

int domain_info(const struct domain *its, struct hv_domain_info *info, struct error **e)
{
	*info = (struct hv_domain_info){ .domid = 7 };
	return 0;
}

int layout_check_known(const struct domain *its, struct error **e)
{
	return 0;
}

bool xend_is_stopping(void)
{
	return false;
}

void domains_refresh(void)
{
}

/* --- tests --- */

static void stop(enum guest_action action, uint64_t frees_at, bool obeys, int rc, const char *words)
{
	struct guest guest = { .action = action, .progress = GUEST_WORKING, .name = (char *)"g" };
	struct error *e = NULL;
	/* The address of anything will do for the task that has the lock. */
	struct task *task = (struct task *)&world;

	memset(&world, 0, sizeof(world));
	world.frees_at = frees_at;
	world.obeys = obeys;
	domain = (struct domain){
		.domid = 7, .name = (char *)"g", .ours = true, .operation = "save", .task = task
	};
	settings->guests_shutdown_timeout = LIMIT;
	settings->guests_late = XEND_GUESTS_LATE_DESTROY;
	assert_int_equal(guest_stop(&guest, &e), rc);
	if (words && !strstr(error_text(e), words))
		fail_msg("'%s' is not said in: %s", words, error_text(e));
	error_free(&e);
}

static void work_that_ends_in_time_is_waited_for(void **state)
{
	stop(GUEST_SUSPEND, 200 * 1000, false, 0, NULL);
	assert_true(world.suspended);
	assert_false(world.cancelled);
	stop(GUEST_SHUTDOWN, 200 * 1000, false, 0, NULL);
	assert_true(world.asked);
	assert_false(world.cancelled || world.destroyed);
}

static void work_that_hangs_is_given_up(void **state)
{
	stop(GUEST_SUSPEND, UINT64_MAX, true, 0, NULL);
	assert_true(world.cancelled && world.suspended);
	assert_int_equal(world.now, LIMIT * 1000);
	stop(GUEST_SHUTDOWN, UINT64_MAX, true, 0, NULL);
	assert_true(world.cancelled && world.asked);
	assert_int_equal(world.now, LIMIT * 1000);
}

/* Nobody can do anything with such a guest. The host does not wait for it three times. */
static void work_that_cannot_be_given_up_leaves_the_guest(void **state)
{
	static const enum guest_action actions[] = { GUEST_SUSPEND, GUEST_SHUTDOWN };

	for (unsigned int i = 0; i < 2; i++) {
		stop(actions[i], UINT64_MAX, false, -EBUSY, "busy with 'save', which does not end");
		assert_true(world.cancelled);
		assert_false(world.suspended || world.asked || world.destroyed);
		assert_true(world.now <= (LIMIT + 30) * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_that_ends_in_time_is_waited_for),
		cmocka_unit_test(work_that_hangs_is_given_up),
		cmocka_unit_test(work_that_cannot_be_given_up_leaves_the_guest),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
