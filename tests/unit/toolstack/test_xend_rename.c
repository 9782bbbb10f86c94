/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/rename.c toolstack/xend/domain/domain.c toolstack/xend/domain/move.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * A domain gets another name. Its record is written meanwhile, which waits, and which may fail:
 * somebody else tries to get one of its names at that moment.
 */
#include "xend/domain/rename.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/record.h"
#include "xend/runtime/store.h"
#include "unit.h"

static struct domain *domain;
static bool disk_is_full;
static unsigned int renamed_in_xenstore;
static bool last_record;

/* What every request does that makes or renames a domain. */
static bool is_free(const char *name)
{
	return !domain_by_name(name);
}

int record_write(struct domain *its, struct error **e)
{
	assert_string_equal(its->name, "new");
	assert_string_equal(its->config->name, "new");
	assert_false(is_free("new"));
	assert_false(is_free("old"));
	/* A xend that is killed now leaves the nodes to the next one. */
	assert_true(its->half_renamed);
	return disk_is_full ? error_set(e, ENOSPC, "The disk is full.") : 0;
}

void record_write_anyway(struct domain *its)
{
	assert_int_equal(renamed_in_xenstore, 1);
	assert_false(its->half_renamed);
	last_record = true;
}

int layout_rename(const struct domain *its, struct error **e)
{
	renamed_in_xenstore++;
	return 0;
}

/* --- not used here --- */

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	return error_set(e, ESRCH, "There is none.");
}

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	return error_set(e, EIO, "There is none.");
}

char *store_read(const char *fmt, ...)
{
	return NULL;
}

void console_detach(struct domain *its)
{
}

void console_renamed(struct domain *its)
{
}

void devices_forget(struct domain *its)
{
}

void lifecycle_check(struct domain *its)
{
}

void lifecycle_observe(struct domain *its, const struct hv_domain_info *info)
{
}

struct task *task_current(void)
{
	return NULL;
}

uint64_t task_deadline(uint64_t after_ms)
{
	return after_ms;
}

void cond_init(struct cond *cond)
{
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	return 0;
}

void cond_wake(struct cond *cond)
{
}

/* --- tests --- */

static void begin(bool full)
{
	static const uint8_t uuid[16] = { 1 };
	struct json_object *o = json_new_object();

	disk_is_full = full;
	renamed_in_xenstore = 0;
	last_record = false;
	domain = domain_ref(domain_add("old", uuid));
	domain->domid = 7;
	json_set_string(o, "name", "old");
	json_set_string(o, "kernel", "/k");
	domain->config = config_from_json(o, NULL);
	json_object_put(o);
}

static void end(void)
{
	domain_remove(domain);
	domain_unref(domain);
}

static void its_old_name_is_free_once_the_record_has_the_new_one(void **state)
{
	begin(false);
	assert_int_equal(domain_rename(domain, "new", NULL), 0);
	assert_string_equal(domain->name, "new");
	assert_true(is_free("old"));
	assert_int_equal(renamed_in_xenstore, 1);
	assert_true(last_record);
	end();
}

static void without_a_record_it_keeps_its_name(void **state)
{
	struct error *e = NULL;

	begin(true);
	assert_int_equal(domain_rename(domain, "new", &e), -ENOSPC);
	assert_string_equal(error_text(e), "Domain 'old' keeps its name: The disk is full.");
	assert_string_equal(domain->name, "old");
	assert_string_equal(domain->config->name, "old");
	assert_false(domain->half_renamed);
	assert_true(is_free("new"));
	assert_int_equal(renamed_in_xenstore, 0);
	error_free(&e);
	end();
}

/* xenstore may still have the name of before the last rename. */
static void a_rename_that_was_not_finished_is_not_forgotten(void **state)
{
	begin(true);
	domain->half_renamed = true;
	assert_int_equal(domain_rename(domain, "new", NULL), -ENOSPC);
	assert_true(domain->half_renamed);
	end();
}

static void it_gets_no_name_that_another_domain_has(void **state)
{
	static const uint8_t uuid[16] = { 2 };
	struct domain *other;

	begin(false);
	other = domain_add("new", uuid);
	assert_int_equal(domain_rename(domain, "new", NULL), -EEXIST);
	assert_string_equal(domain->name, "old");
	domain_remove(other);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_old_name_is_free_once_the_record_has_the_new_one),
		cmocka_unit_test(without_a_record_it_keeps_its_name),
		cmocka_unit_test(a_rename_that_was_not_finished_is_not_forgotten),
		cmocka_unit_test(it_gets_no_name_that_another_domain_has),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
