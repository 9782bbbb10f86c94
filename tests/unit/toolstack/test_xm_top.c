/* SPDX-License-Identifier: MIT */
/* Rates and orders of `xm top`. */
/* links: toolstack/xm/top/top_model.c toolstack/xm/top/top_lines.c toolstack/xm/format.c toolstack/xm/client/answer.c */
/* links: toolstack/lib/alloc.c toolstack/lib/json.c toolstack/lib/error.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include <stdlib.h>
#include <string.h>
#include "unit.h"
#include "xm/top/top_model.h"

static const char before_text[] = "{\"time_ns\":1000000000,\"total_kb\":2097152,\"free_kb\":"
				  "1048576,\"nr_cpus\":2,\"cpu_mhz\":2400,\"domains\":["
				  "{\"id\":0,\"name\":\"Domain-0\",\"state\":\"r-----\",\"cpu_ns\":"
				  "5000000000,\"memory_kb\":524288,\"vcpus\":["
				  "3000000000,"
				  "2000000000]},"
				  "{\"id\":3,\"name\":\"g1\",\"state\":\"-b----\",\"cpu_ns\":"
				  "1000000000,\"memory_kb\":262144,\"maxmem_kb\":"
				  "262144,"
				  "\"vcpus\":[1000000000],\"net\":[{\"rx_bytes\":1000,\"tx_bytes\":"
				  "0}],\"disk\":[{\"read_sectors\":0,\"write_"
				  "sectors\":8}]}]}";

static const char now_text[] = "{\"time_ns\":3000000000,\"total_kb\":2097152,\"free_kb\":1048576,"
			       "\"nr_cpus\":2,\"cpu_mhz\":2400,\"domains\":["
			       "{\"id\":0,\"name\":\"Domain-0\",\"state\":\"r-----\",\"cpu_ns\":"
			       "5500000000,\"memory_kb\":524288,\"vcpus\":["
			       "3500000000,"
			       "2000000000]},"
			       "{\"id\":3,\"name\":\"g1\",\"state\":\"-b----\",\"cpu_ns\":"
			       "3000000000,\"memory_kb\":262144,\"maxmem_kb\":"
			       "262144,"
			       "\"vcpus\":[3000000000],\"net\":[{\"rx_bytes\":5096,\"tx_bytes\":"
			       "2048},{\"rx_bytes\":0,\"tx_bytes\":2048}],"
			       "\"disk\":[{\"read_sectors\":40,\"write_sectors\":8}]},"
			       "{\"id\":4,\"name\":\"g "
			       "2\",\"state\":\"--p---\",\"cpu_ns\":9000000000,\"memory_kb\":"
			       "131072,\"vcpus\":[9000000000]}]}";

static void read_sample(struct top_sample *sample, const char *text)
{
	struct json_object *answer = json_tokener_parse(text);

	assert_non_null(answer);
	top_sample_read(sample, answer);
	json_object_put(answer);
}

struct looks {
	struct top_sample before, now;
	struct top_table table;
};

static int look(void **state)
{
	struct looks *looks = calloc(1, sizeof(*looks));

	*state = looks;
	read_sample(&looks->before, before_text);
	read_sample(&looks->now, now_text);
	top_table_make(&looks->table, &looks->before, &looks->now);
	return 0;
}

static int forget(void **state)
{
	struct looks *looks = *state;

	top_table_free(&looks->table);
	top_sample_free(&looks->before);
	top_sample_free(&looks->now);
	free(looks);
	return 0;
}

static void test_rates_are_of_the_time_between(void **state)
{
	const struct looks *looks = *state;
	const struct top_row *rows = looks->table.rows;

	assert_int_equal(looks->table.nr_rows, 3);
	assert_float_equal(rows[0].cpu_percent, 25, 0.001);
	assert_float_equal(rows[0].vcpu_percent[0], 25, 0.001);
	assert_float_equal(rows[0].vcpu_percent[1], 0, 0.001);
	assert_float_equal(rows[1].cpu_percent, 100, 0.001);
	assert_float_equal(rows[1].rx_kib, 2, 0.001);
	assert_float_equal(rows[1].tx_kib, 2, 0.001);
	assert_float_equal(rows[1].read_kib, 10, 0.001);
	assert_float_equal(rows[1].write_kib, 0, 0.001);
}

static void test_a_domain_that_is_new_has_no_rate_yet(void **state)
{
	const struct looks *looks = *state;

	assert_float_equal(looks->table.rows[2].cpu_percent, 0, 0);
}

static void test_counters_that_go_back_give_no_rate(void **state)
{
	const struct looks *looks = *state;
	struct top_table table;

	/* The clock advances while the counters go back. */
	((struct looks *)looks)->before.time_ns = 5000000000;
	top_table_make(&table, &looks->now, &looks->before);
	assert_float_equal(table.rows[1].cpu_percent, 0, 0);
	assert_float_equal(table.rows[1].rx_kib, 0, 0);
	assert_float_equal(table.rows[1].vcpu_percent[0], 0, 0);
	top_table_free(&table);
}

static void assert_order(struct top_table *table, enum top_sort sort, bool reverse, const char *ids)
{
	char seen[16] = "";

	top_table_sort(table, sort, reverse);
	for (size_t i = 0; i < table->nr_rows; i++)
		seen[i] = (char)('0' + table->rows[i].domain->id);
	assert_string_equal(seen, ids);
}

static void test_sorting(void **state)
{
	struct looks *looks = *state;

	assert_order(&looks->table, TOP_SORT_CPU, false, "304");
	assert_order(&looks->table, TOP_SORT_CPU, true, "403");
	assert_order(&looks->table, TOP_SORT_MEMORY, false, "034");
	assert_order(&looks->table, TOP_SORT_NET, false, "304");
	assert_order(&looks->table, TOP_SORT_DISK, false, "304");
	assert_order(&looks->table, TOP_SORT_NAME, false, "043");
	assert_order(&looks->table, TOP_SORT_ID, true, "430");
}

static void test_lines(void **state)
{
	const struct looks *looks = *state;
	const struct top_row *rows = looks->table.rows;
	char line[512];

	assert_string_equal(top_line_titles(line, sizeof(line)),
			    "NAME               ID STATE    CPU(sec) CPU(%)  MEM(MB) MEM(%)  "
			    "MAX(MB) VCPUS NETS RX(KB/s) TX(KB/s) "
			    "VBDS RD(KB/s) WR(KB/s)");
	assert_string_equal(top_line_domain(&rows[1], &looks->now, line, sizeof(line)),
			    "g1                  3 -b----        3.0  100.0      256   12.5      "
			    "256     1    2      2.0      2.0 "
			    "   1     10.0      0.0");
	assert_string_equal(top_line_vcpu(&rows[0], 0, line, sizeof(line)),
			    "  VCPU 0                            3.5   25.0");
	/* Programs split batch tables at blanks. */
	assert_non_null(strstr(top_line_domain(&rows[2], &looks->now, line, sizeof(line)), "g_2 "));
	assert_string_equal(top_line_counts(&looks->now, line, sizeof(line)),
			    "3 domains, 1 running, 1 blocked, 1 paused");
	assert_string_equal(top_line_host(&looks->now, line, sizeof(line)),
			    "Memory: 2048 MB total, 1024 used, 1024 free   CPUs: 2 @ 2400 MHz");
}

static void test_an_answer_that_lacks_everything_is_an_empty_table(void **state)
{
	struct top_sample sample;
	struct top_table table;
	char line[512];

	read_sample(&sample, "{\"domains\":[{},{\"vcpus\":7,\"net\":{},\"disk\":\"x\"}]}");
	top_table_make(&table, &sample, &sample);
	assert_int_equal(table.nr_rows, 2);
	assert_int_equal(table.rows[1].domain->nr_vcpus, 0);
	assert_non_null(strstr(top_line_domain(&table.rows[0], &sample, line, sizeof(line)), "?"));
	top_table_free(&table);
	top_sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rates_are_of_the_time_between, look, forget),
		cmocka_unit_test_setup_teardown(test_a_domain_that_is_new_has_no_rate_yet, look,
						forget),
		cmocka_unit_test_setup_teardown(test_counters_that_go_back_give_no_rate, look,
						forget),
		cmocka_unit_test_setup_teardown(test_sorting, look, forget),
		cmocka_unit_test_setup_teardown(test_lines, look, forget),
		cmocka_unit_test(test_an_answer_that_lacks_everything_is_an_empty_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
