/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/state_letters.c */
/* The letters of a domain's state, with what cluster managers make of them. */
#include "xend/domain/state_letters.h"

#include <string.h>

#include <xen/sched.h>

#include "unit.h"

/* Those that Ganeti 3.0 knows, once it has taken every p for a -. It also takes any with a c. */
static const char *const known[] = { "r-----", "rb----", "-b----", "------", "---s--",
				     "---s-d", "-----d", "---sr-", "---ss-" };

static const char *letters_of(struct hv_domain_info info)
{
	static char letters[7];

	domain_state_letters(&info, letters);
	return letters;
}

static void each_letter_has_its_place(void **state)
{
	assert_string_equal(letters_of((struct hv_domain_info){ .running = true }), "r-----");
	assert_string_equal(letters_of((struct hv_domain_info){ .blocked = true }), "-b----");
	assert_string_equal(letters_of((struct hv_domain_info){ 0 }), "------");
	assert_string_equal(letters_of((struct hv_domain_info){ .shutdown = true }), "---s--");
	assert_string_equal(letters_of((struct hv_domain_info){
				    .shutdown = true, .shutdown_reason = SHUTDOWN_crash }),
			    "----c-");
	assert_string_equal(letters_of((struct hv_domain_info){ .dying = true }), "-----d");
}

/* Ganeti takes "---s--" for a guest that its user has shut down, and these for one that goes on. */
static void a_domain_that_comes_back_is_not_shown_as_shut_down(void **state)
{
	struct hv_domain_info info = { .shutdown = true, .shutdown_reason = SHUTDOWN_reboot };

	assert_string_equal(letters_of(info), "---sr-");
	info.dying = true;
	assert_string_equal(letters_of(info), "-----d");
	info.shutdown_reason = SHUTDOWN_suspend;
	assert_string_equal(letters_of(info), "-----d");
	info.dying = false;
	assert_string_equal(letters_of(info), "---ss-");
}

static void a_paused_domain_is_shown_as_paused_only(void **state)
{
	assert_string_equal(letters_of((struct hv_domain_info){ .paused = true, .blocked = true }),
			    "--p---");
}

static void a_domain_that_has_ended_neither_runs_nor_blocks(void **state)
{
	assert_string_equal(letters_of((struct hv_domain_info){ .dying = true, .blocked = true }),
			    "-----d");
	assert_string_equal(letters_of(
				    (struct hv_domain_info){ .shutdown = true, .running = true }),
			    "---s--");
}

static bool is_known(const char *letters)
{
	char plain[7];

	strcpy(plain, letters);
	for (char *p = strchr(plain, 'p'); p; p = strchr(p, 'p'))
		*p = '-';
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(plain, known[i]) == 0)
			return true;
	return strchr(plain, 'c');
}

static void ganeti_knows_every_combination(void **state)
{
	for (unsigned int bits = 0; bits < 32; bits++)
		for (unsigned int reason = 0; reason <= SHUTDOWN_watchdog; reason++) {
			struct hv_domain_info info = { .running = bits & 1,
						       .blocked = bits & 2,
						       .paused = bits & 4,
						       .shutdown = bits & 8,
						       .dying = bits & 16,
						       .shutdown_reason = reason };

			if (!is_known(letters_of(info)))
				fail_msg("Ganeti does not know %s", letters_of(info));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_letter_has_its_place),
		cmocka_unit_test(a_domain_that_comes_back_is_not_shown_as_shut_down),
		cmocka_unit_test(a_paused_domain_is_shown_as_paused_only),
		cmocka_unit_test(a_domain_that_has_ended_neither_runs_nor_blocks),
		cmocka_unit_test(ganeti_knows_every_combination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
