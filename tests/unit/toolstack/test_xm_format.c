/* SPDX-License-Identifier: MIT */
/* xm's tables. Other programs count their columns, so the tests compare whole lines. */
/* links: toolstack/xm/format.c */
#include <stdlib.h>
#include <string.h>
#include "unit.h"

#include "xm/format.h"

static char *text;
static size_t length;

static FILE *begin(void)
{
	return open_memstream(&text, &length);
}

static void check(FILE *out, const char *expected)
{
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_list_header_and_row(void **state)
{
	const struct list_row row = { "Domain-0", 0, 1024 * 1024, 2, "r-----", 12345000000 };
	FILE *out = begin();

	format_list_header(out);
	format_list_row(out, &row);
	check(out,
	      "Name                                      ID   Mem VCPUs      State   Time(s)\n"
	      "Domain-0                                   0  1024     2     r-----     12.3\n");
}

static void test_list_row_of_a_halted_domain_has_neither_id_nor_state(void **state)
{
	const struct list_row row = { "web", -1, 262144, 1, "------", 0 };
	FILE *out = begin();

	format_list_row(out, &row);
	check(out,
	      "web                                            256     1                 0.0\n");
}

static void test_list_row_with_large_values_keeps_its_blanks(void **state)
{
	const struct list_row row = { "a-name-that-is-longer-than-the-forty-columns-of-its-cell",
				      123456,
				      (int64_t)1 << 40,
				      4096,
				      "-b----",
				      99999999900000000 };
	FILE *out = begin();

	format_list_row(out, &row);
	check(out, "a-name-that-is-longer-than-the-forty-columns-of-its-cell 123456 1073741824  "
		   "4096     -b---- "
		   "99999999.9\n");
}

static void test_memory_is_rounded(void **state)
{
	struct list_row row = { "g", 1, 128 * 1024 - 4, 1, "-b----", 0 };
	FILE *out = begin();

	format_list_row(out, &row);
	row.memory_kb = 127 * 1024 + 511;
	format_list_row(out, &row);
	check(out,
	      "g                                          1   128     1     -b----      0.0\n"
	      "g                                          1   127     1     -b----      0.0\n");
}

static void test_name_cannot_break_a_row(void **state)
{
	char buffer[FORMAT_NAME_MAX], longest[2 * FORMAT_NAME_MAX];

	assert_string_equal(format_name("two words", buffer), "two_words");
	assert_string_equal(format_name("\033[2Jx\ny\x7f", buffer), "?[2Jx?y?");
	assert_string_equal(format_name("", buffer), "-");
	assert_string_equal(format_name("na\xc3\xafve", buffer), "na\xc3\xafve");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(strlen(format_name(longest, buffer)), FORMAT_NAME_MAX - 1);
}

static void test_vcpu_rows(void **state)
{
	const struct vcpu_row rows[] = {
		{ "g1", 3, 0, 1, "-b-", 4200000000, "any cpu" },
		{ "g1", 3, 1, -1, "--p", 0, "0-1,4" },
	};
	FILE *out = begin();

	format_vcpu_header(out);
	format_vcpu_row(out, &rows[0]);
	format_vcpu_row(out, &rows[1]);
	check(out,
	      "Name                                ID  VCPU   CPU State   Time(s) CPU Affinity\n"
	      "g1                                   3     0     1   -b-       4.2 any cpu\n"
	      "g1                                   3     1     -   --p       0.0 0-1,4\n");
}

static void test_sched_rows(void **state)
{
	const struct sched_row row = { "g1", 3, 256, 50 };
	FILE *out = begin();

	format_sched_header(out);
	format_sched_row(out, &row);
	check(out, "Name                                ID Weight  Cap\n"
		   "g1                                   3    256   50\n");
}

static void test_uptime(void **state)
{
	char buffer[64];

	assert_string_equal(format_uptime(-1, buffer, sizeof(buffer)), "-");
	assert_string_equal(format_uptime(0, buffer, sizeof(buffer)), "0:00:00");
	assert_string_equal(format_uptime(3661, buffer, sizeof(buffer)), "1:01:01");
	assert_string_equal(format_uptime(86399, buffer, sizeof(buffer)), "23:59:59");
	assert_string_equal(format_uptime(86400, buffer, sizeof(buffer)), "1 day, 0:00:00");
	assert_string_equal(format_uptime(3 * 86400 + 5, buffer, sizeof(buffer)),
			    "3 days, 0:00:05");
}

static void test_device_rows(void **state)
{
	const struct block_row block = {
		51712, 0, 0, 4, 9, 8, "/local/domain/0/backend/vbd/3/51712"
	};
	const struct network_row network = { 0,	  0,   "00:16:3e:00:00:02",
					     0,	  4,   10,
					     768, 769, "/local/domain/0/backend/vif/3/0" };
	FILE *out = begin();

	format_block_header(out);
	format_block_row(out, &block);
	format_network_header(out);
	format_network_row(out, &network);
	check(out, "Vdev  BE  handle state evt-ch ring-ref BE-path\n"
		   "51712 0   0      4     9      8        /local/domain/0/backend/vbd/3/51712\n"
		   "Idx BE  Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path\n"
		   "0   0   00:16:3e:00:00:02 0      4     10       768/769         "
		   "/local/domain/0/backend/vif/3/0\n");
}

static void test_info(void **state)
{
	FILE *out = begin();

	format_info(out, "nr_cpus", "2");
	format_info(out, "xend_config_format", "4");
	check(out, "nr_cpus                : 2\nxend_config_format     : 4\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_header_and_row),
		cmocka_unit_test(test_list_row_of_a_halted_domain_has_neither_id_nor_state),
		cmocka_unit_test(test_list_row_with_large_values_keeps_its_blanks),
		cmocka_unit_test(test_memory_is_rounded),
		cmocka_unit_test(test_name_cannot_break_a_row),
		cmocka_unit_test(test_vcpu_rows),
		cmocka_unit_test(test_sched_rows),
		cmocka_unit_test(test_uptime),
		cmocka_unit_test(test_device_rows),
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
