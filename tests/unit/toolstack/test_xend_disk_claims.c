/* SPDX-License-Identifier: MIT */
/* Claims on disks: conflicts between guests, and with what Domain-0 does. */
/* links: toolstack/xend/device/disk_ask.c toolstack/xend/device/disk_claims.c toolstack/xend/device/disk_image.c toolstack/xend/device/disk_fd.c toolstack/xend/device/disk_graph.c toolstack/xend/device/disk_host.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c tests/unit/toolstack/disk_fixture.c */
#include "xend/device/disk_claims.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "disk_fixture.h"
#include "unit.h"
#include "xend/device/disk_host.h"

static const enum disk_access r = DISK_READS, w = DISK_WRITES, s = DISK_SHARES;

static void add_guest(struct disk_use_list *list, const char *node, enum disk_access access)
{
	struct disk_use *use = disk_use_add(list, DISK_USER_GUEST, access);

	disk_chain_build(&disk_fixture, disk_fixture_node(node), &use->chain);
	use->who = strdup("g1");
	use->vdev = strdup("xvda");
	use->what = strdup(node);
}

/* The reason why a disk may not be used, "" if it may; the caller frees it. */
static char *ask(struct disk_use_list *list, const char *node, enum disk_access access)
{
	const struct disk_use *conflict;
	struct disk_chain mine;
	char *text;

	disk_chain_build(&disk_fixture, disk_fixture_node(node), &mine);
	conflict = disk_use_conflict(&mine, access, list);
	text = conflict ? disk_use_describe(&mine, conflict) : strdup("");
	disk_chain_free(&mine);
	return text;
}

static void test_modes(void **state)
{
	static const struct {
		enum disk_access mine, other;
		bool conflict;
	} cases[] = {
		{ DISK_READS, DISK_READS, false },   { DISK_READS, DISK_WRITES, true },
		{ DISK_READS, DISK_SHARES, false },  { DISK_WRITES, DISK_READS, true },
		{ DISK_WRITES, DISK_WRITES, true },  { DISK_WRITES, DISK_SHARES, true },
		{ DISK_SHARES, DISK_READS, false },  { DISK_SHARES, DISK_WRITES, false },
		{ DISK_SHARES, DISK_SHARES, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(disk_access_conflicts(cases[i].mine, cases[i].other),
				 cases[i].conflict);
}

/* Whether two guests that write to these two nodes write to the same sectors. */
static void test_relations_between_disks_of_guests(void **state)
{
	static const struct {
		const char *one, *other;
		bool related;
	} cases[] = {
		{ "sdf", "sdf", true },		 { "sdf", "sdg", false },
		{ "sdf", "sdf1", true },	 { "sdf1", "sdf2", false },
		{ "sda", "dm-1", true },	 { "sda2", "dm-1", true },
		{ "dm-0", "dm-1", false },	 { "sda1", "dm-1", false },
		{ "sdb", "dm-3", true },	 { "sdc", "dm-3", true },
		{ "dm-2", "dm-3", true },	 { "sdb", "sdc", false },
		{ "sdd", "md0", true },		 { "sdd1", "md0", true },
		{ "sdf", "md0", false },	 { "loop0", "loop1", true },
		{ "loop0", "image", true },	 { "loop0p1", "image", true },
		{ "loop0p1", "loop1", true },	 { "image", "other", false },
		{ "image", "sda1", true },	 { "image", "sda", true },
		{ "image", "sda2", false },	 { "data-image", "dm-1", true },
		{ "data-image", "sda", true },	 { "data-image", "image", false },
		{ "loop2", "data-image", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *pair[2] = { cases[i].one, cases[i].other };

		for (int turn = 0; turn < 2; turn++) {
			struct disk_use_list list = { NULL, 0 };
			char *why;

			add_guest(&list, pair[turn], w);
			why = ask(&list, pair[!turn], w);
			if ((*why != '\0') != cases[i].related)
				fail_msg("%s beside %s: '%s'", pair[!turn], pair[turn], why);
			free(why);
			disk_use_list_free(&list);
		}
	}
}

/* Conflicts with what Domain-0 does in the fixture. */
static void test_what_domain0_uses(void **state)
{
	static const struct {
		const char *mine;
		enum disk_access access;
		const char *why; /* "": the disk may be used */
	} cases[] = {
		{ "sdg", DISK_WRITES, "" },
		{ "sdf1", DISK_WRITES, "" },
		{ "nbd0", DISK_WRITES, "" },
		{ "sda1", DISK_WRITES, "mounted it on /." },
		{ "sda1", DISK_READS, "mounted it on /." },
		{ "sda", DISK_READS, "mounted /dev/sda1, which lies on it on /." },
		{ "dm-0", DISK_READS, "mounted it on /var lib." },
		{ "dm-1", DISK_READS, "mounted it on /data." },
		{ "sda2", DISK_READS, "which lies on it on /var lib." },
		/* Using a file in a mounted file system is no conflict. */
		{ "other", DISK_WRITES, "" },
		{ "other", DISK_READS, "" },
		/* One loop device of the file is mounted read-only; the other one is in unknown
		   hands. */
		{ "image", DISK_WRITES, "mounted it on /iso (to read)" },
		{ "image", DISK_READS, "loop device /dev/loop0" },
		{ "loop1", DISK_READS, "loop device /dev/loop0" },
		{ "loop0", DISK_READS, "" },
		{ "loop0", DISK_WRITES, "mounted it on /iso (to read)" },
		{ "loop0p1", DISK_WRITES, "/iso (to read)" },
		{ "data-image", DISK_READS, "loop device /dev/loop2" },
		{ "loop2", DISK_WRITES, "" },
		{ "swap-file", DISK_READS, "swaps to it (/swap file)" },
		{ "zram0", DISK_READS, "swaps to it (/dev/zram0)" },
		/* Members of an unused array may be read. */
		{ "sdd1", DISK_WRITES, "the volume /dev/md0 of it" },
		{ "sdd", DISK_WRITES, "the volume /dev/md0 of it" },
		{ "sdd1", DISK_READS, "" },
		{ "md0", DISK_WRITES, "" },
		{ "sdb", DISK_WRITES, "the volume /dev/dm-" },
		{ "dm-2", DISK_WRITES, "the volume /dev/dm-3 (vh-guest) of it" },
		{ "dm-3", DISK_WRITES, "" },
		{ "sda1", DISK_SHARES, "" },
	};
	struct disk_use_list list = { NULL, 0 };

	disk_host_uses(&disk_fixture, &list);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *why = ask(&list, cases[i].mine, cases[i].access);

		if (*cases[i].why ? !strstr(why, cases[i].why) : *why)
			fail_msg("%s: '%s' instead of '%s'", cases[i].mine, why, cases[i].why);
		free(why);
	}
	disk_use_list_free(&list);
}

static void test_a_loop_device_is_what_its_user_does_with_it(void **state)
{
	struct disk_use_list list = { NULL, 0 };
	struct disk_use *use;
	char *why;

	/* A guest shares it on purpose through loop2, so it is known to be writable. */
	add_guest(&list, "loop2", s);
	disk_host_uses(&disk_fixture, &list);
	why = ask(&list, "data-image", r);
	assert_string_equal(why, "");
	free(why);
	why = ask(&list, "data-image", w);
	assert_non_null(strstr(why, "domain 'g1' writes it (as xvda)"));
	free(why);
	disk_use_list_free(&list);

	/* A domain that is being made has no number yet. */
	add_guest(&list, "data-image", s);
	use = &list.uses[0];
	disk_host_uses(&disk_fixture, &list);
	why = ask(&list, "data-image", r);
	assert_non_null(strstr(why, "/dev/loop2"));
	free(why);
	use = &list.uses[0];
	use->makes_loop = true;
	why = ask(&list, "data-image", r);
	assert_string_equal(why, "");
	free(why);
	disk_use_list_free(&list);
}

static bool lists(const struct disk_use_list *list, const char *what)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->uses[i].user == DISK_USER_LOOP && strcmp(list->uses[i].what, what) == 0)
			return true;
	return false;
}

/* The loop device that a guest is known to have is not looked at; the answers are the same. */
static void test_a_loop_device_of_a_guest_is_no_use_of_its_own(void **state)
{
	struct disk_use_list list = { NULL, 0 };
	char *why;

	add_guest(&list, "loop2", s);
	list.uses[0].loop = disk_fixture_node("loop2").device;
	disk_host_uses(&disk_fixture, &list);
	assert_true(lists(&list, "/dev/loop0") && !lists(&list, "/dev/loop2"));
	why = ask(&list, "data-image", r);
	assert_string_equal(why, "");
	free(why);
	why = ask(&list, "data-image", w);
	assert_non_null(strstr(why, "domain 'g1' writes it (as xvda)"));
	free(why);
	disk_use_list_free(&list);
}

static void test_a_disk_that_is_given_back_is_not_in_the_way(void **state)
{
	struct disk_use_list list = { NULL, 0 };
	char *why;

	add_guest(&list, "loop2", w);
	list.uses[0].exempt = true;
	disk_host_uses(&disk_fixture, &list);
	why = ask(&list, "data-image", w);
	assert_string_equal(why, "");
	free(why);
	disk_use_list_free(&list);
}

static void test_sentences(void **state)
{
	static const struct {
		const char *mine, *other;
		enum disk_access access;
		const char *text;
	} cases[] = {
		{ "sdf", "sdf", DISK_WRITES,
		  "domain 'g1' writes it (as xvda). Shut that domain down or detach the disk "
		  "there." },
		{ "sdf", "sdf1", DISK_READS,
		  "domain 'g1' reads sdf1, which lies on it (as xvda)." },
		{ "sdf1", "sdf", DISK_SHARES,
		  "domain 'g1' writes sdf, on which it lies (as xvda)." },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct disk_use_list list = { NULL, 0 };
		char *why;

		add_guest(&list, cases[i].other, cases[i].access);
		why = ask(&list, cases[i].mine, w);
		assert_non_null(strstr(why, cases[i].text));
		free(why);
		list.uses[0].user = DISK_USER_SUSPENDED;
		list.uses[0].access = r;
		why = ask(&list, cases[i].mine, w);
		assert_non_null(strstr(why, "domain 'g1' is suspended and relies on "));
		free(why);
		why = ask(&list, cases[i].mine, r);
		assert_string_equal(why, "");
		free(why);
		disk_use_list_free(&list);
	}
}

static void test_who_could_have_opened_a_file_to_write(void **state)
{
	struct disk_use_list list = { NULL, 0 };
	struct disk_chain image;

	disk_chain_build(&disk_fixture, disk_fixture_node("image"), &image);
	add_guest(&list, "loop1", r);
	assert_false(disk_use_explains_writer(&image, &list));
	add_guest(&list, "other", w);
	assert_false(disk_use_explains_writer(&image, &list));
	add_guest(&list, "loop0", s);
	assert_true(disk_use_explains_writer(&image, &list));
	disk_use_list_free(&list);
	disk_chain_free(&image);
}

/* The kernel's own answer for a real file with two names. */
static void test_a_file_that_a_process_has_open(void **state)
{
	char path[] = "/tmp/disk-XXXXXX", other[40], mine[40];
	int writer = mkstemp(path), reader, look;
	struct error *e = NULL;

	assert_true(writer >= 0);
	snprintf(other, sizeof(other), "%s.other", path);
	snprintf(mine, sizeof(mine), "(pid %d)", (int)getpid());
	assert_int_equal(link(path, other), 0);
	look = open(other, O_RDONLY);
	assert_int_equal(disk_host_check_file(look, &e), -EADDRINUSE);
	assert_non_null(strstr(error_text(e), mine));
	error_free(&e);
	close(writer);
	reader = open(path, O_RDONLY);
	assert_int_equal(disk_host_check_file(look, &e), 0);
	close(reader);
	close(look);
	unlink(path);
	unlink(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_relations_between_disks_of_guests),
		cmocka_unit_test(test_what_domain0_uses),
		cmocka_unit_test(test_a_loop_device_is_what_its_user_does_with_it),
		cmocka_unit_test(test_a_loop_device_of_a_guest_is_no_use_of_its_own),
		cmocka_unit_test(test_a_disk_that_is_given_back_is_not_in_the_way),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_who_could_have_opened_a_file_to_write),
		cmocka_unit_test(test_a_file_that_a_process_has_open),
	};

	return cmocka_run_group_tests(tests, disk_fixture_set_up, disk_fixture_tear_down);
}
