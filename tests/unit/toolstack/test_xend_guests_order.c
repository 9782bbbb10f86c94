/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/guests.c toolstack/xend/domain/guests_plan.c toolstack/xend/domain/guests_journal.c toolstack/xend/domain/guests_sequence.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/json.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* Which guests an order to start has: what xend keeps, and the files, each guest once. */
#include "xend/domain/guests.h"

#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "lib/file.h"
#include "lib/log.h"
#include "xend/device/driver_domain.h"
#include "xend/domain/domain.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/runtime/settings.h"
#include "xend/xend.h"

#include "unit.h"

static struct xend_config the_settings;
struct xend_config *settings = &the_settings;
struct domain_list domains;

static struct domain web;
static struct config of_web;

/* --- no task runs: the order stays as it was given --- */

struct task *task_start(void (*run)(void *arg), void *arg)
{
	return NULL;
}

struct task *task_current(void)
{
	return NULL;
}

void task_cancel(struct task *task)
{
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
	return -ECANCELED;
}

void cond_wake(struct cond *cond)
{
}

int guest_start(struct guest *guest, struct error **e)
{
	return 0;
}

int guest_stop(struct guest *guest, struct error **e)
{
	return 0;
}

int64_t guest_seconds_left(const struct guest *guest)
{
	return -1;
}

int recover_wait(struct request *asker, struct error **e)
{
	return 0;
}

bool xend_is_stopping(void)
{
	return false;
}

const char *record_boot(void)
{
	return "boot";
}

/* --- the journal goes nowhere, but can be read --- */

static char journal[4096];

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode,
		      struct error **e)
{
	assert_true(size < sizeof(journal));
	memcpy(journal, data, size);
	journal[size] = '\0';
	return 0;
}

int file_read(const char *path, size_t max, struct str *text, struct error **e)
{
	str_add(text, journal);
	return 0;
}

void log_write(enum log_level level, const char *format, ...)
{
}

/* --- domains --- */

void domains_refresh(void)
{
}

struct domain *domain_by_uuid(const uint8_t uuid[16])
{
	return !TAILQ_EMPTY(&domains) && memcmp(uuid, web.uuid, 16) == 0 ? &web : NULL;
}

struct domain *domain_by_name(const char *name)
{
	return NULL;
}

bool driver_domain_serves(const struct domain *server, const struct domain *user)
{
	return false;
}

void config_free(struct config *config)
{
}

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	strcpy(text, uuid[0] ? "web" : "none");
}

bool uuid_from_text(const char *text, uint8_t uuid[16])
{
	uuid[0] = strcmp(text, "web") == 0;
	return true;
}

static size_t count(void)
{
	struct json_object *status = json_new_object();
	size_t guests;

	guests_describe(status);
	guests = json_object_array_length(json_find(status, "guests"));
	json_object_put(status);
	return guests;
}

/* The domain web was suspended with the host. */
static int begin(void **state)
{
	strcpy(journal, "{\"boot\":\"boot\",\"order\":\"none\",\"guests\":[]}");
	memset(&web, 0, sizeof(web));
	web = (struct domain){ .name = (char *)"web",
			       .uuid = { 1 },
			       .domid = -1,
			       .ours = true,
			       .with_host = true,
			       .state = DOMAIN_SUSPENDED };
	of_web.name = (char *)"web";
	TAILQ_INIT(&domains);
	TAILQ_INSERT_TAIL(&domains, &web, link);
	guests_load();
	return guests_order_start(NULL, NULL);
}

/* The end of a host without domains: its list is empty. */
static int forget(void **state)
{
	TAILQ_INIT(&domains);
	return guests_order_stop(NULL, NULL);
}

static void go_on_as(const char *progress)
{
	forget(NULL);
	TAILQ_INSERT_TAIL(&domains, &web, link);
	snprintf(journal, sizeof(journal),
		 "{\"boot\":\"boot\",\"order\":\"start\",\"guests\":[{\"name\":\"web\",\"action\":"
		 "\"resume\",\"progress\":\"%s\",\"uuid\":\"web\",\"asked\":0}]}",
		 progress);
	guests_load();
}

static void a_guest_that_goes_on_and_has_a_file_counts_once(void **state)
{
	struct config of_db = { .name = (char *)"db" };

	assert_int_equal(count(), 1);
	assert_int_equal(guests_order_file("/etc/xen/auto/10-web", &of_web, NULL), 0);
	assert_int_equal(count(), 1);
	assert_int_equal(guests_order_file("/etc/xen/auto/20-db", &of_db, NULL), 0);
	assert_int_equal(guests_order_file("/etc/xen/auto/10-web", &of_web, NULL), 0);
	assert_int_equal(count(), 2);
}

/* As a link beside the file, or a copy. A file that cannot be used is no start of a guest. */
static void a_guest_with_two_files_counts_once(void **state)
{
	struct config of_db = { .name = (char *)"db" }, of_mail = { .name = (char *)"mail" };

	assert_int_equal(guests_order_file("/etc/xen/auto/10-db", &of_db, NULL), 0);
	assert_int_equal(guests_order_file("/etc/xen/auto/db", &of_db, NULL), 0);
	assert_int_equal(count(), 2);
	assert_int_equal(guests_order_bad_file("/etc/xen/auto/mail", "It is none.", NULL), 0);
	assert_int_equal(guests_order_file("/etc/xen/auto/mail.cfg", &of_mail, NULL), 0);
	assert_int_equal(count(), 4);
}

/* It has started with the host, and what has become of it since does not matter. */
static void one_that_has_gone_on_and_ended_is_not_started_from_its_file(void **state)
{
	go_on_as("done");
	TAILQ_REMOVE(&domains, &web, link);
	assert_int_equal(guests_order_file("/etc/xen/auto/10-web", &of_web, NULL), 0);
	assert_int_equal(count(), 1);
}

/* Somebody has given its saved memory up: now the file is all that there is. */
static void one_that_could_not_go_on_starts_from_its_file_once_it_is_forgotten(void **state)
{
	go_on_as("failed");
	assert_int_equal(guests_order_file("/etc/xen/auto/10-web", &of_web, NULL), 0);
	assert_int_equal(count(), 1);
	TAILQ_REMOVE(&domains, &web, link);
	assert_int_equal(guests_order_file("/etc/xen/auto/10-web", &of_web, NULL), 0);
	assert_int_equal(count(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_guest_that_goes_on_and_has_a_file_counts_once,
						begin, forget),
		cmocka_unit_test_setup_teardown(a_guest_with_two_files_counts_once, begin, forget),
		cmocka_unit_test_setup_teardown(
			one_that_has_gone_on_and_ended_is_not_started_from_its_file, begin, forget),
		cmocka_unit_test_setup_teardown(
			one_that_could_not_go_on_starts_from_its_file_once_it_is_forgotten, begin,
			forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
