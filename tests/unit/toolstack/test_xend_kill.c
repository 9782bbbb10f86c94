/* SPDX-License-Identifier: MIT */
/*
 * xend is killed at every step of every operation, and the xend that recovers at every step of its
 * recovery. A step is whatever is seen from outside: a hypercall, a record, a file. Each xend is a
 * process of its own, which ends in the middle; the world is memory that they share. What decides
 * is real: boot, save, dump, lifecycle, rename-restart, recovery. The hypervisor, the records,
 * xenstore and devices are fakes.
 */
/* links: tests/unit/toolstack/kill_world.c tests/unit/toolstack/no_waits.c toolstack/xend/domain/boot.c toolstack/xend/domain/fill.c toolstack/xend/domain/corpse.c toolstack/xend/domain/domain.c toolstack/xend/domain/move.c toolstack/xend/domain/dump.c toolstack/xend/domain/lifecycle.c toolstack/xend/domain/recover.c toolstack/xend/domain/recover_plan.c toolstack/xend/domain/resume.c toolstack/xend/domain/freeze.c toolstack/xend/domain/live.c toolstack/xend/domain/measure.c toolstack/xend/domain/save.c toolstack/xend/domain/save_header.c toolstack/xend/runtime/files.c toolstack/xend/runtime/seal.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -lnettle -luv */
#include "kill_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/sched.h>

#include "config/config.h"
#include "lib/log.h"
#include "xend/domain/boot.h"
#include "xend/domain/dump.h"
#include "xend/domain/lifecycle.h"
#include "xend/domain/recover.h"
#include "xend/domain/save.h"

static char directory[] = "/tmp/xend-kill-XXXXXX", path[64], core[64];

/* --- a xend --- */

/* Runs `operation` in a xend of its own, which dies at step `kill_at`. Returns its steps. */
static int run_xend(void (*operation)(void), int kill_at)
{
	pid_t pid;
	int status;

	world->step = 0;
	world->kill_at = NEVER;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		world->kill_at = operation ? NEVER : kill_at;
		if (recover_load(NULL))
			_exit(1);
		recover_run();
		run_tasks();
		if (operation) {
			world->step = 0;
			world->kill_at = kill_at;
			operation();
			run_tasks();
			world->answered = true;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return world->step;
}

/* --- scenarios --- */

static const uint8_t uuid[16] = { 1, 2, 3 };

static struct domain *find(void)
{
	struct domain *domain = domain_by_name("g");

	domain_lock_now(domain, "test");
	return domain;
}

static void begin(enum domain_state state, unsigned int on_crash)
{
	bool runs = state == DOMAIN_RUNNING;

	memset(world, 0, sizeof(*world));
	world->guests[0].exists = world->guests[0].has_vcpus = true;
	world->next_domid = FIRST + 1;
	if (runs) {
		world->guests[FIRST] = (struct machine){
			.exists = true, .has_vcpus = true, .has_devices = true, .ran = true
		};
		memcpy(world->guests[FIRST].uuid, uuid, 16);
		memcpy(world->guests[FIRST].known_as, uuid, 16);
	}
	world->records[0] = (struct record){ .exists = true,
					     .managed = true,
					     .has_devices = runs,
					     .state = state,
					     .domid = runs ? FIRST : -1,
					     .on_crash = on_crash,
					     .name = "g" };
	memcpy(world->records[0].uuid, uuid, 16);
	unlink(path);
	unlink(core);
}

static void begin_halted(void)
{
	begin(DOMAIN_HALTED, CONFIG_RESTART);
}

static void begin_running(void)
{
	begin(DOMAIN_RUNNING, CONFIG_RESTART);
}

static void begin_running_without_the_note(void)
{
	begin_running();
	world->records[0].resumes_afresh = true;
}

static void begin_suspending_late(void)
{
	begin_running_without_the_note();
	world->records[0].suspends_late = true;
}

static void begin_suspended(void)
{
	begin(DOMAIN_SUSPENDED, CONFIG_RESTART);
}

static void begin_running_to_be_kept(void)
{
	begin(DOMAIN_RUNNING, CONFIG_RENAME_RESTART);
}

static void do_start(void)
{
	struct boot boot = { .image_fd = -1 };
	struct domain *domain = find();

	if (domain_boot(domain, &boot, NULL))
		domain_settle(domain);
	domain_unlock(domain);
}

static void do_destroy(void)
{
	struct domain *domain = find();

	domain_tear_down(domain, NULL);
	domain_settle(domain);
	domain_unlock(domain);
}

static void do_reset(void)
{
	struct domain *domain = find();

	domain_restart(domain, NULL, NULL);
	domain_unlock(domain);
}

static void do_save(void)
{
	struct domain *domain = find();

	if (domain_save(domain, path, SAVE_THEN_STOP, NULL, NULL) == 0)
		domain_settle(domain);
	domain_unlock(domain);
}

static void do_save_and_go_on(void)
{
	struct domain *domain = find();

	domain_save(domain, path, SAVE_THEN_GO_ON, NULL, NULL);
	domain_unlock(domain);
}

static void do_suspend(void)
{
	struct domain *domain = find();

	domain->goal = GOAL_SUSPENDED;
	if (domain_save(domain, path, SAVE_THEN_STOP, NULL, NULL) == 0)
		domain_settle(domain);
	domain_unlock(domain);
}

static void do_resume(void)
{
	struct boot boot = { .image_fd = 0 };
	struct domain *domain = find();

	domain->goal = GOAL_SUSPENDED;
	if (domain_boot(domain, &boot, NULL))
		domain_settle(domain);
	domain_unlock(domain);
}

/* The task that this starts handles it. */
static void do_crash(void)
{
	world->guests[FIRST].shut_down = true;
	world->guests[FIRST].reason = SHUTDOWN_crash;
	lifecycle_check(domain_by_name("g"));
}

static void do_suspend_late(void)
{
	world->guests[FIRST].shut_down = true;
	world->guests[FIRST].reason = SHUTDOWN_suspend;
	lifecycle_check(domain_by_name("g"));
}

static void do_dump(void)
{
	struct domain *domain = find();

	dump_core(domain, core, true, NULL, NULL);
	domain_unlock(domain);
}

/* --- what must hold --- */

static const struct machine *running(void)
{
	const struct record *record = record_of(uuid);

	if (!record->exists || record->state != DOMAIN_RUNNING)
		return NULL;
	assert_int_equal(record->goal, GOAL_REST);
	assert_true(record->domid > 0);
	assert_non_null(guest_of((uint32_t)record->domid));
	assert_memory_equal(guest_of((uint32_t)record->domid)->uuid, uuid, 16);
	return guest_of((uint32_t)record->domid);
}

/* Every guest is known, and none stands still, except a corpse. */
static void check_world(void)
{
	/* Domain-0 has what nobody needs. */
	assert_false(world->lent);
	assert_false(world->lost);
	for (uint32_t i = 1; i < MAX_GUESTS; i++) {
		const struct machine *guest = guest_of(i);
		const struct record *record = guest ? record_of(guest->uuid) : NULL;

		if (!guest)
			continue;
		assert_true(record->exists);
		assert_int_equal(record->domid, i);
		assert_int_equal(record->state, DOMAIN_RUNNING);
		assert_false(record->held);
		assert_int_equal(record->has_devices, guest->has_devices);
		assert_int_equal(record->port, guest->port);
		assert_memory_equal(guest->known_as, guest->uuid, 16);
		if (strcmp(record->name, "g") == 0) {
			assert_false(guest->paused);
			assert_false(guest->shut_down);
			assert_true(guest->has_devices);
		}
	}
	for (size_t i = 0; i < MAX_RECORDS; i++)
		if (world->records[i].exists && world->records[i].domid < 0)
			assert_true(world->records[i].state == DOMAIN_HALTED ||
				    world->records[i].state == DOMAIN_SUSPENDED);
}

static bool has_file(void)
{
	return access(path, F_OK) == 0;
}

static void check_runs_or_not(void)
{
	assert_true(running() || !world->answered);
}

static void check_is_gone(void)
{
	assert_true(!running() || !world->answered);
}

static void check_runs(void)
{
	assert_non_null(running());
}

/* Its file and the guest are never both there or both missing. */
static void check_saved(void)
{
	assert_int_equal(has_file(), running() == NULL);
	assert_true(has_file() || !world->answered);
}

static void check_saved_and_runs(void)
{
	assert_non_null(running());
	assert_true(has_file() || !world->answered);
}

static void check_suspended(void)
{
	check_saved();
	if (!running())
		assert_int_equal(record_of(uuid)->state, DOMAIN_SUSPENDED);
}

/* A guest that has run since has changed its disk, which the image does not fit any more. */
static void check_resumed(void)
{
	bool ran = false;

	for (uint32_t i = 1; i < MAX_GUESTS; i++)
		ran = ran || world->guests[i].ran;
	if (running())
		return;
	assert_false(world->answered);
	assert_false(ran);
	assert_int_equal(record_of(uuid)->state, DOMAIN_SUSPENDED);
}

/* A corpse, if there is one, is the guest that crashed. */
static void check_kept(void)
{
	assert_non_null(running());
	if (world->answered)
		assert_non_null(guest_of(FIRST));
	for (size_t i = 0; i < MAX_RECORDS; i++) {
		const struct record *record = &world->records[i];

		if (!record->exists || strcmp(record->name, "g") == 0)
			continue;
		assert_string_equal(record->name, "g-1");
		assert_int_equal(record->domid, FIRST);
		assert_int_equal(record->on_crash, CONFIG_PRESERVE);
	}
}

static const struct scenario {
	const char *name;
	void (*begin)(void), (*run)(void), (*check)(void);
} scenarios[] = {
	{ "start", begin_halted, do_start, check_runs_or_not },
	{ "destroy", begin_running, do_destroy, check_is_gone },
	{ "reset", begin_running, do_reset, check_runs },
	{ "save", begin_running, do_save, check_saved },
	{ "save and go on", begin_running, do_save_and_go_on, check_saved_and_runs },
	{ "save and go on afresh", begin_running_without_the_note, do_save_and_go_on,
	  check_saved_and_runs },
	{ "suspend too late, and go on afresh", begin_suspending_late, do_suspend_late,
	  check_runs },
	{ "suspend", begin_running, do_suspend, check_suspended },
	{ "resume", begin_suspended, do_resume, check_resumed },
	{ "dump", begin_running, do_dump, check_runs },
	{ "crash", begin_running, do_crash, check_runs },
	{ "crash, kept", begin_running_to_be_kept, do_crash, check_kept },
};

static void check(const struct scenario *scenario, int first, int second)
{
	print_message("%s: killed at %d, then at %d\n", scenario->name, first, second);
	check_world();
	scenario->check();
	/* Another start of xend finds nothing to do. */
	if (second == NEVER) {
		run_xend(NULL, NEVER);
		check_world();
		scenario->check();
	}
}

static void run_scenario(const struct scenario *scenario)
{
	int steps, recovery = 0;

	scenario->begin();
	steps = run_xend(scenario->run, NEVER);
	assert_true(steps >= 4);
	check(scenario, NEVER, NEVER);
	for (int first = 0; first < steps; first++) {
		for (int second = NEVER; second < recovery || second == NEVER; second++) {
			scenario->begin();
			run_xend(scenario->run, first);
			if (second != NEVER)
				run_xend(NULL, second);
			if (second == NEVER)
				recovery = run_xend(NULL, NEVER);
			else
				run_xend(NULL, NEVER);
			check(scenario, first, second);
		}
	}
}

static void test_whenever_xend_is_killed_nothing_is_lost(void **state)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		run_scenario(&scenarios[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whenever_xend_is_killed_nothing_is_lost),
	};
	int rc;

	log_set_stderr(0);
	if (!kill_world_make() || !mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/saved", directory);
	snprintf(kill_world_image, sizeof(kill_world_image), "%s/image", directory);
	snprintf(core, sizeof(core), "%s/core", directory);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(core);
	rmdir(directory);
	munmap(world, sizeof(*world));
	return rc;
}
