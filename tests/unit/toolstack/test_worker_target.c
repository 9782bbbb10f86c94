/* SPDX-License-Identifier: MIT */
/* links: toolstack/worker/build/op_build.c toolstack/worker/build/request.c toolstack/worker/target.c toolstack/worker/stream/op_restore.c toolstack/worker/stream/op_save.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * While the worker builds, restores or saves a domain, somebody destroys it and makes another
 * domain with its number, at each of the points where the worker waits. From then on the worker may
 * do nothing by that number. The operations are the real ones; the hypervisor and everything that
 * waits are fakes.
 */
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/build/bootloader.h"
#include "worker/build/guest_memory.h"
#include "worker/build/kernel.h"
#include "lib/pv_start.h"
#include "worker/limits.h"
#include "worker/build/start.h"
#include "worker/stream/restore.h"
#include "worker/stream/save.h"
#include "hv/hv.h"
#include "unit.h"

#define NUMBER 4321
#define UUID   "01020300-0000-0000-0000-000000000000"

static struct {
	bool strangers, gone;
	unsigned int waits, taken_at; /* 0: never */
	unsigned int acts, open;
	const char *failed;
} world;

static void waits(void)
{
	if (++world.waits == world.taken_at)
		world.strangers = true;
}

/* Notes that something was done by the number. */
static int act(const char *what)
{
	world.acts++;
	if ((world.strangers || world.gone) && !world.failed)
		world.failed = what;
	return 0;
}

/* --- the hypervisor --- */

int hv_open(struct hv **hv, struct error **e)
{
	world.open++;
	*hv = (struct hv *)&world;
	return 0;
}

void hv_close(struct hv *hv)
{
	world.open -= hv != NULL;
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	static const uint8_t own[16] = { 1, 2, 3 };

	assert_int_equal(domid, NUMBER);
	if (world.gone)
		return error_set(e, ESRCH, "There is none.");
	*info = (struct hv_domain_info){ .domid = NUMBER };
	if (!world.strangers)
		memcpy(info->uuid, own, sizeof(own));
	return 0;
}

int hv_vcpu_allocate(struct hv *hv, uint32_t domid, unsigned int max_vcpus, struct error **e)
{
	return act("hv_vcpu_allocate");
}

int hv_memory_set_map(struct hv *hv, uint32_t domid, uint64_t bytes, struct error **e)
{
	return act("hv_memory_set_map");
}

int hv_domain_set_tsc(struct hv *hv, uint32_t domid, const struct hv_tsc_info *tsc,
		      struct error **e)
{
	return act("hv_domain_set_tsc");
}

int hv_evtchn_alloc_unbound(struct hv *hv, uint32_t domid, uint32_t remote, uint32_t *port,
			    struct error **e)
{
	return act("hv_evtchn_alloc_unbound");
}

int guest_populate(struct guest *guest, uint64_t nr_pages, guest_progress_fn *progress,
		   struct error **e)
{
	return act("guest_populate");
}

int guest_clear(struct guest *guest, uint64_t from, uint64_t size, struct error **e)
{
	return act("guest_clear");
}

int guest_load(struct guest *guest, uint64_t to, int fd, uint64_t offset, uint64_t size,
	       const char *what, guest_progress_fn *progress, struct error **e)
{
	return act("guest_load");
}

void guest_free(struct guest *guest)
{
}

int pv_start_plan(struct pv_start *s, uint64_t *need, const char **why)
{
	return 0;
}

int start_prepare(struct guest *guest, struct start *start, struct error **e)
{
	return act("start_prepare");
}

int restore_domain(struct restore *r, int fd, struct error **e)
{
	return act("restore_domain");
}

void restore_free(struct restore *r)
{
}

int save_domain(struct hv *hv, uint32_t domid, int fd, save_progress_fn *progress, struct error **e)
{
	return act("save_domain");
}

int save_domain_live(struct hv *hv, uint32_t domid, int fd, struct save_live *live,
		     struct error **e)
{
	return act("save_domain_live");
}

int limits_for_domain(uint64_t pages, struct error **e)
{
	return 0;
}

/* --- what waits --- */

int bootloader_run(struct json_object *order, uint32_t domid, struct bootloader_choice *choice,
		   struct error **e)
{
	waits();
	strcpy(choice->output.kernel, "kernel");
	return 0;
}

void bootloader_free(struct bootloader_choice *choice)
{
}

int kernel_open_in(struct kernel *kernel, int directory, const char *path, const char *cache,
		   struct error **e)
{
	waits();
	return 0;
}

void kernel_close(struct kernel *kernel)
{
}

void worker_progress(const char *stage, uint64_t done, uint64_t total)
{
}

void worker_progress_numbers(const char *stage, uint64_t done, uint64_t total,
			     struct json_object *numbers)
{
	json_object_put(numbers);
}

int worker_ask(const char *what, struct error **e)
{
	waits();
	return 0;
}

/* --- tests --- */

#define SIZE	       ",\"size\":{\"pages\":32768,\"target_kb\":131072,\"static_max_kb\":131072,\"vcpus\":1}"
#define CONFIG(kernel) ",\"config\":{\"name\":\"g\"," kernel "}" SIZE

static const struct {
	worker_op_fn *op;
	const char *more;
	unsigned int waits;
} rows[] = {
	{ op_build, CONFIG("\"kernel\":\"/k\""), 1 },
	{ op_build, CONFIG("\"bootloader\":\"/b\",\"disk\":[]") ",\"bootloader\":{}", 2 },
	{ op_restore, CONFIG("\"kernel\":\"/k\"") ",\"fd\":3", 0 },
	{ op_save, ",\"fd\":3", 0 },
	{ op_save, ",\"fd\":3,\"suspend\":\"xend\"", 1 },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int run(size_t row, const char *uuid, struct error **e)
{
	struct json_object *result = json_new_object(), *request;
	char text[512];
	int rc;

	snprintf(text, sizeof(text), "{\"domid\":%d%s%s%s%s}", NUMBER, uuid ? ",\"uuid\":\"" : "",
		 uuid ? uuid : "", uuid ? "\"" : "", rows[row].more);
	request = json_parse_object(text, strlen(text), e);
	assert_non_null(request);
	rc = rows[row].op(request, result, e);
	json_object_put(request);
	json_object_put(result);
	assert_int_equal(world.open, 0);
	return rc;
}

static void begin(unsigned int taken_at)
{
	memset(&world, 0, sizeof(world));
	world.taken_at = taken_at;
}

static void test_its_own_domain(void **state)
{
	for (size_t row = 0; row < ROWS; row++) {
		for (int named = 0; named < 2; named++) {
			struct error *e = NULL;

			begin(0);
			if (run(row, named ? UUID : NULL, &e))
				fail_msg("row %zu: %s", row, error_text(e));
			assert_true(world.acts > 0);
			assert_int_equal(world.waits, rows[row].waits);
		}
	}
}

static void expect_nothing_done(size_t row, const char *uuid, int errnum)
{
	struct error *e = NULL;

	assert_int_equal(run(row, uuid, &e), -errnum);
	if (world.failed)
		fail_msg("row %zu, taken at wait %u: %s", row, world.taken_at, world.failed);
	error_free(&e);
}

static void test_the_number_is_taken_at_any_wait(void **state)
{
	for (size_t row = 0; row < ROWS; row++) {
		for (unsigned int at = 1; at <= rows[row].waits; at++) {
			begin(at);
			expect_nothing_done(row, UUID, ESRCH);
		}
	}
}

static void test_the_number_is_not_its_own(void **state)
{
	static const char *const others[] = { "", "01", "01020300-0000-0000-0000-000000000001",
					      "nonsense", UUID "00" };

	for (size_t row = 0; row < ROWS; row++) {
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			begin(0);
			world.strangers = true;
			expect_nothing_done(row, UUID, ESRCH);
			begin(0);
			assert_int_equal(run(row, others[i], NULL), -ESRCH);
			assert_int_equal(world.acts, 0);
		}
		begin(0);
		world.gone = true;
		expect_nothing_done(row, UUID, ESRCH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_its_own_domain),
		cmocka_unit_test(test_the_number_is_taken_at_any_wait),
		cmocka_unit_test(test_the_number_is_not_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
