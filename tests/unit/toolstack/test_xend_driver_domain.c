/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/backend_watch.c toolstack/xend/device/device.c toolstack/xend/device/device_list.c toolstack/xend/device/device_start.c toolstack/xend/device/device_stop.c toolstack/xend/device/guest_end.c toolstack/xend/device/device_vbd.c toolstack/xend/device/disk_late.c toolstack/xend/device/disk_script.c toolstack/xend/device/driver_domain.c toolstack/xend/device/disk_strangers.c toolstack/xend/device/disk_survey.c toolstack/xend/device/disk_use.c toolstack/xend/device/disk_image.c toolstack/xend/device/disk_qemu.c tests/unit/toolstack/no_qemu.c tests/unit/toolstack/fake_store.c tests/unit/toolstack/disk_world.c tests/unit/toolstack/no_waits.c toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_claims.c toolstack/xend/device/disk_fd.c toolstack/xend/device/disk_graph.c toolstack/xend/domain/domain.c toolstack/xend/domain/move.c toolstack/xend/domain/acquire.c toolstack/xend/server/method_device.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
/* Disks that another domain serves, or fails to serve. */
#include "disk_world.h"

#include <stdio.h>
#include <string.h>

static void attach_served(const char *backend, const char *words)
{
	struct json_object *o = disk("/dev/theirs", "xvda", "w");

	json_set_string(o, "backend", backend);
	ask(XEND_M_DEVICE_ATTACH, first, o, NULL, words);
}

static void test_a_disk_of_a_driver_domain(void **state)
{
	world.driver = SERVES;
	attach_served("second", NULL);
	assert_int_equal(device_by_id(first, "vbd", XVDA)->host, SECOND);
	assert_string_equal(node_get(SERVED "/frontend"), "/local/domain/11/device/vbd/51712");
	assert_string_equal(node_get(SERVED "/params"), "/dev/theirs");
	assert_string_equal(node_get("/local/domain/11/device/vbd/51712/backend"), SERVED);
	assert_string_equal(node_get("/local/domain/11/device/vbd/51712/backend-id"), "12");
	assert_string_equal(node_get("/libxl/11/device/vbd/51712/backend"), SERVED);
	assert_non_null(strstr(world.record, "\"host\": 12"));
	assert_true(devices_agree(first));
	/* The driver domain owns its directory, and takes no disk out of another's configuration.
	 */
	node_set(SERVED "/online", "0");
	devices_reconcile(first);
	assert_true(devices_agree(first) && first->config->nr_disk == 1);
	node_set(SERVED "/online", "1");
	/* It is another disk than Domain-0's of the same path. */
	attach(first, disk_a, "xvdb", NULL);
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvdb", NULL);
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	assert_false(node_is_there(SERVED));
	assert_false(node_is_there("/libxl/11/device/vbd/51712"));
	nothing_is_left_of(FIRST);
	assert_true(world.now < 2000);
}

static void test_a_driver_domain_that_does_not_serve(void **state)
{
	static const struct {
		int driver;
		const char *words;
	} rows[] = {
		{ SILENT, "its kernel does not answer. Has it the module xen-blkback?" },
		{ REFUSES, "it reports: no?[31m disk." },
		{ FINDS_NOTHING, "found no such block device or file" },
		{ DIES, "it has ended" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.driver = rows[i].driver;
		attach_served("12", rows[i].words);
		assert_false(node_is_there(SERVED));
		assert_false(node_is_there("/libxl/11/device/vbd/51712"));
		nothing_is_left_of(FIRST);
		assert_true(TAILQ_EMPTY(&first->devices));
	}
	attach_served("second", "does not run: start it first");
	attach_served("first", "is the domain itself");
	attach_served("nobody", "The domain 'nobody', which is to serve a disk of domain 'first', "
				"does not exist");
	assert_false(node_is_there("/local/domain/11/device"));
}

/* What an attach has left that was killed, and a driver domain that does not let go. */
static void test_a_half_attached_disk_of_a_driver_domain(void **state)
{
	node_set("/libxl/11/device/vbd/51712/backend", SERVED);
	node_set(SERVED "/state", "2");
	node_set(SERVED "/online", "1");
	node_set(SERVED "/hotplug-status", "connected");
	/* Nodes of others, and such as nobody writes, mean nothing. */
	node_set("/libxl/11/device/vbd/51728/backend", "/local/domain/0/backend/vbd/11/51728");
	node_set("/libxl/11/device/vbd/51744/backend", "/local/domain/12/backend/vbd/13/51744");
	node_set("/libxl/11/device/vbd/51760/backend", "/local/domain/12/../vbd/11/51760");
	assert_false(devices_agree(first));
	devices_reconcile(first);
	assert_false(node_is_there(SERVED));
	assert_true(node_is_there("/libxl/11/device/vbd/51728"));
	assert_true(devices_agree(first));
	assert_true(world.now < 20000);
}

/* It has begun to connect the disk when xend is killed: it must see that the disk goes. */
static void test_a_driver_domain_that_is_still_at_work(void **state)
{
	world.driver = AT_WORK;
	node_set("/libxl/11/device/vbd/51712/backend", SERVED);
	node_set(SERVED "/state", "2");
	node_set(SERVED "/online", "1");
	devices_reconcile(first);
	assert_true(world.driver_undid);
	assert_false(node_is_there(SERVED));
	assert_true(devices_agree(first));
	assert_true(world.now < 4000);
}

/* The kernel there does not close the disk, and the script's setup is undone all the same. */
static void test_a_disk_that_is_not_closed_is_undone(void **state)
{
	world.driver = UNBOUND;
	node_set("/libxl/11/device/vbd/51712/backend", SERVED);
	node_set(SERVED "/state", "1");
	node_set(SERVED "/online", "1");
	devices_reconcile(first);
	assert_true(world.driver_undid);
	assert_false(node_is_there(SERVED));
	assert_true(devices_agree(first));
	assert_true(world.now < 12000);
}

static void test_a_driver_domain_ends_before_its_guest(void **state)
{
	world.driver = SERVES;
	attach_served("second", NULL);
	world.driver = DIES;
	step();
	/* The device stays its guest's: served again when both start anew. */
	assert_true(devices_agree(first));
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	nothing_is_left_of(FIRST);
	assert_true(world.now < 2000);
}

static void put_served(int host, unsigned int devid, const char *state)
{
	char path[100], back[80];

	snprintf(back, sizeof(back), "/local/domain/%d/backend/vbd/11/%u", host, devid);
	snprintf(path, sizeof(path), "/libxl/11/device/vbd/%u/backend", devid);
	node_set(path, back);
	snprintf(path, sizeof(path), "%s/state", back);
	node_set(path, state);
	snprintf(path, sizeof(path), "%s/online", back);
	node_set(path, "1");
	snprintf(path, sizeof(path), "%s/hotplug-status", back);
	node_set(path, "connected");
}

/* Its kernel does not close them, or it closes them and nobody there undoes the setup. */
static void check_a_silent_one_is_waited_for_once(const char *state, uint64_t limit,
						  void (*undo)(struct domain *domain))
{
	world.now = 0;
	for (unsigned int i = 0; i < 8; i++)
		put_served(SECOND, XVDA + 16 * i, state);
	undo(first);
	assert_true(world.now >= limit / 2);
	assert_true(world.now < limit);
	assert_false(node_is_there("/libxl/11/device/vbd"));
	assert_false(node_is_there("/local/domain/12/backend/vbd/11"));
	/* Later it may be well again. */
	world.now += 600000;
}

static void test_a_silent_driver_domain_is_waited_for_once(void **state)
{
	check_a_silent_one_is_waited_for_once("4", 17000, devices_stop);
	end(state);
	begin(state);
	check_a_silent_one_is_waited_for_once("6", 25000, devices_stop);
	end(state);
	begin(state);
	/* What recovery does for a guest that runs. */
	check_a_silent_one_is_waited_for_once("4", 17000, devices_reconcile);
	end(state);
	begin(state);
	check_a_silent_one_is_waited_for_once("6", 25000, devices_reconcile);
}

/* It was silent because it hung, and was rebooted for that. */
static void test_a_driver_domain_that_was_started_anew_is_waited_for_again(void **state)
{
	second->domid = 10;
	put_served(10, XVDA, "4");
	devices_stop(first);
	assert_in_range(world.now, 14000, 15000);
	second->domid = SECOND;
	put_served(SECOND, XVDA, "4");
	devices_stop(first);
	assert_in_range(world.now, 28000, 30000);
}

/* xend was killed in a detach. The guest and the driver domain went on, to the end. */
static void test_a_detach_is_asked_for_again_that_went_on_without_xend(void **state)
{
	struct error *e = NULL;

	world.driver = SERVES;
	attach_served("second", NULL);
	world.driver = SILENT;
	node_remove(SERVED);
	assert_int_equal(device_detach(first, &device_vbd_ops, "xvda", false, &e), 0);
	assert_true(TAILQ_EMPTY(&first->devices));
	nothing_is_left_of(FIRST);
	assert_false(node_is_there(SERVED));
	assert_true(world.now < 2000);
}

/* The guest has the device still, but cannot give it back to anybody. */
static void check_a_detach_after_the_end(bool leaves_nodes)
{
	struct error *e = NULL;

	world.driver = SERVES;
	attach_served("second", NULL);
	world.driver = SILENT;
	if (!leaves_nodes)
		node_remove("/local/domain/12");
	world.dead[SECOND] = true;
	assert_int_equal(device_detach(first, &device_vbd_ops, "xvda", false, &e), 0);
	assert_true(TAILQ_EMPTY(&first->devices));
	nothing_is_left_of(FIRST);
	assert_false(node_is_there("/libxl/11/device/vbd"));
	assert_false(node_is_there(SERVED));
	assert_true(world.now < 2000);
	error_free(&e);
}

static void test_a_device_is_detached_whose_driver_domain_is_gone(void **state)
{
	check_a_detach_after_the_end(false);
	end(state);
	begin(state);
	check_a_detach_after_the_end(true);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_disk_of_a_driver_domain),
		TEST(test_a_driver_domain_that_does_not_serve),
		TEST(test_a_half_attached_disk_of_a_driver_domain),
		TEST(test_a_driver_domain_that_is_still_at_work),
		TEST(test_a_disk_that_is_not_closed_is_undone),
		TEST(test_a_driver_domain_ends_before_its_guest),
		TEST(test_a_silent_driver_domain_is_waited_for_once),
		TEST(test_a_driver_domain_that_was_started_anew_is_waited_for_again),
		TEST(test_a_detach_is_asked_for_again_that_went_on_without_xend),
		TEST(test_a_device_is_detached_whose_driver_domain_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return disk_world_run(run);
}
