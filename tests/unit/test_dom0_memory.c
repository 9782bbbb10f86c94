/* SPDX-License-Identifier: MIT */
/* dom0_mem: from the command line's words to Domain-0's memory and limit. */
/* links: hypervisor/x86/pv/dom0/dom0_memory.c hypervisor/core/base/cmdline.c hypervisor/lib/string.c hypervisor/lib/printf.c */
/* links: hypervisor/lib/cpu_guards.c */
#include "x86/pv/dom0/dom0_memory.h"

#include "hv/config.h"
#include "hv/console.h"
#include "lib/string.h"
#include "unit.h"

#define PAGES(bytes) ((bytes) >> PAGE_SHIFT)
#define NO_LIMIT     (~0U)

static bool warned;

void hv_log(enum loglevel level, const char *fmt, ...)
{
	warned = true;
}

static struct dom0_memory choose(const char *line, u64 avail)
{
	struct dom0_memory m;

	warned = false;
	memset(&boot_options.dom0_mem, 0, sizeof(boot_options.dom0_mem));
	cmdline_parse(line);
	assert_false(warned);
	m = dom0_memory_choose(&boot_options, PAGES(avail));
	assert_true(m.nr_pages <= m.max_pages);
	assert_true(m.nr_pages <= PAGES(avail));
	return m;
}

static void the_option_decides(void **state)
{
	static const struct {
		const char *line;
		u64 size, limit; /* bytes; 0: no limit */
	} cases[] = {
		{ "", GiB(8) - MiB(128), 0 },
		{ "dom0_mem=512M", MiB(512), 0 },
		{ "dom0_mem=1048576", GiB(1), 0 },
		{ "dom0_mem=2048M,max:2048M", GiB(2), GiB(2) },
		{ "dom0_mem=1G,max:2g", GiB(1), GiB(2) },
		{ "dom0_mem=max:1024M,512M", MiB(512), GiB(1) },
		{ "dom0_mem=512M,max:64G", MiB(512), GiB(64) },
		/* Without a size: all memory, within the bounds. */
		{ "dom0_mem=max:2G", GiB(2), GiB(2) },
		{ "dom0_mem=min:256M,max:1G", GiB(1), GiB(1) },
		{ "dom0_mem=min:256M", GiB(8) - MiB(128), 0 },
		/* The minimum only raises the size; the maximum has the last word. */
		{ "dom0_mem=min:768M,512M", MiB(768), 0 },
		{ "dom0_mem=512M,min:1G,max:768M", MiB(768), MiB(768) },
		{ "dom0_mem=4G,max:1G", GiB(1), GiB(1) },
		/* A negative size or limit means all memory but so much. */
		{ "dom0_mem=-1G", GiB(7), 0 },
		{ "dom0_mem=-1G,max:2G", GiB(2), GiB(2) },
		{ "dom0_mem=max:-6G", GiB(2), GiB(2) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dom0_memory m = choose(cases[i].line, GiB(8));

		assert_int_equal(m.nr_pages, PAGES(cases[i].size));
		assert_int_equal(m.max_pages, cases[i].limit ? PAGES(cases[i].limit) : NO_LIMIT);
		assert_false(m.too_little);
	}
}

static void parts_of_what_there_is(void **state)
{
	assert_int_equal(choose("dom0_mem=10%", 1000 * MiB(1)).nr_pages, PAGES(MiB(100)));
	assert_int_equal(choose("dom0_mem=512M+10%,max:20%", 1000 * MiB(1)).nr_pages,
			 PAGES(MiB(200)));
	assert_int_equal(choose("dom0_mem=-25%", 1000 * MiB(1)).nr_pages, PAGES(MiB(750)));
}

static void more_than_there_is_is_said(void **state)
{
	struct dom0_memory m = choose("dom0_mem=8G", GiB(4));

	assert_true(m.too_little);
	assert_int_equal(m.nr_pages, PAGES(GiB(4) - MiB(128)));
	m = choose("dom0_mem=min:8G,max:16G", GiB(4));
	assert_true(m.too_little);
	assert_int_equal(m.nr_pages, PAGES(GiB(4) - MiB(128)));
	assert_int_equal(m.max_pages, PAGES(GiB(16)));
	/* -0 means all memory, but the hypervisor's part cannot be Domain-0's. */
	assert_true(choose("dom0_mem=-0", GiB(4)).too_little);
	assert_int_equal(choose("dom0_mem=-8G", GiB(4)).nr_pages, 0);
}

static void a_limit_past_32_bits_of_frames_is_none(void **state)
{
	assert_int_equal(choose("dom0_mem=1G,max:64T", GiB(4)).max_pages, NO_LIMIT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_option_decides),
		cmocka_unit_test(parts_of_what_there_is),
		cmocka_unit_test(more_than_there_is_is_said),
		cmocka_unit_test(a_limit_past_32_bits_of_frames_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
