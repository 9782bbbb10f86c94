/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/domain.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* A domain is found by its id, its name, its UUID, or by its name as tables show it. */
#include "xend/domain/domain.h"

#include <errno.h>

#include "config/config.h"
#include "lib/log.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/move.h"
#include "xend/runtime/store.h"
#include "unit.h"

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

void config_free(struct config *config)
{
}

void move_free(struct move *move)
{
}

void console_detach(struct domain *its)
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

static void add(const char *name, int domid)
{
	static uint8_t uuid[16] = { 0 };

	uuid[15] = (uint8_t)(domid + 1);
	domain_add(name, uuid)->domid = domid;
}

static int begin(void **state)
{
	add("Domain-0", 0);
	add("0", 3);
	add("web", 4);
	add("the mail server", 5);
	add("the_web server", 6);
	add("the web_server", 7);
	add("the_web_client", 8);
	add("the web client", 9);
	return 0;
}

static int end(void **state)
{
	while (!TAILQ_EMPTY(&domains))
		domain_remove(TAILQ_FIRST(&domains));
	return 0;
}

/* The id of the domain that a request means; -errno. */
static int found(struct json_object *which, struct error **e)
{
	struct domain *domain;
	int rc = domain_lookup(which, &domain, e);

	json_object_put(which);
	if (rc)
		return rc;
	rc = domain->domid;
	domain_unref(domain);
	return rc;
}

static int named(const char *text)
{
	return found(json_object_new_string(text), NULL);
}

static void a_number_is_an_id_first(void **state)
{
	assert_int_equal(named("0"), 0);
	assert_int_equal(found(json_object_new_int(0), NULL), 0);
	assert_int_equal(named("3"), 3);
	assert_int_equal(named("00000000-0000-0000-0000-000000000004"), 3);
	assert_int_equal(named("77"), -ESRCH);
	add("77", 10);
	assert_int_equal(named("77"), 10);
	assert_int_equal(found(json_object_new_int(77), NULL), -ESRCH);
}

static void a_name_is_found_as_it_is_and_as_tables_show_it(void **state)
{
	assert_int_equal(named("web"), 4);
	assert_int_equal(named("the mail server"), 5);
	assert_int_equal(named("the_mail_server"), 5);
	assert_int_equal(named("the_mail server"), 5);
	/* One of that very name comes before one that looks like it. */
	assert_int_equal(named("the_web_client"), 8);
	assert_int_equal(named("the web client"), 9);
	assert_int_equal(named("the mail_server_"), -ESRCH);
	/* A blank is never a '_'. */
	assert_int_equal(named("the web server"), -ESRCH);
}

static void a_word_that_may_be_two_names_is_refused(void **state)
{
	struct error *e = NULL;

	assert_int_equal(found(json_object_new_string("the_web_server"), &e), -EINVAL);
	assert_string_equal(error_text(e),
			    "'the_web_server' may be domain 'the_web server' or domain 'the "
			    "web_server': tables show blanks as '_'. Write the name with its "
			    "blanks, in quotes.");
	error_free(&e);
	assert_int_equal(named("the_web server"), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_number_is_an_id_first, begin, end),
		cmocka_unit_test_setup_teardown(a_name_is_found_as_it_is_and_as_tables_show_it,
						begin, end),
		cmocka_unit_test_setup_teardown(a_word_that_may_be_two_names_is_refused, begin,
						end),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
