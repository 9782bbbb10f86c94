/* SPDX-License-Identifier: MIT */
/*
 * When the last round of a live migration begins, and how far the guest is slowed: against a link
 * and a guest of given speeds.
 */
/* links: toolstack/worker/stream/pace.c */
#include "worker/stream/pace.h"
#include "unit.h"

#define MB 1000000ULL
#define NS 1000000000ULL

struct result {
	enum pace_next end;
	unsigned int rounds, percent;
	uint64_t downtime_ms, total_ms;
};

/* memory and rates in bytes (a second); the guest writes less as it is slowed. */
static struct result run(uint64_t memory, uint64_t link, uint64_t writes,
			 const struct pace_wish *wish)
{
	struct pace p;
	uint64_t left = memory, total = 0;

	pace_begin(&p);
	for (;;) {
		uint64_t ns = left * NS / link;
		uint64_t written = writes * p.percent / 100 * ns / NS;
		struct pace_round round = { .sent_bytes = left, .sent_ns = ns, .written_ns = ns };
		enum pace_next next;

		total += ns;
		left = written < memory ? written : memory;
		round.written_bytes = round.left_bytes = left;
		round.since_begin_ns = total;
		next = pace_after_round(&p, wish, &round);
		if (next != PACE_ROUND && next != PACE_SLOWER)
			return (struct result){ next, p.round + 1, p.percent,
						pace_time_for(&p, left), total / 1000000 };
		assert_true(p.round < 1000);
	}
}

static const struct pace_wish usual = { .downtime_ms = 60, .throttle = true };

static void a_guest_at_rest_takes_two_rounds(void **state)
{
	struct result r = run(256 * MB, 100 * MB, 0, &usual);

	assert_int_equal(r.end, PACE_LAST);
	assert_int_equal(r.rounds, 2);
}

static void one_that_writes_slower_than_the_link_is_not_slowed(void **state)
{
	struct result r = run(1024 * MB, 100 * MB, 50 * MB, &usual);

	assert_int_equal(r.end, PACE_LAST);
	assert_int_equal(r.percent, 100);
	assert_true(r.downtime_ms <= 60);
}

static void one_that_writes_faster_is_slowed_until_it_fits(void **state)
{
	struct result r = run(1024 * MB, 100 * MB, 500 * MB, &usual);

	assert_int_equal(r.end, PACE_LAST);
	assert_in_range(r.percent, 5, 17);
	assert_true(r.downtime_ms <= 60);
}

static void without_slowing_time_is_the_end(void **state)
{
	const struct pace_wish wish = { .downtime_ms = 60, .timeout_ms = 60000 };
	struct result r = run(1024 * MB, 100 * MB, 500 * MB, &wish);

	assert_int_equal(r.end, PACE_TIMEOUT);
	assert_int_equal(r.percent, 100);
	assert_in_range(r.total_ms, 60000, 75000);
}

static void what_does_not_fit_at_the_lowest_share_is_given_up(void **state)
{
	const struct pace_wish strict = { .downtime_ms = 60, .throttle = true, .strict = true };
	/* 2.5 times the link's speed at 5 per cent. */
	struct result r = run(1024 * MB, 10 * MB, 500 * MB, &strict);

	assert_int_equal(r.end, PACE_HOPELESS);
	assert_int_equal(r.percent, 5);
	r = run(1024 * MB, 10 * MB, 500 * MB, &usual);
	assert_int_equal(r.end, PACE_HOPELESS);
}

/* It writes the same few pages over and over: more than fits, and less than a second. */
static void a_small_rest_is_taken_if_nobody_has_forbidden_it(void **state)
{
	const struct pace_wish strict = { .downtime_ms = 60, .throttle = true, .strict = true };
	const struct pace_wish *wishes[] = { &strict, &usual };

	for (unsigned int i = 0; i < 2; i++) {
		struct pace p;
		struct pace_round round = { .sent_bytes = 3 * MB,
					    .sent_ns = NS * 3 / 10,
					    .written_bytes = 3 * MB,
					    .written_ns = NS,
					    .left_bytes = 3 * MB };
		enum pace_next next = PACE_ROUND;

		pace_begin(&p);
		while (next == PACE_ROUND || next == PACE_SLOWER)
			next = pace_after_round(&p, wishes[i], &round);
		assert_int_equal(next, i == 0 ? PACE_HOPELESS : PACE_LAST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_at_rest_takes_two_rounds),
		cmocka_unit_test(one_that_writes_slower_than_the_link_is_not_slowed),
		cmocka_unit_test(one_that_writes_faster_is_slowed_until_it_fits),
		cmocka_unit_test(without_slowing_time_is_the_end),
		cmocka_unit_test(what_does_not_fit_at_the_lowest_share_is_given_up),
		cmocka_unit_test(a_small_rest_is_taken_if_nobody_has_forbidden_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
