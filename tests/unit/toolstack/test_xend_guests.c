/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/guests_plan.c toolstack/xend/domain/guests_journal.c toolstack/xend/domain/guests_sequence.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* What the host's start and end mean for each kind of domain, and the journal of an order. */
#include "xend/domain/guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "xend/domain/domain.h"

#include "unit.h"

/* The configurations of these tests hold no memory of their own. */
void config_free(struct config *config)
{
}

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	snprintf(text, UUID_TEXT, "%02x", uuid[0]);
}

bool uuid_from_text(const char *text, uint8_t uuid[16])
{
	uuid[0] = (uint8_t)strtoul(text, NULL, 16);
	return uuid[0] != 0xee;
}

/* The domains that xend knows, for the sequence. */
static struct domain *known[3];

struct domain *domain_by_uuid(const uint8_t uuid[16])
{
	for (size_t i = 0; i < 3; i++)
		if (known[i] && memcmp(known[i]->uuid, uuid, 16) == 0)
			return known[i];
	return NULL;
}

/* The domain of which the test says so serves the one after it. */
bool driver_domain_serves(const struct domain *server, const struct domain *user)
{
	return user->uuid[0] == server->uuid[0] + 1;
}

/* --- the plan --- */

static struct config config;

static struct domain domain_in(enum domain_state state, bool ours, bool managed)
{
	struct domain domain = { .state = state, .ours = ours, .managed = managed, .domid = -1 };

	memset(&config, 0, sizeof(config));
	if (ours)
		domain.config = &config;
	if (state == DOMAIN_RUNNING || state == DOMAIN_SAVING)
		domain.domid = 7;
	return domain;
}

static void what_was_suspended_with_the_host_goes_on(void **state)
{
	for (int managed = 0; managed < 2; managed++) {
		struct domain domain = domain_in(DOMAIN_SUSPENDED, true, managed);

		assert_int_equal(guests_plan_start(&domain), GUEST_NOTHING);
		domain.with_host = true;
		assert_int_equal(guests_plan_start(&domain), GUEST_RESUME);
	}
}

static void on_xend_start_starts_or_resumes_managed_domains(void **state)
{
	struct domain domain = domain_in(DOMAIN_HALTED, true, true);

	assert_int_equal(guests_plan_start(&domain), GUEST_NOTHING);
	config.on_xend_start = CONFIG_START_START;
	assert_int_equal(guests_plan_start(&domain), GUEST_START);
	domain.state = DOMAIN_SUSPENDED;
	assert_int_equal(guests_plan_start(&domain), GUEST_RESUME);
	domain.managed = false;
	assert_int_equal(guests_plan_start(&domain), GUEST_NOTHING);
	domain.managed = true;
	domain.state = DOMAIN_RUNNING;
	domain.domid = 7;
	assert_int_equal(guests_plan_start(&domain), GUEST_NOTHING);
}

static void on_xend_stop_comes_before_the_hosts_setting(void **state)
{
	static const enum xend_guests_stop settings[] = { XEND_GUESTS_SUSPEND, XEND_GUESTS_SHUTDOWN,
							  XEND_GUESTS_LEAVE };
	static const enum guest_action own[][3] = {
		[CONFIG_STOP_IGNORE] = { GUEST_SUSPEND, GUEST_SHUTDOWN, GUEST_NOTHING },
		[CONFIG_STOP_SHUTDOWN] = { GUEST_SHUTDOWN, GUEST_SHUTDOWN, GUEST_SHUTDOWN },
		[CONFIG_STOP_SUSPEND] = { GUEST_SUSPEND, GUEST_SUSPEND, GUEST_SUSPEND },
	};
	struct domain domain = domain_in(DOMAIN_RUNNING, true, false);

	for (unsigned int mine = 0; mine < 3; mine++) {
		for (unsigned int i = 0; i < 3; i++) {
			config.on_xend_stop = mine;
			assert_int_equal(guests_plan_stop(&domain, settings[i], false),
					 own[mine][i]);
		}
	}
}

/* `xl devd' does not survive a suspend. */
static void one_that_serves_others_is_suspended_only_on_its_own_wish(void **state)
{
	struct domain domain = domain_in(DOMAIN_RUNNING, true, false);

	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SUSPEND, true), GUEST_SHUTDOWN);
	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_LEAVE, true), GUEST_NOTHING);
	config.on_xend_stop = CONFIG_STOP_SUSPEND;
	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SHUTDOWN, true), GUEST_SUSPEND);
}

static void domains_of_other_toolstacks_are_shut_down(void **state)
{
	struct domain domain = domain_in(DOMAIN_RUNNING, false, false);

	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SUSPEND, false), GUEST_SHUTDOWN);
	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_LEAVE, false), GUEST_NOTHING);
	domain.domid = 0;
	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SHUTDOWN, false), GUEST_NOTHING);
}

static void those_that_are_about_to_run_end_too(void **state)
{
	struct domain domain = domain_in(DOMAIN_BUILDING, true, false);

	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SHUTDOWN, false), GUEST_SHUTDOWN);
	domain.state = DOMAIN_DYING;
	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SHUTDOWN, false), GUEST_NOTHING);
	domain.goal = GOAL_RESTART;
	assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SHUTDOWN, false), GUEST_SHUTDOWN);
	for (unsigned int i = 0; i < 2; i++) {
		domain.state = i ? DOMAIN_HALTED : DOMAIN_SUSPENDED;
		assert_int_equal(guests_plan_stop(&domain, XEND_GUESTS_SHUTDOWN, false),
				 GUEST_NOTHING);
	}
}

static void a_limit_counts_from_the_request(void **state)
{
	assert_false(guests_plan_is_late(100, 399, 300));
	assert_true(guests_plan_is_late(100, 400, 300));
	assert_true(guests_plan_is_late(100, 5000, 300));
}

/* The next xend looks at the record before recovery changes it. */
static void a_start_that_got_through_is_not_done_twice(void **state)
{
	static const bool started[DOMAIN_STATES] = {
		[DOMAIN_RUNNING] = true, [DOMAIN_SAVING] = true
	};

	assert_false(guests_plan_was_started(NULL));
	for (unsigned int i = 0; i < DOMAIN_STATES; i++) {
		struct domain domain = domain_in((enum domain_state)i, true, false);

		assert_int_equal(guests_plan_was_started(&domain), started[i]);
		/* Only one that ran reboots; a start that fails is undone. */
		domain.goal = GOAL_RESTART;
		assert_int_equal(guests_plan_was_started(&domain), started[i] || i == DOMAIN_DYING);
		domain.earlier_boot = true;
		assert_false(guests_plan_was_started(&domain));
	}
}

/* --- who comes first --- */

static struct guests list;

static struct guest *add(enum guest_action action, const char *name, uint8_t uuid)
{
	struct guest *guest = guests_add(&list, action, name);

	guest->uuid[0] = uuid;
	return guest;
}

static void begin_order(enum guests_order order)
{
	list = (struct guests){ .order = order, .list = TAILQ_HEAD_INITIALIZER(list.list) };
	memset(known, 0, sizeof(known));
}

/* A driver domain first; by number or name, for a disk or a card, known or from a file. */
static void a_driver_domain_starts_before_its_users(void **state)
{
	struct config_disk disk = { .backend = (char *)"driver" };
	struct config_vif vif = { .backend = (char *)"driver" };
	struct config with_disk = { .disk = &disk, .nr_disk = 1 };
	struct config with_vif = { .vif = &vif, .nr_vif = 1 }, neither = { .nr_vif = 0 };
	struct domain user = { .uuid = { 1 }, .config = &with_disk },
		      other = { .uuid = { 2 }, .config = &neither };
	struct guest *first, *second, *third, *driver;

	begin_order(GUESTS_START);
	known[0] = &user;
	known[1] = &other;
	first = add(GUEST_RESUME, "user", 1);
	second = add(GUEST_START, "other", 2);
	third = add(GUEST_START, "filed", 0);
	third->path = xstrdup("/etc/xen/auto/filed");
	third->config = &with_vif;
	driver = add(GUEST_START, "driver", 3);
	assert_true(guests_must_wait(&list, first));
	assert_false(guests_must_wait(&list, second));
	assert_true(guests_must_wait(&list, third));
	assert_false(guests_must_wait(&list, driver));
	driver->progress = GUEST_WORKING;
	assert_true(guests_must_wait(&list, first));
	/* Also one that failed is not waited for any more: its users say what they lack. */
	for (unsigned int i = 0; i < 2; i++) {
		driver->progress = i ? GUEST_DONE : GUEST_FAILED;
		assert_false(guests_must_wait(&list, first));
		assert_false(guests_must_wait(&list, third));
	}
	/* A file whose contents nobody has sent yet may never come. */
	driver->progress = GUEST_WAITING;
	driver->path = xstrdup("/etc/xen/auto/driver");
	assert_false(guests_must_wait(&list, first));
	third->config = NULL;
	guests_clear(&list);
}

static void a_driver_domain_ends_after_its_users(void **state)
{
	struct domain driver = { .uuid = { 1 } }, user = { .uuid = { 2 } },
		      other = { .uuid = { 7 } };
	struct guest *first, *second, *third;

	begin_order(GUESTS_STOP);
	known[0] = &driver;
	known[1] = &user;
	known[2] = &other;
	first = add(GUEST_SHUTDOWN, "driver", 1);
	second = add(GUEST_SUSPEND, "user", 2);
	third = add(GUEST_SHUTDOWN, "other", 7);
	assert_true(guests_must_wait(&list, first));
	assert_false(guests_must_wait(&list, second));
	assert_false(guests_must_wait(&list, third));
	second->progress = GUEST_WORKING;
	assert_true(guests_must_wait(&list, first));
	second->progress = GUEST_FAILED;
	assert_false(guests_must_wait(&list, first));
	/* It is gone and forgotten. */
	second->progress = GUEST_WAITING;
	known[1] = NULL;
	assert_false(guests_must_wait(&list, first));
	guests_clear(&list);
}

/* --- the journal --- */

static char path[] = "/tmp/unit-guests-XXXXXX";

static void write_text(const char *text)
{
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static void the_journal_comes_back_in_the_same_boot_alone(void **state)
{
	struct guests out = { .order = GUESTS_STOP, .list = TAILQ_HEAD_INITIALIZER(out.list) }, in;
	struct guest *guest = guests_add(&out, GUEST_SUSPEND, "web \"1\"");

	guest->uuid[0] = 0x17;
	guest->progress = GUEST_WORKING;
	guest->asked = 1234;
	guest = guests_add(&out, GUEST_START, "db1");
	guest->path = xstrdup("/etc/xen/auto/10-db1");
	guest->progress = GUEST_FAILED;
	guest->why = xstrdup("It did not.");
	guests_write(&out, path, "boot-a");
	guests_clear(&out);

	guests_read(&in, path, "boot-b");
	assert_int_equal(in.order, GUESTS_NONE);
	assert_true(TAILQ_EMPTY(&in.list));
	guests_read(&in, path, "boot-a");
	assert_int_equal(in.order, GUESTS_STOP);
	guest = TAILQ_FIRST(&in.list);
	assert_string_equal(guest->name, "web \"1\"");
	assert_int_equal(guest->action, GUEST_SUSPEND);
	assert_int_equal(guest->progress, GUEST_WORKING);
	assert_int_equal(guest->uuid[0], 0x17);
	assert_int_equal(guest->asked, 1234);
	assert_null(guest->path);
	guest = TAILQ_NEXT(guest, link);
	assert_string_equal(guest->path, "/etc/xen/auto/10-db1");
	assert_int_equal(guest->progress, GUEST_FAILED);
	assert_string_equal(guest->why, "It did not.");
	assert_null(TAILQ_NEXT(guest, link));
	guests_clear(&in);
}

static void a_journal_that_is_damaged_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"boot\":\"b\"}",
		"{\"boot\":\"b\",\"order\":\"dance\",\"guests\":[]}",
		"{\"boot\":\"b\",\"order\":\"stop\",\"guests\":[3]}",
		"{\"boot\":\"b\",\"order\":\"stop\",\"guests\":[{\"name\":\"a\",\"action\":\"fly\","
		"\"progress\":\"done\",\"asked\":0}]}",
		"{\"boot\":\"b\",\"order\":\"stop\",\"guests\":[{\"name\":\"a\",\"action\":"
		"\"start\","
		"\"progress\":\"done\",\"asked\":0},{\"name\":\"b\",\"action\":\"start\",\"uuid\":"
		"\"ee\","
		"\"progress\":\"done\",\"asked\":0}]}",
	};
	struct guests in;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_text(texts[i]);
		guests_read(&in, path, "b");
		assert_int_equal(in.order, GUESTS_NONE);
		assert_true(TAILQ_EMPTY(&in.list));
	}
	unlink(path);
	guests_read(&in, path, "b");
	assert_int_equal(in.order, GUESTS_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_suspended_with_the_host_goes_on),
		cmocka_unit_test(on_xend_start_starts_or_resumes_managed_domains),
		cmocka_unit_test(on_xend_stop_comes_before_the_hosts_setting),
		cmocka_unit_test(one_that_serves_others_is_suspended_only_on_its_own_wish),
		cmocka_unit_test(domains_of_other_toolstacks_are_shut_down),
		cmocka_unit_test(those_that_are_about_to_run_end_too),
		cmocka_unit_test(a_limit_counts_from_the_request),
		cmocka_unit_test(a_start_that_got_through_is_not_done_twice),
		cmocka_unit_test(a_driver_domain_starts_before_its_users),
		cmocka_unit_test(a_driver_domain_ends_after_its_users),
		cmocka_unit_test(the_journal_comes_back_in_the_same_boot_alone),
		cmocka_unit_test(a_journal_that_is_damaged_is_none),
	};
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
