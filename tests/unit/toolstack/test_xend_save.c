/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/freeze.c toolstack/xend/domain/measure.c toolstack/xend/domain/save.c toolstack/xend/domain/save_header.c toolstack/xend/runtime/files.c toolstack/xend/runtime/seal.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -lnettle */
/*
 * A domain is saved while writes of its record fail (the disk is full, say), or while it cannot be
 * resumed. Whatever fails, the guest runs or its file exists; and a xend that starts from the
 * record on disk removes no file that was reported good. save.c is real; the hypervisor, xenstore
 * and the record are fakes.
 */
#include "xend/domain/freeze.h"
#include "xend/domain/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/sched.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/domain/boot.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/live.h"
#include "xend/domain/record.h"
#include "xend/domain/resume.h"
#include "xend/runtime/request.h"
#include "xend/runtime/store.h"
#include "xend/domain/worker.h"
#include "unit.h"

#define NEVER	 1000
#define STATES	 3 /* a save writes the record two or three times */
#define GUEST_ID 7

/* The record that the next xend reads. */
struct on_disk {
	enum domain_state state;
	char *saving_to;
	bool suspends_late;
};

/* What the guest does with a request to suspend. */
enum takes { SUSPENDS, TAKES_LATE, NEVER_TAKES };

static struct {
	enum takes takes;
	char *request; /* control/shutdown */
	bool paused, suspended, destroyed, resume_fails, new_xenstored;
	bool resumed_afresh;
	unsigned int writes, fail_from, fail_to; /* of the record */
	struct on_disk disk;
	char written_to[128];
} world;

static struct domain guest;
static char directory[] = "/tmp/xend-save-XXXXXX", path[64];

struct hv *domain_hv;

/* --- the record --- */

int record_write(struct domain *domain, struct error **e)
{
	unsigned int write = world.writes++;

	if (write >= world.fail_from && write <= world.fail_to)
		return error_set(e, ENOSPC, "Cannot write the record: No space left on device.");
	free(world.disk.saving_to);
	world.disk.state = domain->state;
	world.disk.saving_to = xstrdup(domain->saving_to);
	world.disk.suspends_late = domain->suspends_late;
	return 0;
}

void record_write_anyway(struct domain *domain)
{
	record_write(domain, NULL);
}

/* --- the domain --- */

int domain_info(const struct domain *domain, struct hv_domain_info *info, struct error **e)
{
	if (world.destroyed)
		return error_set(e, ESRCH, "It is gone.");
	*info = (struct hv_domain_info){ .domid = GUEST_ID,
					 .pages = 64 * 256,
					 .paused = world.paused,
					 .shutdown = world.suspended,
					 .shutdown_reason = SHUTDOWN_suspend };
	return 0;
}

int layout_check_known(const struct domain *domain, struct error **e)
{
	return world.new_xenstored ? error_set(e, EIO, "xenstore does not know it.") : 0;
}

void domain_set_state(struct domain *domain, enum domain_state state)
{
	domain->state = state;
}

int domain_tear_down(struct domain *domain, struct error **e)
{
	domain_set_state(domain, DOMAIN_DYING);
	record_write_anyway(domain);
	world.destroyed = true;
	return 0;
}

int hv_domain_cancel_suspend(struct hv *hv, uint32_t domid, struct error **e)
{
	assert_true(world.suspended);
	if (world.resume_fails)
		return error_set(e, EIO, "It cannot be resumed.");
	world.suspended = false;
	return 0;
}

void live_end(struct domain *domain)
{
}

int resume_afresh(struct domain *domain, struct error **e)
{
	world.resumed_afresh = true;
	return hv_domain_cancel_suspend(NULL, GUEST_ID, e);
}

int worker_run(struct json_object *order, int fd, struct request *asker,
	       struct json_object **result, struct error **e)
{
	assert_true(world.suspended);
	snprintf(world.written_to, sizeof(world.written_to), "%s", guest.saving_to);
	*result = json_new_object();
	return 0;
}

void worker_name_domain(struct json_object *order, const struct domain *domain)
{
}

/* --- xenstore, and waiting --- */

int store_write(const char *at, const char *fmt, ...)
{
	char value[32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	free(world.request);
	world.request = xstrdup(value);
	if (strcmp(value, "suspend") == 0 && world.takes != NEVER_TAKES) {
		free(world.request);
		world.request = xstrdup("");
		world.suspended = world.takes == SUSPENDS;
	}
	return 0;
}

char *store_read(const char *fmt, ...)
{
	return NULL;
}

char *store_exchange(const char *at, const char *value)
{
	char *was = world.request;

	world.request = xstrdup(value);
	return was;
}

uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	return otherwise;
}

void store_resume(unsigned int domid)
{
}

uint64_t task_deadline(uint64_t after_ms)
{
	return after_ms;
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	return -ETIMEDOUT;
}

struct task *task_current(void)
{
	return NULL;
}

bool task_shield(bool on)
{
	return false;
}

int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline)
{
	work(arg);
	return 0;
}

/* --- tests --- */

static void begin(unsigned int fail_from, unsigned int fail_to)
{
	struct json_object *o = json_new_object();

	free(world.disk.saving_to);
	free(world.request);
	memset(&world, 0, sizeof(world));
	world.fail_from = fail_from;
	world.fail_to = fail_to;
	world.disk.state = DOMAIN_RUNNING;
	guest = (struct domain){
		.name = (char *)"g", .domid = GUEST_ID, .ours = true, .state = DOMAIN_RUNNING
	};
	json_set_string(o, "name", "g");
	json_set_string(o, "kernel", "/k");
	json_set_int(o, "memory", 64);
	guest.config = config_from_json(o, NULL);
	assert_non_null(guest.config);
	json_object_put(o);
}

static void end(void)
{
	config_free(guest.config);
	free(guest.saving_to);
	unlink(path);
}

static bool is_there(void)
{
	return access(path, F_OK) == 0;
}

/* xend is killed. The next one follows the record, as recover_plan.c says for a domain
 * that exists. */
static void next_xend(void)
{
	free(guest.saving_to);
	guest.state = world.disk.state;
	guest.saving_to = xstrdup(world.disk.saving_to);
	guest.suspends_late = world.disk.suspends_late;
	if (guest.state == DOMAIN_SAVING && !world.destroyed)
		save_take_back(&guest);
}

/* Checks that nothing is lost, neither now nor when xend is killed right afterwards. */
static void check(int rc, enum save_after after, const struct error *e)
{
	if (rc == 0) {
		assert_true(is_there());
		assert_int_equal(world.destroyed, after == SAVE_THEN_STOP);
		assert_int_equal(world.suspended, after == SAVE_THEN_STOP);
	} else {
		assert_false(world.destroyed);
		assert_false(world.suspended);
		assert_false(is_there());
		assert_non_null(strstr(error_text(e), "No space left on device"));
		assert_int_equal(guest.state, DOMAIN_RUNNING);
		assert_int_equal(guest.goal, GOAL_REST);
		assert_null(guest.saving_to);
	}
	next_xend();
	assert_int_equal(is_there(), rc == 0);
	assert_true(world.destroyed || !world.suspended);
}

static void test_a_record_that_is_not_written_loses_nothing(void **state)
{
	for (int after = SAVE_THEN_STOP; after <= SAVE_THEN_GO_ON; after++) {
		for (unsigned int from = 0; from < STATES; from++) {
			for (int all = 0; all < 2; all++) {
				struct error *e = NULL;
				int rc;

				begin(from, all ? NEVER : from);
				rc = domain_save(&guest, path, (enum save_after)after, NULL, &e);
				print_message("after %d, from %u, all %d: %d, %s\n", after, from,
					      all, rc, error_text(e));
				check(rc, (enum save_after)after, e);
				/* The first write says that a file begins, the second that it is
				 * complete. */
				assert_int_equal(rc, from < 2 ? -ENOSPC : 0);
				error_free(&e);
				end();
			}
		}
	}
}

/* --- a file that is there already --- */

static void put(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool is_old(const char *text)
{
	char bytes[64] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, bytes, sizeof(bytes) - 1) >= 0);
	close(fd);
	return strcmp(bytes, text) == 0;
}

void uuid_to_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	snprintf(text, UUID_TEXT, "%08x-0000-4000-8000-000000000000", uuid[0]);
}

static bool has_draft(void)
{
	char draft[128], uuid[UUID_TEXT];

	uuid_to_text(guest.uuid, uuid);
	snprintf(draft, sizeof(draft), "%s.%s.part", path, uuid);
	return access(draft, F_OK) == 0;
}

/* Else two domains that replace one file at the same time would write to one draft. */
static void test_a_draft_has_the_name_of_its_domain(void **state)
{
	char uuid[UUID_TEXT];

	uuid_to_text(guest.uuid, uuid);
	begin(NEVER, NEVER);
	put("XENOLITH, an old one");
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_STOP, NULL, NULL), 0);
	assert_non_null(strstr(world.written_to, uuid));
	assert_false(is_old("XENOLITH, an old one"));
	end();
}

static void test_a_saved_domain_is_replaced_when_the_new_file_is_complete(void **state)
{
	static const char *const olds[] = { "XENOLITH, an old one",
					    "Xen saved domain, xl format\n" };

	for (size_t i = 0; i < 2; i++) {
		for (unsigned int from = 0; from < 3; from++) {
			struct error *e = NULL;
			int rc;

			begin(from < 2 ? from : NEVER, from < 2 ? from : NEVER);
			put(olds[i]);
			rc = domain_save(&guest, path, SAVE_THEN_STOP, NULL, &e);
			assert_int_equal(rc, from < 2 ? -ENOSPC : 0);
			/* Before the guest was written the old file is whole; afterwards the new.
			 */
			assert_int_equal(is_old(olds[i]), from == 0);
			assert_int_equal(world.destroyed, rc == 0);
			next_xend();
			assert_true(is_there());
			assert_false(has_draft());
			assert_true(world.destroyed || !world.suspended);
			error_free(&e);
			end();
		}
	}
}

static void test_a_save_that_fails_leaves_the_old_file(void **state)
{
	struct error *e = NULL;

	begin(NEVER, NEVER);
	world.takes = NEVER_TAKES;
	put("XENOLITH, an old one");
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_STOP, NULL, &e), -ETIMEDOUT);
	assert_true(is_old("XENOLITH, an old one"));
	assert_false(has_draft());
	error_free(&e);
	end();
}

/* It would not see the request, and everybody would wait for a minute. */
static void test_a_paused_guest_is_refused_at_once(void **state)
{
	struct error *e = NULL;

	begin(NEVER, NEVER);
	world.paused = true;
	guest.goal = GOAL_SUSPENDED;
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_STOP, NULL, &e), -EBADFD);
	assert_non_null(strstr(error_text(e), "is paused"));
	assert_non_null(strstr(error_text(e), "xm unpause g"));
	assert_null(world.request);
	assert_false(is_there());
	assert_int_equal(guest.state, DOMAIN_RUNNING);
	assert_int_equal(guest.goal, GOAL_REST);
	error_free(&e);
	end();
}

static void test_what_is_no_saved_domain_is_not_replaced(void **state)
{
	struct error *e = NULL;

	begin(NEVER, NEVER);
	put("the disk of a guest, say");
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_STOP, NULL, &e), -EEXIST);
	assert_non_null(strstr(error_text(e), "not the file of a saved domain"));
	assert_true(is_old("the disk of a guest, say"));
	assert_int_equal(guest.state, DOMAIN_RUNNING);
	error_free(&e);
	end();
}

static void test_a_guest_that_goes_on_is_said_to_run(void **state)
{
	struct error *e = NULL;

	begin(NEVER, NEVER);
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_GO_ON, NULL, &e), 0);
	assert_int_equal(world.disk.state, DOMAIN_RUNNING);
	assert_null(world.disk.saving_to);
	check(0, SAVE_THEN_GO_ON, e);
	end();
}

/* Its kernel says whether it knows that a suspend was given up; the file says it for its next life.
 */
static void test_a_guest_goes_on_as_its_kernel_can(void **state)
{
	for (int afresh = 0; afresh < 2; afresh++) {
		struct saved saved;

		begin(NEVER, NEVER);
		guest.resumes_afresh = afresh;
		guest.shutdown_handled = true;
		assert_int_equal(domain_save(&guest, path, SAVE_THEN_GO_ON, NULL, NULL), 0);
		assert_false(world.suspended);
		assert_int_equal(world.resumed_afresh, afresh);
		/* Its next shutdown is a new one, though nobody saw it run in between. */
		assert_false(guest.shutdown_handled);
		assert_int_equal(save_open(path, &saved, NULL), 0);
		assert_int_equal(saved.resumes_afresh, afresh);
		close(saved.fd);
		config_free(saved.config);
		guest.resumes_afresh = false;
		end();
	}
}

/* The file is then all that is left of the guest: it stays, and the caller is told. */
static void test_a_guest_that_does_not_go_on_keeps_its_file(void **state)
{
	struct error *e = NULL;

	begin(NEVER, NEVER);
	world.resume_fails = true;
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_GO_ON, NULL, &e), -EIO);
	assert_non_null(strstr(error_text(e), "It cannot be resumed."));
	assert_non_null(strstr(error_text(e), path));
	assert_true(is_there());
	next_xend();
	assert_true(is_there());
	error_free(&e);
	end();
}

/*
 * The guest has not suspended in time. If it has taken the request, it will suspend some time, and
 * then this xend or the next must know that nobody waits for it.
 */
static void check_too_late(enum takes takes, bool late)
{
	struct error *e = NULL;

	begin(NEVER, NEVER);
	world.takes = takes;
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_STOP, NULL, &e), -ETIMEDOUT);
	assert_false(is_there());
	assert_string_equal(world.request, "");
	assert_int_equal(guest.suspends_late, late);
	assert_int_equal(world.disk.suspends_late, late);
	error_free(&e);
	world.suspended = true;
	assert_int_equal(freeze_go_on(&guest, NULL), 0);
	assert_false(world.suspended);
	assert_false(guest.suspends_late);
	assert_false(world.disk.suspends_late);
	end();
}

static void test_a_guest_that_suspends_too_late_is_known(void **state)
{
	check_too_late(TAKES_LATE, true);
	check_too_late(NEVER_TAKES, false);
}

/* Nobody ever writes into a FIFO; a directory is no saved domain either. */
static void test_a_fifo_is_no_saved_domain(void **state)
{
	struct error *e = NULL;
	struct saved saved;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(save_open(path, &saved, &e), -ENOEXEC);
	assert_non_null(strstr(error_text(e), "is no file"));
	error_free(&e);
	unlink(path);
	assert_int_equal(save_open(directory, &saved, NULL), -ENOEXEC);
	assert_int_equal(save_open("/no/such", &saved, NULL), -ENOENT);
}

/* It could only wait until the guest does not suspend. */
static void test_a_guest_that_xenstore_does_not_know_is_not_asked(void **state)
{
	begin(NEVER, NEVER);
	put("XENOLITH, an old one");
	world.new_xenstored = true;
	guest.goal = GOAL_SUSPENDED;
	assert_int_equal(domain_save(&guest, path, SAVE_THEN_STOP, NULL, NULL), -EIO);
	world.new_xenstored = false;
	assert_null(world.request);
	assert_true(guest.state == DOMAIN_RUNNING && guest.goal == GOAL_REST);
	next_xend();
	assert_true(is_old("XENOLITH, an old one"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_that_is_not_written_loses_nothing),
		cmocka_unit_test(test_a_draft_has_the_name_of_its_domain),
		cmocka_unit_test(test_a_saved_domain_is_replaced_when_the_new_file_is_complete),
		cmocka_unit_test(test_a_save_that_fails_leaves_the_old_file),
		cmocka_unit_test(test_a_paused_guest_is_refused_at_once),
		cmocka_unit_test(test_what_is_no_saved_domain_is_not_replaced),
		cmocka_unit_test(test_a_guest_that_goes_on_is_said_to_run),
		cmocka_unit_test(test_a_guest_goes_on_as_its_kernel_can),
		cmocka_unit_test(test_a_guest_that_does_not_go_on_keeps_its_file),
		cmocka_unit_test(test_a_guest_that_suspends_too_late_is_known),
		cmocka_unit_test(test_a_guest_that_xenstore_does_not_know_is_not_asked),
		cmocka_unit_test(test_a_fifo_is_no_saved_domain),
	};
	int rc;

	log_set_stderr(0);
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/saved", directory);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(world.disk.saving_to);
	free(world.request);
	rmdir(directory);
	return rc;
}
