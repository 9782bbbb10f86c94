/* SPDX-License-Identifier: MIT */
/*
 * A small guest is sent while it runs: it writes, gives frames back, gets others, maps other pages
 * and moves its list, whenever the sender asks the hypervisor for something. What arrives must be
 * what it has when it is suspended.
 */
/* links: tests/unit/toolstack/fake_hv.c tests/unit/toolstack/stream_guest.c toolstack/worker/stream/frames.c toolstack/worker/stream/guest_p2m.c toolstack/worker/stream/in.c toolstack/worker/stream/live_frames.c toolstack/worker/stream/out.c toolstack/worker/stream/pace.c toolstack/worker/stream/restore.c toolstack/worker/stream/restore_finish.c toolstack/worker/stream/restore_pages.c toolstack/worker/stream/save.c toolstack/worker/stream/save_live.c toolstack/worker/stream/save_pages.c toolstack/worker/stream/save_vcpus.c toolstack/worker/stream/vcpu_frames.c toolstack/worker/build/guest_memory.c toolstack/worker/build/start.c hypervisor/lib/pv_start.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/str.c */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_hv.h"
#include "stream_guest.h"
#include "worker/stream/save.h"
#include "unit.h"

/* Pages that no page table of the guest leads to, and those that it may map. */
#define FREE_FIRST 600
#define MAP_FIRST  300
#define MAP_LAST   599

static uint64_t seed;
static unsigned int activity; /* changes each time that it runs */
static unsigned int slowest;

static bool has(uint64_t pfn)
{
	return stream_guest_mfn(pfn) != UINT64_MAX;
}

static void change_something(void)
{
	uint64_t any = MAP_FIRST + unit_random(&seed) % (GUEST_PFNS - MAP_FIRST);
	uint64_t spare = FREE_FIRST + unit_random(&seed) % (GUEST_PFNS - FREE_FIRST);

	switch (unit_random(&seed) % 6) {
	case 0:
	case 1:
		if (has(any))
			stream_guest_write(any)[unit_random(&seed) % 512] = unit_random(&seed);
		break;
	case 2:
		if (has(any))
			memset(stream_guest_write(any), 0, 4096);
		break;
	case 3:
		if (has(spare))
			stream_guest_give_back(spare);
		break;
	case 4:
		stream_guest_get(spare);
		stream_guest_write(spare)[3] = spare;
		break;
	default:
		stream_guest_map(GUEST_L1, 2 + unit_random(&seed) % 298,
				 MAP_FIRST + unit_random(&seed) % (MAP_LAST - MAP_FIRST));
	}
}

static void run_a_while(void)
{
	for (unsigned int i = 0; i < activity && !fake.domains[1].info.shutdown; i++)
		change_something();
}

/* Its list lies elsewhere now, as Linux's does when it fills a part that was empty. */
static bool moves_list;

static void move_list(void)
{
	struct shared_info *shared =
		(struct shared_info *)fake.memory[fake.domains[1].info.shared_info_frame];
	uint64_t at = FREE_FIRST;

	stream_guest_get(at);
	memcpy(stream_guest_write(at), fake.memory[stream_guest_mfn(GUEST_LIST + 1)], 4096);
	stream_guest_map(GUEST_L1, 1, at);
	shared->arch.p2m_generation += 2;
}

static int suspend(void *arg, struct error **e)
{
	if (moves_list)
		move_list();
	stream_guest_suspend();
	return 0;
}

static void note(const struct save_live_progress *p)
{
	slowest = p->percent < slowest ? p->percent : slowest;
	assert_true(p->done_bytes <= p->total_bytes);
}

static int new_file(void)
{
	int fd = memfd_create("image", 0);

	assert_true(fd >= 0);
	return fd;
}

static struct save_live order(void)
{
	/* Few bytes are "so little that it is sent at once": without this each move had two rounds.
	 */
	return (struct save_live){ .wish = { .downtime_ms = 60, .throttle = true },
				   .suspend = suspend,
				   .progress = note };
}

static void expect_copy(const struct restore *r)
{
	uint64_t pages = 0;

	for (uint64_t pfn = 0; pfn < GUEST_PFNS; pfn++) {
		uint64_t mfn = restore_pfn_to_mfn((void *)(uintptr_t)r, pfn);

		if (!has(pfn)) {
			assert_true(mfn == UINT64_MAX);
			continue;
		}
		pages++;
		assert_true(mfn < FAKE_FRAMES && fake.owner[mfn] == 2);
		/* The others are translated: test_stream.c looks at them. */
		if (pfn >= MAP_FIRST && pfn != FREE_FIRST)
			assert_memory_equal(fake.memory[mfn], fake.memory[stream_guest_mfn(pfn)],
					    4096);
	}
	assert_int_equal(fake.domains[2].info.pages, pages);
	for (unsigned int i = 2; i < 300; i++) {
		uint64_t mfn = fake.memory[stream_guest_mfn(GUEST_L1)][i] << 12 >> 24, pfn;

		for (pfn = 0; stream_guest_mfn(pfn) != mfn; pfn++)
			;
		assert_true(fake.memory[restore_pfn_to_mfn((void *)(uintptr_t)r, GUEST_L1)][i]
					    << 12 >>
				    24 ==
			    restore_pfn_to_mfn((void *)(uintptr_t)r, pfn));
	}
}

/* One move. few: the target allocates frames one by one. */
static void move(bool by_address, bool few)
{
	struct save_live live = order();
	struct error *e = NULL;
	struct restore r;
	int fd = new_file(), rc;

	stream_guest_make(by_address);
	stream_guest_run();
	fake.meanwhile = run_a_while;
	rc = save_domain_live(NULL, 1, fd, &live, &e);
	fake.meanwhile = NULL;
	if (rc)
		fail_msg("%s", error_text(e));
	assert_true(live.live && live.rounds >= 2);
	assert_int_equal(fake.windows, 0);
	lseek(fd, 0, SEEK_SET);
	r = stream_guest_restore();
	if (few)
		r.pages = r.max_pages = GUEST_PFNS - 1;
	rc = restore_domain(&r, fd, &e);
	if (rc)
		fail_msg("%s", error_text(e));
	assert_int_equal(fake.windows, 0);
	expect_copy(&r);
	restore_free(&r);
	close(fd);
}

static void what_arrives_is_what_it_has_at_the_end(void **state)
{
	for (int i = 0; i < 300; i++) {
		seed = (uint64_t)i + UNIT_SEED;
		activity = i % 60;
		moves_list = false;
		move(i % 2, i % 3 == 0);
	}
}

static void its_list_may_move(void **state)
{
	for (int i = 0; i < 40; i++) {
		seed = (uint64_t)i + UNIT_SEED;
		activity = i;
		moves_list = true;
		move(true, i % 2);
	}
	moves_list = false;
}

static void without_a_log_it_stands_still_unless_that_is_forbidden(void **state)
{
	struct save_live live = order();
	struct error *e = NULL;
	int fd = new_file();

	stream_guest_make(true);
	stream_guest_run();
	fake.no_log = true;
	assert_int_equal(save_domain_live(NULL, 1, fd, &live, &e), 0);
	assert_false(live.live);
	assert_string_equal(error_text(live.why_not), "There is no log.");
	error_free(&live.why_not);
	assert_true(lseek(fd, 0, SEEK_END) > GUEST_PFNS / 2 * 4096);
	close(fd);

	fd = new_file();
	stream_guest_run();
	live = order();
	live.must = true;
	assert_int_equal(save_domain_live(NULL, 1, fd, &live, &e), -EOPNOTSUPP);
	assert_non_null(strstr(error_text(e), "cannot be sent while it runs: There is no log."));
	assert_false(fake.domains[1].info.shutdown);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	error_free(&e);
	close(fd);
}

static void each_failure_of_the_hypervisor_is_reported(void **state)
{
	long calls;

	activity = 5;
	for (calls = 0; calls < 1000; calls++) {
		struct save_live live = order();
		struct error *e = NULL;
		int out = new_file(), rc;

		stream_guest_make(true);
		stream_guest_run();
		live.must = true;
		fake.meanwhile = run_a_while;
		fake.fail_after = calls;
		rc = save_domain_live(NULL, 1, out, &live, &e);
		assert_int_equal(fake.windows, 0);
		assert_true(rc == 0 || error_errno(e) != 0);
		error_free(&e);
		close(out);
		if (rc == 0)
			break;
	}
	assert_in_range(calls, 10, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_arrives_is_what_it_has_at_the_end),
		cmocka_unit_test(its_list_may_move),
		cmocka_unit_test(without_a_log_it_stands_still_unless_that_is_forbidden),
		cmocka_unit_test(each_failure_of_the_hypervisor_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
