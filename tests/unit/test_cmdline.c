/* SPDX-License-Identifier: MIT */
/* The boot options: what each accepts. An option that is not understood changes nothing and is
 * reported. */
/* links: hypervisor/core/base/cmdline.c hypervisor/lib/string.c hypervisor/lib/printf.c */
/* links: hypervisor/lib/cpu_guards.c */
#include "hv/cmdline.h"

#include "hv/console.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "unit.h"

static char warning[512];

void hv_log(enum loglevel level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fmt_vsnprintf(warning, sizeof(warning), fmt, args);
	va_end(args);
}

static struct boot_options defaults;

static int keep_defaults(void **state)
{
	defaults = boot_options;
	return 0;
}

static int reset(void **state)
{
	boot_options = defaults;
	warning[0] = '\0';
	return 0;
}

static void whole_line_is_kept(void **state)
{
	cmdline_parse("  noreboot   maxcpus=3\t");
	assert_string_equal(boot_options.text, "  noreboot   maxcpus=3\t");
	assert_true(boot_options.noreboot);
	assert_int_equal(boot_options.maxcpus, 3);
	assert_string_equal(warning, "");
}

static void serial_forms(void **state)
{
	cmdline_parse("com1=115200,8n1,0x3e8,5 com2=auto console=vga,com2");
	assert_int_equal(boot_options.com1.baud, 115200);
	assert_int_equal(boot_options.com1.port, 0x3e8);
	assert_int_equal(boot_options.com1.irq, 5);
	assert_int_equal(boot_options.com2.baud, 0);
	assert_int_equal(boot_options.com2.port, 0x2f8);
	assert_string_equal(boot_options.console, "com2");
	assert_true(boot_options.console_vga);
	cmdline_parse("console=com1");
	assert_false(boot_options.console_vga);
	cmdline_parse("console=vga");
	assert_string_equal(boot_options.console, "none");
	assert_true(boot_options.console_vga);
	assert_string_equal(warning, "");
}

static void log_levels(void **state)
{
	assert_true(boot_options.guest_loglvl < LOG_ERR &&
		    boot_options.guest_loglvl_limited < LOG_ERR);
	cmdline_parse("loglvl=all guest_loglvl=error/warning");
	assert_int_equal(boot_options.loglvl, LOG_DEBUG);
	assert_int_equal(boot_options.guest_loglvl, LOG_ERR);
	assert_int_equal(boot_options.guest_loglvl_limited, LOG_WARN);
	cmdline_parse("loglvl=error/info guest_loglvl=all");
	assert_int_equal(boot_options.loglvl, LOG_INFO);
	assert_int_equal(boot_options.guest_loglvl, LOG_DEBUG);
	assert_int_equal(boot_options.guest_loglvl_limited, LOG_DEBUG);
	cmdline_parse("loglvl=none");
	assert_true(boot_options.loglvl < LOG_ERR);
}

static void vcpus_may_be_a_range(void **state)
{
	cmdline_parse("dom0_max_vcpus=2-4");
	assert_int_equal(boot_options.dom0_max_vcpus, 4);
	cmdline_parse("dom0_max_vcpus=3 dom0_vcpus_pin");
	assert_int_equal(boot_options.dom0_max_vcpus, 3);
	assert_true(boot_options.dom0_vcpus_pin);
}

static void serial_port_of_a_pci_card(void **state)
{
	static const struct {
		const char *line;
		u16 function;
	} forms[] = {
		{ "com1=115200,8n1,pci", 0 },
		{ "com1=,,pci", 0 },
		{ "com1=auto,8n1,pci,10", 0 },
		{ "com1=115200,8n1,pci,msi,02:1f.7", 0x02ff },
		{ "com1=115200,8n1,pci,,0:00:04.0", 0x0020 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		reset(NULL);
		cmdline_parse(forms[i].line);
		assert_string_equal(warning, "");
		assert_true(boot_options.com1.pci);
		assert_int_equal(boot_options.com1.port, 0);
		assert_int_equal(boot_options.com1.irq, 0);
		assert_int_equal(boot_options.com1.pci_function, forms[i].function);
	}
	cmdline_parse("com1=115200,8n1,0x3f8,4");
	assert_false(boot_options.com1.pci);
}

static void unknown_option_is_named(void **state)
{
	cmdline_parse("nonsense=1");
	assert_non_null(strstr(warning, "nonsense"));
}

static void bad_values_change_nothing(void **state)
{
	static const char *const lines[] = {
		"dom0_mem=",
		"dom0_mem=1X",
		"dom0_mem=1G,",
		"dom0_mem=999999999999T",
		"com1=115200,7e1",
		"com1=115200,8n1,0x3f8,99",
		"com1=115200,8n1,pcix",
		"com1=115200,8n1,pci,5x",
		"com1=115200,8n1,pci,5,",
		"com1=115200,8n1,pci,5,00:20.0",
		"com1=115200,8n1,pci,5,1:00:04.0",
		"com1=115200,8n1,pci,5,100:04.0",
		"com1=115200,8n1,pci,5,00:04.8",
		"com1=115200,8n1,pci,5,00:04.0,1",
		"maxcpus=two",
		"maxcpus=4294967296",
		"loglvl=loud",
		"noreboot=perhaps",
		"console=tape",
		"sched=null",
		"guest_loglvl=/",
		"dom0_mem=101%",
		"dom0_mem=1G+",
		"dom0_mem=1G+5",
		"dom0_mem=--1G",
		"dom0_mem=10%+1G",
		"guest_loglvl=all/loud",
		"loglvl=all/loud",
		"sync_console=perhaps",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		reset(NULL);
		cmdline_parse(lines[i]);
		assert_string_not_equal(warning, "");
		memcpy(boot_options.text, defaults.text, sizeof(defaults.text));
		assert_memory_equal(&boot_options, &defaults, sizeof(defaults));
	}
}

static void long_words_are_cut_safely(void **state)
{
	char line[4000];

	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	cmdline_parse(line);
	assert_int_equal(strlen(boot_options.text), sizeof(boot_options.text) - 1);
	assert_string_not_equal(warning, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_line_is_kept, reset),
		cmocka_unit_test_setup(serial_forms, reset),
		cmocka_unit_test_setup(log_levels, reset),
		cmocka_unit_test_setup(vcpus_may_be_a_range, reset),
		cmocka_unit_test_setup(serial_port_of_a_pci_card, reset),
		cmocka_unit_test_setup(unknown_option_is_named, reset),
		cmocka_unit_test_setup(bad_values_change_nothing, reset),
		cmocka_unit_test_setup(long_words_are_cut_safely, reset),
	};

	return cmocka_run_group_tests(tests, keep_defaults, NULL);
}
