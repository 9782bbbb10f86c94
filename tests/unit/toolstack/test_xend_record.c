/* SPDX-License-Identifier: MIT */
/*
 * The records of domains on a disk that is full, fails or does not answer. Nothing of that stops
 * the loop, an older record never comes back over a newer one, and what the disk did not take it
 * gets later. The files are fakes; tasks, threads and the records are real.
 */
/* links: toolstack/xend/domain/move.c toolstack/xend/domain/record.c toolstack/xend/domain/record_debt.c toolstack/xend/domain/record_file.c toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
#include "xend/domain/record.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/record_file.h"
#include "xend/runtime/task.h"
#include "xend/xend.h"
#include "unit.h"

#define TEXT_MAX 4096

struct domain_list domains = TAILQ_HEAD_INITIALIZER(domains);

static struct {
	atomic_int error;  /* of each call */
	atomic_bool hangs; /* the next one waits for `answers` */
	sem_t hanging, answers;
	/* what is on the disk */
	char record[TEXT_MAX];
	atomic_int writes, removals;
} disk;

static uv_loop_t *loop;
static struct domain guest;
static bool stopping;

/* --- the disk --- */

static int answer(struct error **e)
{
	if (atomic_exchange(&disk.hangs, false)) {
		sem_post(&disk.hanging);
		sem_wait(&disk.answers);
	}
	return disk.error ? error_set(e, disk.error, "Cannot write the file: %s.",
				      strerror(disk.error)) :
			    0;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct error **e)
{
	int rc = answer(e);

	assert_non_null(strstr(path, "/01000000-0000-0000-0000-000000000000/config.json"));
	if (rc == 0)
		snprintf(disk.record, sizeof(disk.record), "%.*s", (int)len, (const char *)data);
	disk.writes++;
	return rc;
}

int file_remove(const char *path, struct error **e)
{
	int rc = strstr(path, "config.json") ? answer(e) : 0;

	if (rc == 0 && strstr(path, "config.json")) {
		disk.record[0] = '\0';
		disk.removals++;
	}
	return rc;
}

int file_make_dirs(const char *path, mode_t mode, struct error **e)
{
	return 0;
}

int file_sync_directory_of(const char *path, struct error **e)
{
	return 0;
}

int file_write_fd(int fd, const char *name, const void *data, size_t len, struct error **e)
{
	return 0;
}

int file_read(const char *path, size_t limit, struct str *out, struct error **e)
{
	return error_set(e, ENOENT, "There is none.");
}

/* --- the rest of xend --- */

bool xend_is_stopping(void)
{
	return stopping;
}

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	snprintf(text, UUID_TEXT, "%02x000000-0000-0000-0000-000000000000", uuid[0]);
}

bool uuid_from_text(const char *text, uint8_t uuid[16])
{
	return false;
}

struct domain *domain_ref(struct domain *domain)
{
	domain->refs++;
	return domain;
}

void domain_unref(struct domain *domain)
{
	domain->refs--;
}

struct domain *domain_add(const char *name, const uint8_t uuid[16])
{
	return NULL;
}

void domain_remove(struct domain *domain)
{
	TAILQ_REMOVE(&domains, domain, link);
}

struct domain *domain_by_name(const char *name)
{
	return NULL;
}

struct domain *domain_by_uuid(const uint8_t uuid[16])
{
	return TAILQ_FIRST(&domains);
}

int domain_lock_now(struct domain *domain, const char *operation)
{
	assert_null(domain->operation);
	domain->operation = operation;
	return 0;
}

void domain_unlock(struct domain *domain)
{
	domain->operation = NULL;
}

struct json_object *devices_to_json(const struct domain *domain)
{
	return json_new_array();
}

int devices_from_json(struct domain *domain, struct json_object *array, struct error **e)
{
	return 0;
}

/* --- tests --- */

static int set_up(void **state)
{
	struct json_object *o = json_new_object();

	loop = uv_default_loop();
	memset(&disk, 0, sizeof(disk));
	sem_init(&disk.hanging, 0, 0);
	sem_init(&disk.answers, 0, 0);
	guest = (struct domain){ .name = (char *)"g", .domid = 7, .ours = true, .uuid = { 1 } };
	json_set_string(o, "name", "g");
	json_set_string(o, "kernel", "/k");
	guest.config = config_from_json(o, NULL);
	json_object_put(o);
	TAILQ_INIT(&domains);
	TAILQ_INSERT_TAIL(&domains, &guest, link);
	stopping = false;
	return task_setup(loop);
}

static int tear_down(void **state)
{
	assert_int_equal(task_count(), 0);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
	config_free(guest.config);
	assert_false(guest.record_owed);
	assert_int_equal(guest.refs, 0);
	return 0;
}

static void run_task(void (*run)(void *arg), void *arg)
{
	task_start(run, arg);
	uv_run(loop, UV_RUN_DEFAULT);
}

static void ticks(void *arg)
{
	unsigned int *count = arg;

	for (; *count < 5; ++*count)
		task_sleep(1);
	sem_post(&disk.answers);
}

static void write_slowly(void *arg)
{
	unsigned int count = 0;

	disk.hangs = true;
	task_start(ticks, &count);
	assert_int_equal(record_write(&guest, NULL), 0);
	assert_int_equal(count, 5);
}

static void test_the_loop_goes_on_while_the_disk_is_slow(void **state)
{
	run_task(write_slowly, NULL);
	assert_non_null(strstr(disk.record, "\"name\":\"g\""));
}

static void remove_slowly(void *arg)
{
	unsigned int count = 0;

	disk.hangs = true;
	task_start(ticks, &count);
	assert_int_equal(record_remove(&guest, NULL), 0);
	assert_int_equal(count, 5);
}

static void test_so_it_does_while_a_record_is_removed(void **state)
{
	run_task(remove_slowly, NULL);
	assert_int_equal(disk.removals, 1);
}

static void let_go_later(void *arg)
{
	/* The second writer must be waiting by then. */
	task_sleep(20);
	guest.name = (char *)"third";
	sem_post(&disk.answers);
}

static void write_first(void *arg)
{
	disk.hangs = true;
	guest.name = (char *)"first";
	record_write(&guest, NULL);
}

static void write_both(void *arg)
{
	task_start(write_first, NULL);
	while (sem_trywait(&disk.hanging))
		task_sleep(1);
	task_start(let_go_later, NULL);
	guest.name = (char *)"second";
	assert_int_equal(record_write(&guest, NULL), 0);
	assert_int_equal(disk.writes, 2);
}

static void test_an_older_record_does_not_come_back(void **state)
{
	run_task(write_both, NULL);
	assert_non_null(strstr(disk.record, "\"name\":\"second\""));
}

static void fail_and_recover(void *arg)
{
	struct error *e = NULL;

	disk.error = ENOSPC;
	guest.state = DOMAIN_RUNNING;
	assert_int_equal(record_write(&guest, &e), -ENOSPC);
	assert_non_null(strstr(error_text(e), "No space left on device"));
	error_free(&e);
	assert_true(guest.record_owed);
	assert_string_equal(disk.record, "");
	guest.state = DOMAIN_HALTED;
	disk.error = 0;
}

static void test_what_the_disk_did_not_take_it_gets_later(void **state)
{
	run_task(fail_and_recover, NULL);
	/* As the domain is by then. */
	assert_non_null(strstr(disk.record, "\"state\":\"halted\""));
}

static void forget(void *arg)
{
	disk.error = EROFS;
	snprintf(disk.record, sizeof(disk.record), "old");
	record_remove_anyway(&guest);
	domain_remove(&guest);
	disk.error = arg ? 0 : EROFS;
}

static void test_a_record_that_stayed_is_removed_later(void **state)
{
	run_task(forget, &disk);
	assert_string_equal(disk.record, "");
	assert_int_equal(disk.removals, 1);
}

static void fail_and_stop(void *arg)
{
	disk.error = EIO;
	record_write_anyway(&guest);
	stopping = true;
}

/* The next xend follows the old record. */
static void test_a_xend_that_stops_does_not_wait_for_the_disk(void **state)
{
	run_task(fail_and_stop, NULL);
	assert_true(guest.record_owed);
	guest.record_owed = false;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_loop_goes_on_while_the_disk_is_slow),
		TEST(test_so_it_does_while_a_record_is_removed),
		TEST(test_an_older_record_does_not_come_back),
		TEST(test_what_the_disk_did_not_take_it_gets_later),
		TEST(test_a_record_that_stayed_is_removed_later),
		TEST(test_a_xend_that_stops_does_not_wait_for_the_disk),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
