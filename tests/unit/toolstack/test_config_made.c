/* SPDX-License-Identifier: MIT */
/* What is made of a configuration: its command line, its JSON, its copies, the long list. */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "config/schema.h"
#include <errno.h>
#include <stdlib.h>
#include "config_text.h"

/* --- what is made of it --- */

static void check_cmdline(const char *text, const char *line)
{
	struct config *c = parse(text);
	char *made = config_cmdline(c);

	assert_string_equal(made, line);
	free(made);
	config_free(c);
}

static void the_command_line_is_put_together(void **state)
{
	check_cmdline(BASE, "");
	check_cmdline(BASE "root='/dev/xvda ro'\nextra='quiet'", "root=/dev/xvda ro quiet");
	check_cmdline(BASE "extra='quiet'", "quiet");
	check_cmdline(BASE "extra=4", "4");
	check_cmdline(BASE "cmdline='all of it'", "all of it");
	check_cmdline(BASE "dhcp='dhcp'\nroot='/dev/xvda'", "ip=:::::eth0:dhcp root=/dev/xvda");
	check_cmdline(BASE "dhcp='dhcp'\ninterface='eth1'", "ip=:::::eth1:dhcp");
	check_cmdline(BASE "ip='10.0.0.2'\ngateway='10.0.0.1'\nnetmask='255.0.0.0'\nhostname='h'",
		      "ip=10.0.0.2::10.0.0.1:255.0.0.0:h:eth0:off");
	check_cmdline(BASE "nfs_server='10.0.0.9'\nnfs_root='/e'\nip='10.0.0.2'",
		      "ip=10.0.0.2:10.0.0.9::::eth0:off root=/dev/nfs nfsroot=/e");
}

static void a_command_line_that_is_too_long_is_refused(void **state)
{
	struct config_diags diags = { 0 };
	struct str text = STR_INIT;

	str_add(&text, BASE "extra = '");
	for (int i = 0; i < 1024; i++)
		str_add_char(&text, 'a');
	str_add(&text, "'\n");
	assert_null(config_parse(str_text(&text), text.len, "f", NULL, 0, &diags));
	assert_string_equal(diags.list[0].text,
			    "the kernel's command line has 1024 bytes: expected at most 1023");
	assert_int_equal(diags.list[0].pos.line, 3);
	config_diags_free(&diags);
	str_free(&text);
}

static void what_is_missing_is_generated_once(void **state)
{
	struct config *c = parse(BASE "vif = [ '', 'mac=00:16:3e:00:00:01' ]"), *copy;
	struct json_object *o;
	char *canonical;

	config_generate(c);
	canonical = config_uuid_parse(c->uuid);
	assert_string_equal(canonical, c->uuid);
	assert_int_equal(c->uuid[14], '4');
	assert_true(str_starts(c->vif[0].mac, "00:16:3e:"));
	assert_string_equal(c->vif[1].mac, "00:16:3e:00:00:01");
	o = config_to_json(c);
	copy = config_from_json(o, NULL);
	json_object_put(o);
	config_generate(copy);
	assert_string_equal(copy->uuid, c->uuid);
	assert_string_equal(copy->vif[0].mac, c->vif[0].mac);
	free(canonical);
	config_free(copy);
	config_free(c);
}

static void check_is(const struct config *c, struct json_object *json)
{
	struct json_object *o = config_to_json(c);

	assert_true(json_object_equal(o, json));
	json_object_put(o);
}

static void a_copy_is_changed_and_its_original_is_not(void **state)
{
	static const char text[] = BASE
		"cpus = [ '0', '1' ]\nvcpus = 2\nmemory = 64\nmaxmem = 128\n"
		"disk = [ 'phy:/dev/a,xvda,w', 'phy:/dev/b,xvdb,r' ]\nvif = [ 'ip=10.0.0.1' ]\n";
	struct config *c = parse(text), *copy = config_copy(c);
	struct json_object *before = config_to_json(c);
	struct config_disk disk;
	struct error *e = NULL;

	check_is(copy, before);
	assert_int_equal(config_set_text(copy, "name", "no/name", &e), -EINVAL);
	error_free(&e);
	assert_string_equal(copy->name, c->name);
	assert_int_equal(config_set_text(copy, "name", "other", NULL), 0);
	assert_string_equal(copy->name, "other");
	assert_int_equal(config_set_mib(copy, "maxmem", CONFIG_MEMORY_MAX + 1, &e), -EINVAL);
	error_free(&e);
	assert_int_equal(copy->maxmem, 128);
	assert_int_equal(config_set_mib(copy, "maxmem", 256, NULL), 0);
	assert_int_equal(copy->maxmem, 256);
	assert_int_equal(config_disk_parse("phy:/dev/c,xvdc,w", NULL, &disk, NULL), 0);
	config_remove_devices(copy);
	config_add_disk(copy, &disk);
	config_disk_free(&disk);
	assert_int_equal(copy->nr_disk, 1);
	assert_int_equal(copy->nr_vif, 0);
	assert_string_equal(copy->disk[0].target, "/dev/c");

	check_is(c, before);
	json_object_put(before);
	config_free(copy);
	config_free(c);
}

static void json_is_checked_like_a_file(void **state)
{
	static const char bad[] =
		"{\"name\":\"a/b\",\"kernel\":\"/k\",\"memory\":1.5,\"memroy\":1,\"vcpus\":-1,"
		"\"disk\":[{\"vdev\":\"xvda\"},5],\"extra\":\"a\\u0000b\",\"vif\":{},\"cap\":1,"
		"\"cpu_cap\":2}";
	struct json_object *o = json_parse(bad, sizeof(bad) - 1, NULL);
	struct error *e = NULL;

	assert_null(config_from_json(o, &e));
	assert_string_equal(
		error_text(e),
		"name: expected a name of at most 200 bytes in one line, without / and without a - "
		"before it, found "
		"\"a/b\"; "
		"memory: expected a size of 4 to 4194304 MiB: a number of MiB, or one with a unit "
		"as in "
		"\"2g\", found a "
		"number with a fraction; "
		"memroy: there is no such key, did you mean memory?; "
		"vcpus: expected a whole number of CPUs from 1 to 512, found -1; "
		"disk[0]: disk target is missing: expected an absolute path; "
		"disk[1]: disk: expected a string such as \"phy:/dev/vg/guest,xvda,w\", found 5; "
		"extra: expected a string in one line, in UTF-8, found \"a?b\"; "
		"vif: expected a list such as [ \"mac=00:16:3e:01:02:03,bridge=xenbr0\" ], found "
		"an object; "
		"cap and cpu_cap say the same: expected one of them.");
	error_free(&e);
	json_object_put(o);
	o = json_new_array();
	assert_null(config_from_json(o, &e));
	assert_string_equal(error_text(e), "A configuration must be a JSON object.");
	error_free(&e);
	json_object_put(o);
	assert_null(config_from_json(NULL, &e));
	error_free(&e);
}

static void the_long_list_shows_it_as_xm_did(void **state)
{
	struct config *c =
		parse("name='g1'\nuuid='6b3c7a10-2f4e-4d7a-9f0e-0123456789ab'\nkernel='/"
		      "boot/k'\nmemory=128\n"
		      "extra='quiet'\ncpus='0-1'\ncpus_soft=[0]\n"
		      "disk=['file:/a,xvda,w','drbd:app01,xvdb,w','tap:qcow2:/c,xvdc,r']\n"
		      "vif=['bridge=xenbr0,mac=00:16:3e:00:00:01']\n"
		      "vfb=['vncpasswd=secret']\n");
	struct config_live live = { .domid = 3,
				    .memory_mb = 100,
				    .online_vcpus = 1,
				    .state = "-b----",
				    .status = 2,
				    .cpu_ns = 1500000000,
				    .start_time = 1000 };
	struct sexp *s = config_to_sexp(c, &live);
	const char *memory = NULL;
	struct str out = STR_INIT;

	sexp_print(s, &out);
	assert_string_equal(str_text(&out), "(domain\n"
					    "    (domid 3)\n"
					    "    (name g1)\n"
					    "    (uuid 6b3c7a10-2f4e-4d7a-9f0e-0123456789ab)\n"
					    "    (vcpus 1)\n"
					    "    (cpus 0-1)\n"
					    "    (cpus_soft 0)\n"
					    "    (cpu_weight 256)\n"
					    "    (cpu_cap 0)\n"
					    "    (memory 100)\n"
					    "    (maxmem 128)\n"
					    "    (bootloader )\n"
					    "    (bootloader_args )\n"
					    "    (on_poweroff destroy)\n"
					    "    (on_reboot restart)\n"
					    "    (on_crash restart)\n"
					    "    (on_xend_start ignore)\n"
					    "    (on_xend_stop ignore)\n"
					    "    (image\n"
					    "        (linux\n"
					    "            (kernel /boot/k)\n"
					    "            (args quiet)\n"
					    "        )\n"
					    "    )\n"
					    "    (status 2)\n"
					    "    (state -b----)\n"
					    "    (cpu_time 1.500000000)\n"
					    "    (online_vcpus 1)\n"
					    "    (start_time 1000.0)\n"
					    "    (device\n"
					    "        (vbd\n"
					    "            (uname file:/a)\n"
					    "            (dev xvda:disk)\n"
					    "            (mode w)\n"
					    "            (backend 0)\n"
					    "        )\n"
					    "    )\n"
					    "    (device\n"
					    "        (vbd\n"
					    "            (uname drbd:app01)\n"
					    "            (dev xvdb:disk)\n"
					    "            (mode w)\n"
					    "            (backend 0)\n"
					    "        )\n"
					    "    )\n"
					    "    (device\n"
					    "        (vbd\n"
					    "            (uname tap:qcow2:/c)\n"
					    "            (dev xvdc:disk)\n"
					    "            (mode r)\n"
					    "            (backend 0)\n"
					    "        )\n"
					    "    )\n"
					    "    (device\n"
					    "        (vif\n"
					    "            (bridge xenbr0)\n"
					    "            (mac 00:16:3e:00:00:01)\n"
					    "            (type netfront)\n"
					    "            (backend 0)\n"
					    "        )\n"
					    "    )\n"
					    "    (device\n"
					    "        (vfb\n"
					    "            (vnc 1)\n"
					    "            (vncdisplay 0)\n"
					    "            (vncunused 1)\n"
					    "        )\n"
					    "    )\n"
					    ")\n");
	str_free(&out);
	sexp_free(s);
	s = config_to_sexp(c, NULL);
	for (size_t i = 1; i < s->nr; i++) {
		const char *key = sexp_head(s->items[i]);

		assert_true(strcmp(key, "domid") && strcmp(key, "status"));
		memory = strcmp(key, "memory") ? memory : s->items[i]->items[1]->text;
		if (!strcmp(key, "memory"))
			assert_string_equal(memory, "128");
	}
	assert_non_null(memory);
	sexp_free(s);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_line_is_put_together),
		cmocka_unit_test(a_command_line_that_is_too_long_is_refused),
		cmocka_unit_test(what_is_missing_is_generated_once),
		cmocka_unit_test(a_copy_is_changed_and_its_original_is_not),
		cmocka_unit_test(json_is_checked_like_a_file),
		cmocka_unit_test(the_long_list_shows_it_as_xm_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
