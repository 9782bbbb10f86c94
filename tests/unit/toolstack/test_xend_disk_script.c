/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/backend_watch.c toolstack/xend/device/device.c toolstack/xend/device/device_list.c toolstack/xend/device/device_start.c toolstack/xend/device/device_stop.c toolstack/xend/device/guest_end.c toolstack/xend/device/device_vbd.c toolstack/xend/device/disk_late.c toolstack/xend/device/disk_script.c toolstack/xend/device/driver_domain.c toolstack/xend/device/disk_strangers.c toolstack/xend/device/disk_survey.c toolstack/xend/device/disk_use.c toolstack/xend/device/disk_image.c toolstack/xend/device/disk_qemu.c tests/unit/toolstack/no_qemu.c tests/unit/toolstack/fake_store.c tests/unit/toolstack/disk_world.c tests/unit/toolstack/no_waits.c toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_claims.c toolstack/xend/device/disk_fd.c toolstack/xend/device/disk_graph.c toolstack/xend/domain/domain.c toolstack/xend/domain/move.c toolstack/xend/domain/acquire.c toolstack/xend/server/method_device.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
/* Disks that a script sets up: each setup is undone, whatever has failed or was killed. */
#include "disk_world.h"
#include "xend/device/disk_late.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void attach_script(const char *script, const char *target, const char *words)
{
	struct json_object *o = disk(target, "xvda", "w");

	json_object_object_del(o, "type");
	json_set_string(o, "script", script);
	ask(XEND_M_DEVICE_ATTACH, first, o, NULL, words);
}

static void test_a_script_that_makes_no_block_device_is_undone(void **state)
{
	static const struct {
		const char *number, *path, *words;
		bool fails;
	} rows[] = {
		{ NULL, NULL, "names no block device in " BACK "11/51712", false },
		{ "seven", NULL, "wrote \"seven\" as physical-device", false },
		{ "7:0:0", NULL, "wrote \"7:0:0\"", false },
		{ "fff:fffff", NULL, "no such block device", false },
		{ NULL, "dev/x", "expected an absolute path", false },
		{ NULL, "/nowhere", "No such file or directory", false },
		{ NULL, "/dev/null", "/dev/null is neither a block device nor a file", false },
		{ NULL, disk_a, "which is not the block device 0:0", false },
		{ NULL, NULL, "broken", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&world.script, 0, sizeof(world.script));
		world.script.number = rows[i].number;
		world.script.path = rows[i].path;
		world.script.fails = rows[i].fails;
		attach_script("/bin/true", "some:words", rows[i].words);
		assert_string_equal(world.script.log, "add remove ");
		nothing_is_left_of(FIRST);
		assert_true(TAILQ_EMPTY(&first->devices));
	}
	memset(&world.script, 0, sizeof(world.script));
	attach_script("/bin/no-such-script", "x", "cannot be run: No such file");
	nothing_is_left_of(FIRST);
}

static void test_a_script_is_tried_again_while_the_kernel_closes_its_device(void **state)
{
	world.script.fails = true;
	world.script.busy = 2;
	attach_script("/bin/true", "x", "broken");
	assert_string_equal(world.script.log, "add remove remove remove ");
	nothing_is_left_of(FIRST);
}

/* As a xend leaves it that was killed in the middle: the next one undoes it, once. */
static void test_an_interrupted_script_is_undone_by_its_directory(void **state)
{
	node_set(BACK "11/51712/script", "/bin/true");
	node_set(BACK "11/51712/params", "x");
	node_set(BACK "11/51712/online", "1");
	node_set(BACK "11/51712/state", "2");
	assert_false(devices_agree(first));
	devices_reconcile(first);
	assert_string_equal(world.script.log, "remove ");
	nothing_is_left_of(FIRST);
	assert_true(devices_agree(first));
	devices_stop(first);
	assert_string_equal(world.script.log, "remove ");
}

static void test_scripts_of_network_disks_get_words(void **state)
{
	char script[] = "/tmp/xend-scripts.XXXXXX/block-nbd";

	*strrchr(script, '/') = '\0';
	assert_non_null(mkdtemp(script));
	script[strlen(script)] = '/';
	assert_int_equal(symlink("/bin/true", script), 0);
	world.script.path = "/nowhere";
	attach_script(script, "10.0.0.1:10809", "No such file or directory");
	assert_string_equal(world.script.log, "add:10.0.0.1:10809 remove:/nowhere ");
	unlink(script);
	*strrchr(script, '/') = '\0';
	rmdir(script);
}

/* A disk whose script has set it up, as xenstore and the kernel have it. */
static void put_scripted(void)
{
	node_set(BACK "11/51712/script", "/bin/true");
	node_set(BACK "11/51712/params", "x");
	node_set(BACK "11/51712/online", "1");
	node_set(BACK "11/51712/state", "1");
	step();
	assert_string_equal(node_get(BACK "11/51712/state"), "2");
}

static void first_is_gone(void)
{
	world.dead[FIRST] = true;
	devices_forget(first);
	first->domid = -1;
}

/*
 * The driver works on when xend stops waiting for it: its script can run only once it has let go,
 * which may be after the domain's end.
 */
static void check_a_driver_that_lets_go_late(enum stuck stuck, bool killed)
{
	put_scripted();
	world.stuck = stuck;
	devices_stop(first);
	assert_string_equal(world.script.log, "");
	assert_string_equal(node_get(BACK "11/51712/script"), "/bin/true");
	first_is_gone();
	if (killed) {
		disk_late_stop();
		world.task(NULL);
		world.cancelled = false;
		world.task = NULL;
		disk_late_go_on();
	}
	assert_non_null(world.task);
	world.lets_go_at = world.now + 60000;
	world.task(NULL);
	assert_true(world.now >= 60000);
	assert_string_equal(world.script.log, "remove ");
	nothing_is_left_of(FIRST);
}

static void test_a_script_is_run_when_the_driver_lets_go_late(void **state)
{
	check_a_driver_that_lets_go_late(STAYS, false);
	end(state);
	begin(state);
	check_a_driver_that_lets_go_late(WAITS, false);
	end(state);
	begin(state);
	check_a_driver_that_lets_go_late(CLOSES, false);
	end(state);
	begin(state);
	/* xend is killed meanwhile. */
	check_a_driver_that_lets_go_late(WAITS, true);
}

/* An attach that failed, of a domain that runs on. */
static void test_a_late_disk_makes_room_for_the_next_one(void **state)
{
	put_scripted();
	world.stuck = STAYS;
	devices_reconcile(first);
	assert_string_equal(world.script.log, "");
	attach(first, disk_a, "xvda", "the backend driver has not let go of it yet");
	world.stuck = LETS_GO;
	step();
	attach(first, disk_a, "xvda", NULL);
	assert_string_equal(world.script.log, "remove ");
	assert_false(node_is_there(BACK "11/51712/late"));
	/* The task comes later, and leaves the new disk alone. */
	world.task(NULL);
	assert_string_equal(world.script.log, "remove ");
	assert_string_equal(node_get(BACK "11/51712/params"), disk_a);
}

static void make_another(void)
{
	struct error *e = NULL;

	world.dead[FIRST] = false;
	first->domid = FIRST;
	assert_int_equal(devices_prepare(first, NULL, &e), -ETIMEDOUT);
	assert_non_null(strstr(error_text(e), "a disk of an earlier domain with that number is "
					      "just being taken away"));
	error_free(&e);
	first_is_gone();
}

/* A new domain that gets the number would find its disk undone. */
static void test_a_number_is_not_used_while_a_script_runs_for_it(void **state)
{
	put_scripted();
	world.stuck = STAYS;
	devices_stop(first);
	first_is_gone();
	world.script.meanwhile = make_another;
	world.lets_go_at = world.now + 1000;
	world.task(NULL);
	assert_string_equal(world.script.log, "remove ");
	nothing_is_left_of(FIRST);
}

/* The number is given out again before the task has come to it. */
static void test_a_late_disk_makes_room_for_the_next_domain(void **state)
{
	put_scripted();
	world.stuck = STAYS;
	devices_stop(first);
	devices_forget(first);
	world.stuck = LETS_GO;
	step();
	assert_int_equal(devices_prepare(first, NULL, NULL), 0);
	assert_string_equal(world.script.log, "remove ");
	nothing_is_left_of(FIRST);
	world.task(NULL);
	assert_string_equal(world.script.log, "remove ");
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_script_that_makes_no_block_device_is_undone),
		TEST(test_a_script_is_tried_again_while_the_kernel_closes_its_device),
		TEST(test_an_interrupted_script_is_undone_by_its_directory),
		TEST(test_scripts_of_network_disks_get_words),
		TEST(test_a_script_is_run_when_the_driver_lets_go_late),
		TEST(test_a_late_disk_makes_room_for_the_next_one),
		TEST(test_a_number_is_not_used_while_a_script_runs_for_it),
		TEST(test_a_late_disk_makes_room_for_the_next_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return disk_world_run(run);
}
