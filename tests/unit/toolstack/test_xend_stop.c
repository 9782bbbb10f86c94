/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/affinity.c toolstack/xend/domain/boot.c toolstack/xend/domain/fill.c toolstack/xend/device/device.c toolstack/xend/device/device_start.c toolstack/xend/device/device_stop.c toolstack/xend/device/guest_end.c toolstack/xend/device/driver_domain.c tests/unit/toolstack/no_qemu.c toolstack/xend/domain/domain.c toolstack/xend/domain/move.c toolstack/xend/domain/layout.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
/*
 * While a domain is made or taken apart, somebody destroys it and makes another domain with its
 * number, at each of the points where xend waits. From then on xend may do nothing by that number.
 * The code under test is real; the hypervisor, xenstore and everything that waits are fakes.
 */
#include "xend/domain/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "config/schema.h"
#include "lib/log.h"
#include "xend/domain/balloon.h"
#include "xend/domain/bootloader.h"
#include "xend/console/console.h"
#include "xend/domain/guests.h"
#include "xend/domain/destroy.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/device/disk_late.h"
#include "xend/device/disk_script.h"
#include "xend/device/hotplug.h"
#include "xend/domain/layout.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/runtime/request.h"
#include "xend/domain/screen.h"
#include "xend/domain/worker.h"
#include "xend/xend.h"
#include "unit.h"

#define NUMBER 4321
#define TEXT   "4321"

enum owner { NOBODY, OWN, STRANGER };

static struct {
	enum owner owner;
	unsigned int waits, taken_at; /* 0: never */
	unsigned int acts;
	int info_error, destroy_error, unpause_error, limit_error, claim_error;
	unsigned int limits, claims, workers;
	bool memory_is_held, held_for_worker;  /* balloon_reserve() to balloon_release() */
	uint64_t lent_kb;		       /* what Domain-0 gave and has not got back */
	bool worker_forgets;		       /* its answer lacks a key */
	unsigned int records, record_fails_at; /* 0: never */
	bool shut_down;
	unsigned int disk_is_held; /* for so many tries */
	bool removed;		   /* the record */
	const char *failed;
} world;

static struct domain *domain;
static const uint8_t theirs[16] = { 9, 9, 9 };

static void waits(void)
{
	if (++world.waits == world.taken_at)
		world.owner = STRANGER;
}

/* Notes that something was done by the number. */
static void act(const char *what)
{
	world.acts++;
	if (world.owner == STRANGER && !world.failed)
		world.failed = what;
}

static void act_on_path(const char *fmt, va_list ap, const char *what)
{
	char path[STORE_PATH_MAX];

	vsnprintf(path, sizeof(path), fmt, ap);
	if (strstr(path, "/" TEXT))
		act(what);
}

/* --- the hypervisor --- */

static void fill_info(struct hv_domain_info *info)
{
	*info = (struct hv_domain_info){ .domid = NUMBER, .shutdown = world.shut_down };
	memcpy(info->uuid, world.owner == OWN ? domain->uuid : theirs, sizeof(info->uuid));
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	if (world.info_error)
		return error_set(e, world.info_error, "The hypervisor does not say.");
	if (domid != NUMBER || world.owner == NOBODY)
		return error_set(e, ESRCH, "There is none.");
	fill_info(info);
	return 0;
}

int hv_domain_list(struct hv *hv, struct hv_domain_info **list, size_t *count, struct error **e)
{
	*list = calloc(1, sizeof(**list));
	*count = world.owner != NOBODY;
	fill_info(*list);
	return 0;
}

int hv_domain_create(struct hv *hv, const struct hv_domain_spec *spec, uint32_t *domid,
		     struct error **e)
{
	*domid = NUMBER;
	world.owner = OWN;
	return 0;
}

#define ACT(name, ...)                         \
	int name(struct hv *hv, ##__VA_ARGS__) \
	{                                      \
		act(#name);                    \
		return 0;                      \
	}

ACT(hv_domain_pause, uint32_t domid, struct error **e)
ACT(hv_vcpu_set_affinity, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
    struct hv_cpumap *soft, struct error **e)
ACT(hv_sched_get, uint32_t domid, struct hv_credit *credit, struct error **e)
ACT(hv_sched_set, uint32_t domid, const struct hv_credit *credit, struct error **e)

int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e)
{
	act("hv_domain_set_max_mem");
	world.limits++;
	return world.limit_error ? error_set(e, world.limit_error, "There is no limit.") : 0;
}

int hv_memory_claim(struct hv *hv, uint32_t domid, uint64_t pages, struct error **e)
{
	act("hv_memory_claim");
	world.claims++;
	return world.claim_error ? error_set(e, world.claim_error, "There is no claim.") : 0;
}

int hv_domain_unpause(struct hv *hv, uint32_t domid, struct error **e)
{
	act("hv_domain_unpause");
	return world.unpause_error ? error_set(e, world.unpause_error, "It stays paused.") : 0;
}

bool hv_evtchn_leads_to(struct hv *hv, uint32_t domid, uint32_t port, uint32_t remote)
{
	act("hv_evtchn_leads_to");
	return false;
}

int hv_host_physinfo(struct hv *hv, struct xen_sysctl_physinfo *info, struct error **e)
{
	*info = (struct xen_sysctl_physinfo){ .max_cpu_id = 3 };
	return 0;
}

int hv_host_cpu_nodes(struct hv *hv, unsigned int count, uint32_t *nodes, struct error **e)
{
	memset(nodes, 0, count * sizeof(*nodes));
	return 0;
}

int destroy_and_wait(uint32_t domid, const uint8_t uuid[16], struct error **e)
{
	assert_memory_equal(uuid, domain->uuid, 16);
	waits();
	if (world.destroy_error)
		return error_set(e, world.destroy_error, "It is not destroyed.");
	if (world.owner != OWN)
		return error_set(e, ESRCH, "It is gone.");
	act("destroy");
	world.owner = NOBODY;
	waits();
	return 0;
}

/* --- xenstore --- */

static char **list_of(const char *name, unsigned int *count)
{
	char **list = calloc(1, sizeof(char *) + strlen(name) + 1);

	list[0] = (char *)(list + 1);
	strcpy(list[0], name);
	*count = 1;
	return list;
}

char **store_list(unsigned int *count, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	*count = 0;
	if (strcmp(path, "/local/domain/0/backend") == 0)
		return list_of("vbd", count);
	return strcmp(path, "/local/domain/0/backend/vbd/" TEXT) == 0 ? list_of("51712", count) :
									NULL;
}

char *store_read(const char *fmt, ...)
{
	return NULL;
}

/* A backend takes its time to go through all its states. */
uint64_t store_read_number(uint64_t max, uint64_t otherwise, const char *fmt, ...)
{
	return world.waits % 3 == 2 ? 6 : 4;
}

bool store_exists(const char *fmt, ...)
{
	return true;
}

#define ACT_ON_PATH(result, name, value, ...)         \
	result name(__VA_ARGS__ const char *fmt, ...) \
	{                                             \
		va_list ap;                           \
                                                      \
		va_start(ap, fmt);                    \
		act_on_path(fmt, ap, #name);          \
		va_end(ap);                           \
		return value;                         \
	}

ACT_ON_PATH(int, store_remove, 0, )

int store_write(const char *path, const char *fmt, ...)
{
	if (strstr(path, "/" TEXT))
		act("store_write");
	return 0;
}

struct store_batch *store_begin(void)
{
	return NULL;
}

void store_put(struct store_batch *batch, enum store_access access, unsigned int domid,
	       const char *value, const char *path, ...)
{
}

void store_put_number(struct store_batch *batch, enum store_access access, unsigned int domid,
		      uint64_t value, const char *path, ...)
{
}

void store_drop(struct store_batch *batch, const char *path, ...)
{
}

void store_absent(struct store_batch *batch, const char *path, ...)
{
}

void store_set(struct store_batch *batch, uint64_t value, const char *path, ...)
{
}

void store_batch_later(struct store_batch *batch, bool later)
{
}

void store_batch_serve(struct store_batch *batch, unsigned int domid)
{
}

void store_discard(struct store_batch *batch)
{
}

int store_commit(struct store_batch *batch, struct error **e)
{
	act("store_commit");
	return 0;
}

int store_commit_unseen(struct store_batch *batch, struct error **e)
{
	act("store_commit_unseen");
	return 0;
}

int store_introduce(unsigned int domid, uint64_t mfn, uint32_t port, struct error **e)
{
	act("store_introduce");
	return 0;
}

void store_release(unsigned int domid)
{
	act("store_release");
}

struct store_watch *store_watch(void (*changed)(void *arg), void *arg, const char *fmt, ...)
{
	return NULL;
}

void store_unwatch(struct store_watch *watch)
{
}

/* --- tasks, and what waits --- */

int task_wait(uint64_t deadline)
{
	waits();
	return 0;
}

int task_sleep(uint64_t ms)
{
	waits();
	return 0;
}

bool task_shield(bool on)
{
	return false;
}

uint64_t task_now(void)
{
	return world.waits;
}

uint64_t task_deadline(uint64_t after_ms)
{
	return after_ms;
}

struct task *task_current(void)
{
	return NULL;
}

void task_wake(struct task *task)
{
}

void cond_init(struct cond *cond)
{
	TAILQ_INIT(&cond->waiters);
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	return 0;
}

void cond_wake(struct cond *cond)
{
}

int balloon_reserve(uint64_t kb, struct balloon_loan *loan, struct error **e)
{
	waits();
	world.memory_is_held = true;
	world.lent_kb = loan->kb = 4096;
	return 0;
}

void balloon_give_back(struct balloon_loan *loan)
{
	/* Before that, its memory is not free. */
	assert_true(world.owner != OWN);
	world.lent_kb -= loan->kb;
	loan->kb = 0;
}

void balloon_keep(struct balloon_loan *loan)
{
	loan->kb = 0;
}

void balloon_release(void)
{
	assert_true(world.memory_is_held);
	world.memory_is_held = false;
}

uint64_t balloon_overhead_kb(uint64_t memory_kb, unsigned int vcpus)
{
	return 0;
}

void worker_name_domain(struct json_object *order, const struct domain *its)
{
}

int worker_run(struct json_object *order, int fd, struct request *asker,
	       struct json_object **result, struct error **e)
{
	act("worker_run");
	world.workers++;
	world.held_for_worker = world.memory_is_held;
	waits();
	*result = json_new_object();
	json_set_int(*result, "store_mfn", 1);
	json_set_int(*result, "store_port", 1);
	if (!world.worker_forgets)
		json_set_int(*result, "console_mfn", 2);
	json_set_int(*result, "console_port", 2);
	return 0;
}

int screen_put(const struct domain *its, struct store_batch *batch, struct error **e)
{
	return 0;
}

int screen_start(struct domain *its, struct request *asker, struct error **e)
{
	return 0;
}

int bootloader_put(const struct domain *its, struct json_object *order, struct error **e)
{
	return 0;
}

int console_open_boot(struct domain *its, int *fd, struct error **e)
{
	return 0;
}

int console_attach(struct domain *its, struct error **e)
{
	act("console_attach");
	return 0;
}

void console_detach(struct domain *its)
{
}

void hotplug_vif_undo(int domid, unsigned int devid)
{
	act("hotplug_vif_undo");
	waits();
}

void disk_late_mark(int domid, unsigned int devid)
{
	act("disk_late_mark");
}

int disk_late_leave_number(struct domain *its, struct error **e)
{
	waits();
	return 0;
}

void disk_late_make_room(const struct device *device)
{
}

void disk_script_undo(int domid, unsigned int devid)
{
	act("disk_script_undo");
	waits();
}

static void undo(struct device *device)
{
	act("undo");
	waits();
}

/* A script writes to the backend's directory, then runs. */
static int prepare(struct device *device, struct error **e)
{
	act("prepare");
	waits();
	if (world.disk_is_held) {
		world.disk_is_held--;
		return error_set(e, EADDRINUSE, "Its old backend has the disk.");
	}
	return 0;
}

static int complete(struct device *device, struct error **e)
{
	act("complete");
	waits();
	return 0;
}

static void put(const struct device *device, struct store_batch *batch, const char *directory)
{
}

void disk_chain_free(struct disk_chain *chain)
{
}

const struct device_ops device_vbd_ops = { .class = "vbd",
					   .schema = &config_disk_schema,
					   .prepare = prepare,
					   .complete = complete,
					   .put_back = put,
					   .put_front = put,
					   .undo = undo };
const struct device_ops device_vif_ops = { .class = "vif",
					   .schema = &config_vif_schema,
					   .prepare = prepare,
					   .complete = complete,
					   .put_back = put,
					   .put_front = put,
					   .undo = undo };

int record_write(struct domain *its, struct error **e)
{
	waits();
	return ++world.records == world.record_fails_at ?
		       error_set(e, ENOSPC, "The disk is full.") :
		       0;
}

void record_write_anyway(struct domain *its)
{
	record_write(its, NULL);
}

void record_remove_anyway(struct domain *its)
{
	waits();
	world.removed = true;
}

void files_close(int fd)
{
}

int recover_wait(struct request *asker, struct error **e)
{
	waits();
	return 0;
}

int guests_allow_boot(const struct domain *domain, struct error **e)
{
	return 0;
}

void request_progress(struct request *request, const char *stage, uint64_t done, uint64_t total)
{
}

bool xend_is_stopping(void)
{
	return false;
}

void lifecycle_check(struct domain *its)
{
}

void lifecycle_observe(struct domain *its, const struct hv_domain_info *info)
{
}

/* --- tests --- */

static struct device *give_device(const struct device_ops *ops, unsigned int devid)
{
	struct device *device = calloc(1, sizeof(*device));

	*device = (struct device){ .domain = domain, .ops = ops, .devid = devid, .loop_fd = -1 };
	TAILQ_INSERT_TAIL(&domain->devices, device, link);
	return device;
}

static void begin(bool ours, enum owner owner, unsigned int taken_at)
{
	static const uint8_t uuid[16] = { 1, 2, 3 };
	static const char disks[] = "[{\"vdev\":\"xvda\",\"target\":\"/d\"}]";
	struct json_object *o = json_new_object();
	struct error *e = NULL;

	memset(&world, 0, sizeof(world));
	world.owner = owner;
	world.taken_at = taken_at;
	domain = domain_ref(domain_add("g", uuid));
	json_set_string(o, "name", "g");
	json_set_string(o, "kernel", "/k");
	json_set_string(o, "cpus", "0");
	json_set_int(o, "cpu_weight", 100);
	json_set(o, "disk", json_parse(disks, strlen(disks), NULL));
	json_set(o, "vif", json_parse("[{}]", 4, NULL));
	domain->config = config_from_json(o, &e);
	assert_string_equal(error_text(e), "No error.");
	json_object_put(o);
	domain->ours = ours;
	domain->domid = NUMBER;
	domain->state = DOMAIN_RUNNING;
	give_device(&device_vbd_ops, 51712);
	give_device(&device_vif_ops, 0);
}

static void end(void)
{
	domain_remove(domain);
	domain_unref(domain);
}

static void check_nothing_was_done_to_the_stranger(void)
{
	if (world.failed)
		print_message("at wait %u: %s\n", world.taken_at, world.failed);
	assert_null(world.failed);
}

static void test_the_number_is_taken_at_any_wait(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		unsigned int all = 1;

		for (unsigned int at = 0; at <= all; at++) {
			begin(ours, OWN, at);
			assert_int_equal(domain_tear_down(domain, NULL), 0);
			check_nothing_was_done_to_the_stranger();
			assert_int_equal(domain->domid, -1);
			if (at == 0) {
				all = world.waits;
				assert_true(all >= 5);
				assert_true(world.acts >= 10);
				assert_int_equal(world.owner, NOBODY);
			}
			domain_settle(domain);
			end();
		}
	}
}

static void test_a_number_that_was_taken_before(void **state)
{
	begin(true, STRANGER, 0);
	assert_int_equal(domain_tear_down(domain, NULL), 0);
	check_nothing_was_done_to_the_stranger();
	assert_int_equal(world.owner, STRANGER);
	end();
}

static void test_what_is_left_of_a_domain_that_is_gone_is_taken_away(void **state)
{
	begin(true, NOBODY, 0);
	assert_int_equal(domain_tear_down(domain, NULL), 0);
	assert_true(world.acts >= 8);
	end();
}

static void test_a_hypervisor_that_does_not_answer_does_not_say_that_it_is_gone(void **state)
{
	static const int errors[] = { EPERM,  ENOSYS, EINTR,  EACCES, EFAULT,
				      ENOMEM, EIO,    ENODEV, EBADF };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		begin(true, OWN, 0);
		world.info_error = errors[i];
		assert_int_equal(domain_tear_down(domain, NULL), -errors[i]);
		domain_settle(domain);
		assert_int_equal(world.acts, 0);
		assert_int_equal(domain->domid, NUMBER);
		assert_int_equal(domain->state, DOMAIN_RUNNING);
		assert_false(world.removed);
		end();
	}
}

/* The destroy fails, because there is no descriptor or thread, say. This xend or the next can try
 * again. */
static void test_a_domain_that_is_not_destroyed_is_not_forgotten(void **state)
{
	begin(true, OWN, 0);
	world.destroy_error = EMFILE;
	assert_int_equal(domain_tear_down(domain, NULL), -EMFILE);
	domain_settle(domain);
	assert_int_equal(domain->domid, NUMBER);
	assert_int_equal(domain->state, DOMAIN_DYING);
	assert_false(world.removed);
	assert_false(domain->gone);
	world.destroy_error = 0;
	assert_int_equal(domain_tear_down(domain, NULL), 0);
	domain_settle(domain);
	assert_true(world.removed);
	end();
}

static void test_the_number_is_taken_while_it_is_made(void **state)
{
	struct boot boot = { .image_fd = -1 };
	unsigned int all = 1;

	for (unsigned int at = 0; at <= all; at++) {
		int rc;

		begin(true, NOBODY, at);
		domain->domid = -1;
		rc = domain_boot(domain, &boot, NULL);
		check_nothing_was_done_to_the_stranger();
		if (at == 0) {
			all = world.waits;
			assert_true(all >= 4);
			assert_int_equal(rc, 0);
		}
		/* Two of the waits come before the domain is made, one after it runs. */
		assert_int_equal(rc == 0, at <= 2 || at == all);
		assert_int_equal(world.lent_kb, rc == 0 ? 4096 : 0);
		end();
	}
}

/* A rename may have waited for the domain's lock meanwhile. */
static void test_a_new_name_is_written_to_its_own_nodes_only(void **state)
{
	begin(true, OWN, 0);
	assert_int_equal(layout_rename(domain, NULL), 0);
	assert_int_equal(world.acts, 1);
	end();
	begin(true, STRANGER, 0);
	assert_int_equal(layout_rename(domain, NULL), 0);
	check_nothing_was_done_to_the_stranger();
	end();
	begin(true, NOBODY, 0);
	assert_int_equal(layout_rename(domain, NULL), 0);
	assert_int_equal(world.acts, 0);
	end();
	begin(true, OWN, 0);
	world.info_error = EIO;
	assert_int_equal(layout_rename(domain, NULL), -EIO);
	assert_int_equal(world.acts, 0);
	end();
}

/*
 * A domain that runs goes only once its record says so. One that has ended by itself may go in any
 * case, unless it is to start again.
 */
static void check_end_without_record(bool shut_down, enum domain_goal goal, bool goes)
{
	struct error *e = NULL;

	begin(true, OWN, 0);
	world.shut_down = shut_down;
	world.record_fails_at = 1;
	domain->goal = goal;
	assert_int_equal(domain_tear_down(domain, &e), goes ? 0 : -ENOSPC);
	if (goes) {
		assert_int_equal(world.owner, NOBODY);
	} else {
		assert_non_null(strstr(error_text(e), "left as it is: The disk is full."));
		assert_int_equal(world.acts, 0);
		assert_int_equal(domain->state, DOMAIN_RUNNING);
		assert_int_equal(domain->domid, NUMBER);
		/* The disk has room again. */
		assert_int_equal(domain_tear_down(domain, NULL), 0);
		assert_int_equal(world.owner, NOBODY);
	}
	error_free(&e);
	end();
}

static void test_nothing_is_destroyed_before_the_record_says_so(void **state)
{
	check_end_without_record(false, GOAL_REST, false);
	check_end_without_record(false, GOAL_RESTART, false);
	check_end_without_record(true, GOAL_RESTART, false);
	check_end_without_record(true, GOAL_REST, true);
}

static void test_a_reset_without_a_record_leaves_the_domain(void **state)
{
	begin(true, OWN, 0);
	world.record_fails_at = 1;
	assert_int_equal(domain_restart(domain, NULL, NULL), -ENOSPC);
	assert_int_equal(world.acts, 0);
	assert_int_equal(domain->goal, GOAL_REST);
	assert_int_equal(domain->state, DOMAIN_RUNNING);
	end();
}

/* A domain that reboots waits for the disk of its own old backend; but not for ever. */
static void test_a_reboot_waits_for_its_disk(void **state)
{
	begin(true, OWN, 0);
	world.disk_is_held = 3;
	assert_int_equal(domain_restart(domain, NULL, NULL), 0);
	assert_int_equal(domain->state, DOMAIN_RUNNING);
	assert_null(domain->reason);
	end();
	begin(true, OWN, 0);
	domain->managed = true;
	world.disk_is_held = 1000;
	assert_int_equal(domain_restart(domain, NULL, NULL), -EADDRINUSE);
	assert_int_equal(domain->state, DOMAIN_HALTED);
	assert_non_null(strstr(domain->reason, "has the disk"));
	end();
}

/* A domain that does not start follows its goal: its memory is still in a file, or it
 * starts again. */
static void check_goal_after_failure(enum domain_goal goal, unsigned int record_fails_at,
				     int unpause_error)
{
	struct boot boot = { .image_fd = -1 };

	begin(true, NOBODY, 0);
	world.record_fails_at = record_fails_at;
	world.unpause_error = unpause_error;
	domain->domid = -1;
	domain->managed = true;
	domain->goal = goal;
	assert_true(domain_boot(domain, &boot, NULL) < 0);
	assert_int_equal(domain->goal, goal);
	domain_settle(domain);
	assert_int_equal(domain->state, goal == GOAL_SUSPENDED ? DOMAIN_SUSPENDED : DOMAIN_HALTED);
	end();
}

static void test_a_domain_that_does_not_start_keeps_its_goal(void **state)
{
	struct boot boot = { .image_fd = -1 };
	unsigned int records;

	begin(true, NOBODY, 0);
	domain->domid = -1;
	domain->goal = GOAL_SUSPENDED;
	assert_int_equal(domain_boot(domain, &boot, NULL), 0);
	assert_int_equal(domain->goal, GOAL_REST);
	records = world.records;
	/* The last one only says that the pause is over. */
	assert_true(records >= 4);
	end();
	/* One that has moved does not start here. */
	for (int goal = GOAL_REST; goal <= GOAL_SUSPENDED; goal++) {
		for (unsigned int at = 1; at < records; at++)
			check_goal_after_failure((enum domain_goal)goal, at, 0);
		check_goal_after_failure((enum domain_goal)goal, 0, EIO);
	}
}

/* Also for a caller that wants no sentence. */
static void test_a_worker_whose_answer_lacks_a_key_has_failed(void **state)
{
	struct boot boot = { .image_fd = -1 };

	begin(true, NOBODY, 0);
	world.worker_forgets = true;
	domain->domid = -1;
	assert_int_equal(domain_boot(domain, &boot, NULL), -ENOENT);
	assert_int_equal(domain->domid, -1);
	end();
}

/* Limit and claim are set once, for a boot and a restore, and a failure gives all back. */
static void test_memory_is_limited_and_claimed_once(void **state)
{
	static const struct {
		int limit_error, claim_error, rc;
		unsigned int claims;
		bool held_for_worker;
	} rows[] = {
		{ 0, 0, 0, 2, false }, /* the second one gives back what was not used */
		{ EPERM, 0, -EPERM, 0, false },
		{ 0, ENOMEM, -ENOMEM, 1, false },
		{ 0, EOPNOTSUPP, 0, 1, true },
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct domain_size size = { 1024, 4096, 4096, 1 };
		struct boot boot = { .image_fd = i % 2 ? 5 : -1, .size = i % 2 ? &size : NULL };

		begin(true, NOBODY, 0);
		world.limit_error = rows[i / 2].limit_error;
		world.claim_error = rows[i / 2].claim_error;
		domain->domid = -1;
		assert_int_equal(domain_boot(domain, &boot, NULL), rows[i / 2].rc);
		assert_int_equal(world.limits, 1);
		assert_int_equal(world.claims, rows[i / 2].claims);
		assert_int_equal(world.workers, rows[i / 2].rc == 0);
		assert_int_equal(world.held_for_worker, rows[i / 2].held_for_worker);
		assert_false(world.memory_is_held);
		assert_int_equal(domain->domid, rows[i / 2].rc ? -1 : NUMBER);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_number_is_taken_at_any_wait),
		cmocka_unit_test(test_a_number_that_was_taken_before),
		cmocka_unit_test(test_what_is_left_of_a_domain_that_is_gone_is_taken_away),
		cmocka_unit_test(
			test_a_hypervisor_that_does_not_answer_does_not_say_that_it_is_gone),
		cmocka_unit_test(test_a_domain_that_is_not_destroyed_is_not_forgotten),
		cmocka_unit_test(test_the_number_is_taken_while_it_is_made),
		cmocka_unit_test(test_memory_is_limited_and_claimed_once),
		cmocka_unit_test(test_a_worker_whose_answer_lacks_a_key_has_failed),
		cmocka_unit_test(test_a_new_name_is_written_to_its_own_nodes_only),
		cmocka_unit_test(test_nothing_is_destroyed_before_the_record_says_so),
		cmocka_unit_test(test_a_reset_without_a_record_leaves_the_domain),
		cmocka_unit_test(test_a_reboot_waits_for_its_disk),
		cmocka_unit_test(test_a_domain_that_does_not_start_keeps_its_goal),
	};

	log_set_stderr(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
