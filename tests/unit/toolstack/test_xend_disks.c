/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/backend_watch.c toolstack/xend/device/device.c toolstack/xend/device/device_list.c toolstack/xend/device/device_start.c toolstack/xend/device/device_stop.c toolstack/xend/device/guest_end.c toolstack/xend/device/device_vbd.c toolstack/xend/device/disk_late.c toolstack/xend/device/disk_script.c toolstack/xend/device/driver_domain.c toolstack/xend/device/disk_strangers.c toolstack/xend/device/disk_survey.c toolstack/xend/device/disk_use.c toolstack/xend/device/disk_image.c toolstack/xend/device/disk_qemu.c tests/unit/toolstack/no_qemu.c tests/unit/toolstack/fake_store.c tests/unit/toolstack/disk_world.c tests/unit/toolstack/no_waits.c toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_claims.c toolstack/xend/device/disk_fd.c toolstack/xend/device/disk_graph.c toolstack/xend/domain/domain.c toolstack/xend/domain/move.c toolstack/xend/domain/acquire.c toolstack/xend/server/method_device.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c -luv */
/*
 * Disks are attached and detached while their backend's driver does not let go of them, while the
 * records' file system is full, and after an attach that was killed. Nobody may get a disk that
 * somebody else may still write.
 */
#include "disk_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void test_one_after_the_other(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	attach(first, disk_b, "xvda", "Domain 'first' has a device xvda already.");
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", NULL);
}

/* The domain is destroyed and forgotten while blkback still writes. */
static void check_a_disk_is_in_use_until_the_driver_lets_go_of_it(enum stuck stuck)
{
	attach(first, disk_a, "xvda", NULL);
	world.stuck = stuck;
	devices_stop(first);
	world.dead[FIRST] = true;
	devices_forget(first);
	first->domid = -1;
	domain_remove(first);
	attach(second, disk_a, "xvda",
	       "is gone, but the backend driver in Domain-0 has not let go of it");
	attach(second, disk_b, "xvda", NULL);
	world.stuck = LETS_GO;
	step();
	attach(second, disk_a, "xvdb", NULL);
}

static void test_a_disk_is_in_use_until_the_driver_lets_go_of_it(void **state)
{
	check_a_disk_is_in_use_until_the_driver_lets_go_of_it(STAYS);
	end(state);
	begin(state);
	check_a_disk_is_in_use_until_the_driver_lets_go_of_it(WAITS);
}

/* A dead domain is kept, and a new one takes its place (on_crash = "rename-restart"). */
static void check_it_is_in_use_for_its_own_domain_too(enum stuck stuck)
{
	attach(first, disk_a, "xvda", NULL);
	world.stuck = stuck;
	devices_stop(first);
	devices_forget(first);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	attach(first, disk_a, "xvda", "the backend driver has not let go of it yet");
	attach(first, disk_a, "xvdb", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	step();
	attach(first, disk_a, "xvda", NULL);
}

static void test_it_is_in_use_for_its_own_domain_too(void **state)
{
	check_it_is_in_use_for_its_own_domain_too(STAYS);
	end(state);
	begin(state);
	check_it_is_in_use_for_its_own_domain_too(WAITS);
}

static void check_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(enum stuck stuck)
{
	attach(first, disk_a, "xvda", NULL);
	world.stuck = stuck;
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda",
	    "The backend driver does not let go of the device xvda");
	assert_non_null(device_find(first, &device_vbd_ops, "xvda"));
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	ask(XEND_M_DEVICE_DETACH, first, NULL, "xvda", NULL);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", NULL);
}

static void test_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(void **state)
{
	check_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(STAYS);
	end(state);
	begin(state);
	check_a_disk_that_the_driver_does_not_let_go_of_is_not_detached(WAITS);
}

/* The driver has started on the disk, reports nothing, and does not close it. */
static void check_an_attach_that_cannot_be_undone(enum stuck stuck)
{
	world.deaf = true;
	world.stuck = stuck;
	attach(first, disk_a, "xvda", "xen-blkback does not take the disk xvda");
	assert_null(device_find(first, &device_vbd_ops, "xvda"));
	world.deaf = false;
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	step();
	attach(second, disk_a, "xvda", NULL);
}

static void test_an_attach_that_cannot_be_undone(void **state)
{
	check_an_attach_that_cannot_be_undone(STAYS);
	end(state);
	begin(state);
	check_an_attach_that_cannot_be_undone(WAITS);
}

/* However an attach was interrupted, and however far it got. */
static void test_a_backend_in_no_list_is_a_use(void **state)
{
	static const char *const states[] = { "1", "2", "3", "4", "5", "6" };
	char params[64];

	attach(first, disk_b, "xvda", NULL);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		node_set(BACK "11/51728/params", disk_a);
		node_set(BACK "11/51728/mode", "w");
		node_set(BACK "11/51728/dev", "xvdb");
		node_set(BACK "11/51728/online", "1");
		node_set(BACK "11/51728/state", states[i]);
		attach(second, disk_a, "xvda", "domain 'first' writes it (as xvdb)");
		node_set(BACK "11/51728/online", "0");
		if (i < 5)
			attach(second, disk_a, "xvda", "domain 'first' writes it (as xvdb)");
	}
	/* Now it is closed and gone from the kernel. */
	step();
	attach(second, disk_a, "xvda", NULL);
	ask(XEND_M_DEVICE_DETACH, second, NULL, "xvda", NULL);
	/* A backend of QEMU's, of which only xenstore knows. */
	snprintf(params, sizeof(params), "aio:%s", disk_a);
	node_set("/local/domain/0/backend/qdisk/11/51712/params", params);
	node_set("/local/domain/0/backend/qdisk/11/51712/mode", "w");
	node_set("/local/domain/0/backend/qdisk/11/51712/state", "4");
	attach(second, disk_a, "xvda", "domain 'first' writes it");
}

/* The kernel is not asked which file is below a loop device of xend's own. */
static void test_a_file_is_known_below_its_loop_device(void **state)
{
	world.has_loop = true;
	attach(first, disk_a, "xvda", NULL);
	assert_int_equal(device_by_id(first, "vbd", XVDA)->block_device, LOOP);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	attach(second, disk_b, "xvda", NULL);
}

/* A guest's backends are listed again only when one has changed. */
static void test_backends_that_did_not_change_are_not_listed_again(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	node_reset_lists();
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	assert_int_equal(node_lists(BACK "11"), 1);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	assert_int_equal(node_lists(BACK "11"), 1);
	/* Another toolstack attaches a disk to it. */
	node_set(BACK "11/51728/params", disk_b);
	node_set(BACK "11/51728/mode", "w");
	node_set(BACK "11/51728/online", "1");
	node_set(BACK "11/51728/state", "1");
	attach(second, disk_b, "xvda", "domain 'first' writes it");
	attach(second, disk_b, "xvda", "domain 'first' writes it");
	assert_int_equal(node_lists(BACK "11"), 3);
	/* The driver does not let go of a disk, whose device is forgotten. */
	node_remove(BACK "11/51728");
	node_reset_lists();
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	device_forget(device_by_id(first, "vbd", XVDA));
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	assert_int_equal(node_lists(BACK "11"), 2);
}

/* xenstored has told of the change, but the loop has not come to hear of it. */
static void test_a_backend_is_seen_whose_change_was_not_heard_of_yet(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	node_hold_events(true);
	node_set(BACK "11/51728/params", disk_b);
	node_set(BACK "11/51728/mode", "w");
	node_set(BACK "11/51728/online", "1");
	node_set(BACK "11/51728/state", "1");
	attach(second, disk_b, "xvda", "domain 'first' writes it");
	node_hold_events(false);
}

/* Its number is given out again before the driver has let go. */
static void test_a_number_whose_disk_is_still_held_is_not_used(void **state)
{
	struct error *e = NULL;

	attach(first, disk_a, "xvda", NULL);
	world.stuck = STAYS;
	devices_stop(first);
	devices_forget(first);
	assert_int_equal(devices_prepare(first, NULL, &e), -EBUSY);
	assert_non_null(strstr(error_text(e), "has not let go of the disk 51712"));
	error_free(&e);
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	world.stuck = LETS_GO;
	step();
	assert_int_equal(devices_prepare(first, NULL, NULL), 0);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", NULL);
}

static void test_attach_waits_for_recovery(void **state)
{
	world.no_recovery = true;
	attach(first, disk_a, "xvda", "xend was stopped");
	nothing_is_left_of(FIRST);
	world.no_recovery = false;
	attach(first, disk_a, "xvda", NULL);
	world.no_recovery = true;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL, "xend was stopped");
	assert_string_equal(node_get(BACK "11/51712/params"), disk_a);
	world.no_recovery = false;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL, NULL);
	assert_string_equal(node_get(BACK "11/51712/params"), disk_b);
}

static void test_what_is_not_recorded_is_not_attached(void **state)
{
	world.disk_full = true;
	attach(first, disk_a, "xvda",
	       "The device xvda was not attached to domain 'first': Cannot write the record");
	assert_true(TAILQ_EMPTY(&first->devices));
	assert_int_equal(first->config->nr_disk, 0);
	nothing_is_left_of(FIRST);
	attach(second, disk_a, "xvda", "No space left on device");
	world.disk_full = false;
	attach(second, disk_a, "xvda", NULL);
	assert_non_null(strstr(world.record, "51712"));
}

static void test_a_disk_is_not_configured_anew_if_that_is_not_recorded(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	world.disk_full = true;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL,
	    "No space left on device");
	assert_string_equal(node_get(BACK "11/51712/params"), disk_a);
	assert_string_equal(first->config->disk[0].target, disk_a);
	assert_non_null(strstr(world.record, strrchr(disk_a, '/') + 1));
	world.disk_full = false;
	attach(second, disk_a, "xvda", "domain 'first' writes it (as xvda)");
	attach(second, disk_b, "xvda", NULL);
}

/* The guest ends between the detach and the attach: it has its disk when it starts again. */
static void test_a_guest_that_ends_while_its_disk_is_changed_keeps_the_disk(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	world.dies_when_detached = FIRST;
	ask(XEND_M_DEVICE_CONFIGURE, first, disk(disk_b, "xvda", "w"), NULL, "is gone");
	assert_int_equal(first->config->nr_disk, 1);
	assert_string_equal(first->config->disk[0].target, disk_a);
	assert_non_null(strstr(world.record, strrchr(disk_a, '/') + 1));
}

static int add_vif(const char *mac)
{
	struct json_object *o = json_new_object();
	struct device *device;
	int rc;

	json_set_string(o, "mac", mac);
	assert_int_equal(device_from_json(first, &device_vif_ops, o, &device, NULL), 0);
	json_object_put(o);
	rc = device_add(device, DEVICE_NO_ID, NULL);
	devices_to_config(first);
	return rc;
}

/* xend leaves a record alone that it cannot read, and with it the domain. */
static void test_only_devices_are_added_that_a_record_can_have(void **state)
{
	struct config *read;
	struct json_object *o;

	assert_int_equal(add_vif("00:16:3e:00:00:01"), 0);
	assert_int_equal(add_vif("00:16:3e:00:00:01"), -EEXIST);
	assert_int_equal(add_vif(NULL), 0);
	assert_int_equal(first->config->nr_vif, 2);
	o = config_to_json(first->config);
	read = config_from_json(o, NULL);
	assert_non_null(read);
	assert_string_equal(read->vif[1].mac, first->config->vif[1].mac);
	config_free(read);
	json_object_put(o);
}

/* xenstored's work for a list grows with the host's guests. */
static void test_the_backends_of_a_dead_guest_are_listed_once(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	attach(first, disk_b, "xvdb", NULL);
	node_reset_lists();
	devices_stop(first);
	nothing_is_left_of(FIRST);
	assert_int_equal(node_lists("/local/domain/0/backend/vbd/11"), 1);
}

/* The driver was about to connect when the disk was detached, and put its own state over xend's. */
static void test_a_driver_that_overlooks_the_order_to_close_gets_it_again(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	world.connects_late = true;
	assert_int_equal(device_detach(first, &device_vbd_ops, "xvda", false, NULL), 0);
	assert_false(world.connects_late);
	nothing_is_left_of(FIRST);
	assert_true(world.now < 1000);
}

/* A guest overlooks a new disk that it gets before it has removed the old one. */
static void test_a_detach_lasts_until_the_guest_has_removed_the_disk(void **state)
{
	attach(first, disk_a, "xvda", NULL);
	node_set("/local/domain/11/device/vbd/51712/event-channel", "7");
	world.guest_port = 7;
	world.port_closes_at = 3000;
	assert_int_equal(device_detach(first, &device_vbd_ops, "xvda", false, NULL), 0);
	nothing_is_left_of(FIRST);
	assert_in_range(world.now, 3000, 3500);
	/* It says something wrong, or does not remove it: that is its own loss. */
	attach(first, disk_a, "xvda", NULL);
	node_set("/local/domain/11/device/vbd/51712/event-channel", "7");
	world.port_closes_at = 0;
	world.now = 0;
	assert_int_equal(device_detach(first, &device_vbd_ops, "xvda", false, NULL), 0);
	nothing_is_left_of(FIRST);
	assert_in_range(world.now, 10000, 11000);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_after_the_other),
		TEST(test_a_disk_is_in_use_until_the_driver_lets_go_of_it),
		TEST(test_it_is_in_use_for_its_own_domain_too),
		TEST(test_a_disk_that_the_driver_does_not_let_go_of_is_not_detached),
		TEST(test_an_attach_that_cannot_be_undone),
		TEST(test_a_backend_in_no_list_is_a_use),
		TEST(test_a_file_is_known_below_its_loop_device),
		TEST(test_backends_that_did_not_change_are_not_listed_again),
		TEST(test_a_backend_is_seen_whose_change_was_not_heard_of_yet),
		TEST(test_a_number_whose_disk_is_still_held_is_not_used),
		TEST(test_attach_waits_for_recovery),
		TEST(test_what_is_not_recorded_is_not_attached),
		TEST(test_a_disk_is_not_configured_anew_if_that_is_not_recorded),
		TEST(test_a_guest_that_ends_while_its_disk_is_changed_keeps_the_disk),
		TEST(test_only_devices_are_added_that_a_record_can_have),
		TEST(test_the_backends_of_a_dead_guest_are_listed_once),
		TEST(test_a_driver_that_overlooks_the_order_to_close_gets_it_again),
		TEST(test_a_detach_lasts_until_the_guest_has_removed_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return disk_world_run(run);
}
