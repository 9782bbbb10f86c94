/* SPDX-License-Identifier: MIT */
/* Configuration files and arguments: their syntax, their keys, and what is said about them. */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include <stdlib.h>
#include "config_text.h"

static void defaults_fill_what_is_not_said(void **state)
{
	struct config *c = parse(BASE);

	assert_string_equal(c->name, "g");
	assert_null(c->uuid);
	assert_int_equal(c->memory, 128);
	assert_int_equal(config_maxmem(c), 128);
	assert_int_equal(c->vcpus, 1);
	assert_int_equal(config_maxvcpus(c), 1);
	assert_int_equal(c->cpu_weight, 256);
	assert_int_equal(c->cpu_cap, 0);
	assert_int_equal(c->on_poweroff, CONFIG_DESTROY);
	assert_int_equal(c->on_reboot, CONFIG_RESTART);
	assert_int_equal(c->on_crash, CONFIG_RESTART);
	assert_int_equal(c->on_xend_start, CONFIG_START_IGNORE);
	assert_int_equal(c->max_grant_frames, 64);
	assert_int_equal(c->nr_disk, 0);
	assert_true(config_is_set(c, "name"));
	assert_false(config_is_set(c, "memory"));
	assert_false(config_is_set(c, "nonsense"));
	config_free(c);
}

static void the_syntax_of_both_toolstacks_is_read(void **state)
{
	check_json(
		"\xef\xbb\xbf# a guest\r\n"
		"name = 'g1' # its name\r\n"
		"kernel=\"/boot/vmlinuz\";memory=0x100;vcpus=\"2\"\n"
		"\n;;\n"
		"  extra = \"quiet\"\n"
		"extra += ' it\\'s \\x41\\102 \\\\'\n"
		"root = \"a\\\n"
		"b\"\n"
		"ramdisk = \\\n"
		"  '/r'\n"
		"bootargs = [ \"-q\", # quiet\n"
		"\t'--entry=1',\n"
		"]\n"
		"bootargs += [ 'x' ]\n"
		"cpus = [ '0', 1 ]\n"
		"vif = [ ]\n"
		"description = None\n",
		"{\"name\":\"g1\",\"kernel\":\"/boot/vmlinuz\",\"ramdisk\":\"/r\",\"root\":\"ab\","
		"\"extra\":\"quiet it's AB "
		"\\\\\",\"bootargs\":[\"-q\",\"--entry=1\",\"x\"],\"memory\":256,\"vcpus\":2,"
		"\"cpus\":[\"0\",\"1\"],\"vif\":[]}");
}

static void sizes_have_units(void **state)
{
	check_json(BASE "memory = '1g'\nmaxmem = '2048M'",
		   "{\"name\":\"g\",\"kernel\":\"/k\",\"memory\":1024,\"maxmem\":2048}");
	check_json(BASE "memory = '1048576k'\nmaxmem = 0",
		   "{\"name\":\"g\",\"kernel\":\"/k\",\"memory\":1024}");
	check_json(BASE "memory = '256'", "{\"name\":\"g\",\"kernel\":\"/k\",\"memory\":256}");
}

static void other_names_mean_the_same(void **state)
{
	check_json(BASE "cap = 50\nbootloader_args = 'a  b'",
		   "{\"name\":\"g\",\"kernel\":\"/"
		   "k\",\"bootargs\":[\"a\",\"b\"],\"cpu_cap\":50}");
}

/* Ganeti writes it for a set that holds for all vCPUs. */
static void cpu_is_the_older_name_of_cpus(void **state)
{
	check_json(BASE "cpu = \"0,1\"", "{\"name\":\"g\",\"kernel\":\"/k\",\"cpus\":\"0,1\"}");
	check_json(BASE "cpu = 0", "{\"name\":\"g\",\"kernel\":\"/k\",\"cpus\":\"0\"}");
	check_json(BASE "cpu = -1", "{\"name\":\"g\",\"kernel\":\"/k\"}");
	check_json(BASE "cpu = ''\ncpus = 3", "{\"name\":\"g\",\"kernel\":\"/k\",\"cpus\":\"3\"}");
	check_json(BASE "cpu = 2\ncpus = ''", "{\"name\":\"g\",\"kernel\":\"/k\",\"cpus\":\"2\"}");
	config_free(parse_with(BASE "cpu = 2\ncpus = 3\n", NULL, 0,
			       "f:3:1: warning: cpu is not supported: it is the older name of "
			       "cpus, which is set, too\n"));
}

static void a_list_of_one_set_of_cpus_is_no_text(void **state)
{
	check_json(BASE "cpus = '1'\ncpus_soft = 'nodes:0'",
		   "{\"name\":\"g\",\"kernel\":\"/k\",\"cpus\":\"1\",\"cpus_soft\":\"nodes:0\"}");
	check_json(BASE "vcpus = 2\ncpus = [ 1 ]\ncpus_soft = [ '0', 'all' ]",
		   "{\"name\":\"g\",\"kernel\":\"/k\",\"vcpus\":2,\"cpus\":[\"1\"],"
		   "\"cpus_soft\":[\"0\",\"all\"]}");
}

static void words_and_identities_become_canonical(void **state)
{
	check_json(BASE "uuid = '6B3C7A102F4E4D7A9F0E0123456789AB'\non_crash = "
			"'Rename-Restart'\nbuilder='generic'",
		   "{\"name\":\"g\",\"uuid\":\"6b3c7a10-2f4e-4d7a-9f0e-0123456789ab\",\"builder\":"
		   "\"generic\","
		   "\"kernel\":\"/k\",\"on_crash\":\"rename-restart\"}");
}

/* --- keys without a meaning here --- */

static void what_has_no_effect_is_named(void **state)
{
	config_free(parse_with(
		BASE "acpi = 1\nvfb = [ 'type=vnc,sdl=1', 'type=sdl' ]\nlocaltime = 1\nvif = [ "
		     "'model=e1000' ]\n",
		NULL, 0,
		"f:3:1: warning: acpi is not supported: it is for fully virtualized guests\n"
		"f:4:19: warning: vfb sdl is not supported: the screen is shown by VNC only\n"
		"f:4:28: warning: vfb type has no effect: the screen is shown by VNC only\n"
		"f:5:1: warning: localtime is not supported: the guest's clock is UTC and its "
		"memory map plain\n"
		"f:6:10: warning: vif model is not supported: it is for fully virtualized "
		"guests\n"));
}

static void an_error_takes_the_place_of_a_warning(void **state)
{
	struct config_diags diags = { 0 };
	struct str text = STR_INIT;

	for (int i = 0; i <= CONFIG_MAX_DIAGS; i++)
		str_printf(&text, "unknown%d = 1\n", i);
	str_add(&text, BASE "vcpus = 600\n");
	assert_null(config_parse(str_text(&text), text.len, "f", NULL, 0, &diags));
	assert_int_equal(diags.nr, CONFIG_MAX_DIAGS);
	assert_true(diags.list[CONFIG_MAX_DIAGS - 1].is_error);
	assert_int_equal(diags.list[CONFIG_MAX_DIAGS - 1].pos.line, CONFIG_MAX_DIAGS + 4);
	config_diags_free(&diags);
	str_free(&text);
}

static void what_is_switched_off_is_fine(void **state)
{
	config_free(parse(
		BASE
		"acpi = 0\nvfb = []\ncpu = -1\nvnc = False\npci = []\nserial = ''\nusb = 'no'\n"));
}

/* Whoever wrote it may think of an emulated screen, which sdl = 0 only takes one end from. */
static void a_window_is_named_even_if_it_is_off(void **state)
{
	config_free(parse_with(
		BASE "sdl = 0\n", NULL, 0,
		"f:3:1: warning: sdl is not supported: a screen is shown by VNC only\n"));
}

/* As xm did: a file may leave its domain's name to its own. */
static void the_files_name_is_the_domains(void **state)
{
	struct config_diags diags = { .name = "web1" };
	struct config *c = config_parse("kernel='/k'", 11, "f", NULL, 0, &diags);

	assert_non_null(c);
	assert_string_equal(c->name, "web1");
	config_free(c);
	c = config_parse(BASE, strlen(BASE), "f", NULL, 0, &diags);
	assert_string_equal(c->name, "g");
	config_free(c);
	diags.name = "no/name";
	assert_null(config_parse("kernel='/k'", 11, "f", NULL, 0, &diags));
	config_diags_free(&diags);
}

static void a_value_that_replaces_another_is_named(void **state)
{
	struct config *c = parse_with(
		BASE "memory = 64\nmemory = 256\n", NULL, 0,
		"f:4:1: warning: memory is set again (first in line 3): this value counts\n");

	assert_int_equal(c->memory, 256);
	config_free(c);
	c = parse_with(
		BASE "cap = 50\ncpu_cap = 60\n", NULL, 0,
		"f:4:1: warning: cpu_cap is set again (first in line 3): this value counts\n");
	assert_int_equal(c->cpu_cap, 60);
	config_free(c);
	config_free(parse_with(
		BASE "cmdline = 'a'\nextra = 'b'\n", NULL, 0,
		"f:4:1: warning: extra has no effect: cmdline is the whole command line\n"));
}

/* --- arguments --- */

static void arguments_count_more_than_the_file(void **state)
{
	static const char *const arguments[] = {
		"name=other",	     "memory=1g",  "extra=a=b 'c'",
		"vcpus=3",	     "root=\"q\"", "disk=phy:/dev/b,xvdb,w",
		"disk=phy:c,xvdc,r", "vif=",	   "cpus=0-2",
		"extra+= d",	     "cap=20"
	};
	struct config *c = parse_with(
		BASE
		"memory = 64\ndisk = [ 'phy:/dev/a,xvda,w' ]\nvif = ['']\nvcpus = 0\ncpu_cap = 9\n",
		arguments, sizeof(arguments) / sizeof(arguments[0]), "");

	assert_string_equal(c->name, "other");
	assert_int_equal(c->memory, 1024);
	assert_int_equal(c->vcpus, 3);
	assert_string_equal(c->extra, "a=b 'c'd");
	assert_string_equal(c->root, "q");
	assert_int_equal(c->nr_disk, 2);
	assert_string_equal(c->disk[0].vdev, "xvdb");
	assert_string_equal(c->disk[1].target, "/dev/c");
	assert_int_equal(c->nr_vif, 0);
	assert_string_equal(c->cpus[0], "0-2");
	assert_int_equal(c->cpu_cap, 20);
	config_free(c);
}

static void arguments_may_have_the_files_syntax(void **state)
{
	static const char *const arguments[] = { "vif=[ 'bridge=b', '' ]",
						 "disk+=['phy:/dev/b,xvdb,w']", "vif+=['']" };
	struct config *c = parse_with(BASE "disk = [ 'phy:/dev/a,xvda,w' ]\n", arguments, 3, "");

	assert_int_equal(c->nr_disk, 2);
	assert_int_equal(c->nr_vif, 3);
	assert_string_equal(c->vif[0].bridge, "b");
	config_free(c);
}

/* --- paths --- */

static void a_relative_path_is_below_the_callers_directory(void **state)
{
	static const char text[] = "name = 'g'\nkernel = 'mini-os.gz'\nramdisk = '/r'\n"
				   "disk = [ 'file:a.img,xvda,w', 'vdev=xvdb,target=b.img', "
				   "'phy:vg/c,xvdc,w', 'null,,xvdd,w', "
				   "'e,,xvde,w,backendtype=phy', 'drbd:f,xvdf,w' ]\n";
	static const char *const targets[] = { "/nowhere/a.img", "/nowhere/b.img", "/dev/vg/c",
					       "/dev/null",	 "/dev/e",	   "f" };
	struct config_diags diags = { .directory = "/nowhere" };
	struct config *c = config_parse(text, sizeof(text) - 1, "f", NULL, 0, &diags);
	struct config_disk d;

	assert_non_null(c);
	assert_string_equal(c->kernel, "/nowhere/mini-os.gz");
	assert_string_equal(c->ramdisk, "/r");
	assert_int_equal(c->nr_disk, 6);
	for (size_t i = 0; i < c->nr_disk; i++)
		assert_string_equal(c->disk[i].target, targets[i]);
	config_free(c);
	config_diags_free(&diags);
	assert_int_equal(config_disk_parse("file:a,xvda,w", "/nowhere", &d, NULL), 0);
	assert_string_equal(d.target, "/nowhere/a");
	config_disk_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_what_is_not_said),
		cmocka_unit_test(the_syntax_of_both_toolstacks_is_read),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(other_names_mean_the_same),
		cmocka_unit_test(cpu_is_the_older_name_of_cpus),
		cmocka_unit_test(a_list_of_one_set_of_cpus_is_no_text),
		cmocka_unit_test(words_and_identities_become_canonical),
		cmocka_unit_test(what_has_no_effect_is_named),
		cmocka_unit_test(an_error_takes_the_place_of_a_warning),
		cmocka_unit_test(what_is_switched_off_is_fine),
		cmocka_unit_test(a_window_is_named_even_if_it_is_off),
		cmocka_unit_test(the_files_name_is_the_domains),
		cmocka_unit_test(a_value_that_replaces_another_is_named),
		cmocka_unit_test(arguments_count_more_than_the_file),
		cmocka_unit_test(arguments_may_have_the_files_syntax),
		cmocka_unit_test(a_relative_path_is_below_the_callers_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
