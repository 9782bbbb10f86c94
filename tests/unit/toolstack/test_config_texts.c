/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* The small texts inside a configuration: CPUs, virtual disks, rates, sizes, MACs, UUIDs. */
#include "config/config.h"
#include "config/cpus.h"
#include "lib/str.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

static void check_cpus(const char *text, unsigned int nr, uint8_t low, uint8_t high)
{
	/* CPU 3 is in node 1, CPU 2 is not online. */
	static const uint32_t nodes[12] = { 0, 0, 0xffffffff, 1 };
	struct config_cpus_host host = { nr, nodes };
	uint8_t map[2] = { 0xff, 0xff };

	assert_int_equal(cpus_check(text, NULL), 0);
	assert_int_equal(config_cpus_parse(text, &host, map, NULL), 0);
	assert_int_equal(map[0], low);
	assert_int_equal(nr > 8 ? map[1] : 0, high);
}

#define CPUS_FORM "CPUs are given as \"0-3,5,^1\", \"nodes:0-1,^node:1\" or \"all\"."

static void refuse_cpus(const char *text, const char *message)
{
	struct config_cpus_host host = { 4, NULL };
	struct error *e = NULL;
	uint8_t map[1];

	assert_int_equal(config_cpus_parse(text, &host, map, &e), -EINVAL);
	assert_string_equal(error_text(e), message);
	error_free(&e);
}

static void lists_of_cpus_are_read(void **state)
{
	check_cpus("0", 4, 0x01, 0);
	check_cpus("0-3,5,^1", 8, 0x2d, 0);
	check_cpus("all", 12, 0xff, 0x0f);
	check_cpus("all,^9", 12, 0xff, 0x0d);
	check_cpus("^0", 4, 0x0e, 0);
	check_cpus(" 1 , 2-3 ", 4, 0x0e, 0);
	check_cpus("3-3", 4, 0x08, 0);
	check_cpus("0-63", 4, 0x0f, 0);
	check_cpus("1,4-5,900", 4, 0x02, 0);
	check_cpus("0,,1,", 4, 0x03, 0);
	check_cpus("node:0", 4, 0x03, 0);
	check_cpus("nodes:0-1", 4, 0x0b, 0);
	check_cpus("nodes:all", 4, 0x0f, 0);
	check_cpus("all,^nodes:1-7", 4, 0x07, 0);
	check_cpus("^node:0", 4, 0x0c, 0);
	check_cpus("nodes:0,^node:1,^0", 4, 0x02, 0);
	check_cpus("2, ^ node: 1", 4, 0x04, 0);
	refuse_cpus("4", "\"4\" leaves no CPU of the host, which has CPUs 0 to 3.");
	refuse_cpus("4-63,node:1",
		    "\"4-63,node:1\" leaves no CPU of the host, which has CPUs 0 to 3.");
	refuse_cpus("1,^1", "\"1,^1\" leaves no CPU of the host, which has CPUs 0 to 3.");
	refuse_cpus("", "\"\" leaves no CPU.");
	refuse_cpus(",", "\",\" leaves no CPU.");
	refuse_cpus("2-1", CPUS_FORM);
	refuse_cpus("1-", CPUS_FORM);
	refuse_cpus("node:", CPUS_FORM);
	refuse_cpus("node:^1", CPUS_FORM);
	refuse_cpus("nodes", CPUS_FORM);
	refuse_cpus("^", CPUS_FORM);
	refuse_cpus("none", CPUS_FORM);
	refuse_cpus("0x1", CPUS_FORM);
	refuse_cpus("99999999999999999999", CPUS_FORM);
}

static void virtual_disks_have_numbers(void **state)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "xvda", 51712 },	 { "xvda1", 51713 },	  { "xvdb", 51728 },
		{ "xvdp15", 51967 },	 { "sda", 2048 },	  { "sdb1", 2065 },
		{ "hda", 768 },		 { "hdb", 832 },	  { "hdc", 5632 },
		{ "hdd1", 5697 },	 { "xvdq", 0x10001000 },  { "xvda16", 0x10000010 },
		{ "xvdz", 0x10001900 },	 { "xvdaa", 0x10001a00 }, { "xvdaz3", 0x10003303 },
		{ "xvdzz", 0x1002bd00 },
	};
	static const char *const bad[] = { "",		 "x",	     "xv",   "xvd",  "xvda0",
					   "xvda256",	 "xvda01",   "xvd1", "hde",  "hda64",
					   "sdq",	 "sda16",    "fd0",  "XVDA", "xvda 1",
					   "xvdzzzzzzz", "/dev/xvda" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char *name = config_vdev_name((unsigned int)known[i].number);

		assert_int_equal(config_vdev_number(known[i].name), known[i].number);
		assert_string_equal(name, known[i].name);
		free(name);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_vdev_number(bad[i]), -1);
	assert_null(config_vdev_name(0));
	assert_null(config_vdev_name(1U << 29));
	assert_null(config_vdev_name(5632 + 128));
}

static void check_rate(const char *text, uint64_t bytes, uint64_t interval)
{
	uint64_t b, us;

	assert_int_equal(config_rate_parse(text, &b, &us, NULL), 0);
	assert_int_equal(b, bytes);
	assert_int_equal(us, interval);
}

static void rates_are_bytes_in_an_interval(void **state)
{
	static const char *const bad[] = { "",
					   "10",
					   "Mb/s",
					   "10Mb",
					   "10Mb/h",
					   "0b/s",
					   "10Mb/s@",
					   "10Mb/s@5",
					   "10Mb/s@0ms",
					   "-1Mb/s",
					   "10Mb/s@20msx",
					   "1000000000000000Gb/s",
					   "99999999999999999999b/s",
					   "1b/s" };
	uint64_t b, us;

	check_rate("10Mb/s", 62500, 50000);
	check_rate("250KB/s@20ms", 5000, 20000);
	check_rate("1GB/s@1s", 1000000000, 1000000);
	check_rate("8000b/s@1s", 1000, 1000000);
	check_rate("1MB/s@500us", 500, 500);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_rate_parse(bad[i], &b, &us, NULL), -EINVAL);
}

static void check_size(const char *text, uint64_t unit, uint64_t kb)
{
	uint64_t value;

	assert_int_equal(config_size_parse(text, unit, &value, NULL), 0);
	assert_int_equal(value, kb);
}

static void sizes_are_kib(void **state)
{
	static const char *const bad[] = { "",
					   "g",
					   "-1",
					   "+1",
					   "1x",
					   "1 g",
					   "1.5g",
					   "1gg",
					   "1gbb",
					   "0x10",
					   "9999999999999999",
					   "999999999999999t" };
	uint64_t kb;

	check_size("256", 1024, 256 * 1024);
	check_size("256", 1, 256);
	check_size("2g", 1024, 2 << 20);
	check_size("2GB", 1024, 2 << 20);
	check_size("512M", 1, 512 << 10);
	check_size("7k", 1024, 7);
	check_size("1t", 1024, 1 << 30);
	check_size("0", 1024, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_size_parse(bad[i], 1024, &kb, NULL), -EINVAL);
}

static void check_text(char *(*parse)(const char *), const char *text, const char *canonical)
{
	char *got = parse(text);

	if (canonical)
		assert_string_equal(got, canonical);
	else
		assert_null(got);
	free(got);
}

static void macs_and_uuids_become_canonical(void **state)
{
	check_text(config_mac_parse, "AA:bb:Cc:00:01:02", "aa:bb:cc:00:01:02");
	check_text(config_mac_parse, "aa-bb-cc-00-01-02", "aa:bb:cc:00:01:02");
	check_text(config_mac_parse, "ab:bb:cc:00:01:02", NULL);
	check_text(config_mac_parse, "aa:bb:cc:00:01", NULL);
	check_text(config_mac_parse, "aa:bb:cc:00:01:02:03", NULL);
	check_text(config_mac_parse, "aabb:cc:00:01:02:0", NULL);
	check_text(config_mac_parse, "00:00:00:00:00:00", NULL);
	check_text(config_uuid_parse, "01234567-89AB-cdef-0123-456789abcdef",
		   "01234567-89ab-cdef-0123-456789abcdef");
	check_text(config_uuid_parse, "0123456789abcdef0123456789abcdef",
		   "01234567-89ab-cdef-0123-456789abcdef");
	check_text(config_uuid_parse, "01234567-89abcdef-0123-456789abcdef",
		   "01234567-89ab-cdef-0123-456789abcdef");
	check_text(config_uuid_parse, "01234567--89ab-cdef-0123-456789abcdef", NULL);
	check_text(config_uuid_parse, "01234567-89ab-cdef-0123-456789abcde", NULL);
	check_text(config_uuid_parse, "01234567-89ab-cdef-0123-456789abcdef0", NULL);
	check_text(config_uuid_parse, "01234567-89ab-cdef-0123-456789abcdef-", NULL);
	check_text(config_uuid_parse, "-0123456789abcdef0123456789abcdef", NULL);
	check_text(config_uuid_parse, "", NULL);
}

static void random_ones_differ_and_are_valid(void **state)
{
	char *a = config_random_mac(), *b = config_random_mac(), *u = config_random_uuid(),
	     *v = config_random_uuid();

	assert_string_not_equal(u, v);
	check_text(config_mac_parse, a, a);
	check_text(config_mac_parse, b, b);
	check_text(config_uuid_parse, u, u);
	assert_int_equal(u[14], '4');
	assert_non_null(strchr("89ab", u[19]));
	free(a);
	free(b);
	free(u);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_cpus_are_read),
		cmocka_unit_test(virtual_disks_have_numbers),
		cmocka_unit_test(rates_are_bytes_in_an_interval),
		cmocka_unit_test(sizes_are_kib),
		cmocka_unit_test(macs_and_uuids_become_canonical),
		cmocka_unit_test(random_ones_differ_and_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
