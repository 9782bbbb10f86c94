/* SPDX-License-Identifier: MIT */
/* Files of the kinds that people have, in tests/config/good. */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "lib/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "config_text.h"

/*
 * Reads a file of tests/config/good. Each comment "#-> LINE:COLUMN: KEY" announces a warning about
 * the key, and no other message may come.
 */
static struct config *read_good(const char *name)
{
	struct str path = STR_INIT, text = STR_INIT, expected = STR_INIT, said = STR_INIT;
	struct config_diags diags = { .directory = "/here" };
	struct config *c;
	char *mark;

	str_printf(&path, "tests/config/good/%s", name);
	assert_int_equal(file_read(str_text(&path), 65536, &text, NULL), 0);
	for (mark = text.text; (mark = strstr(mark, "#-> ")); mark++)
		str_printf(&expected, "%.*s\n", (int)strcspn(mark + 4, "\n"), mark + 4);
	c = config_parse(text.text, strlen(text.text), name, NULL, 0, &diags);
	for (size_t i = 0; i < diags.nr; i++)
		str_printf(&said, "%u:%u: %.*s\n", diags.list[i].pos.line, diags.list[i].pos.column,
			   (int)strcspn(diags.list[i].text, " "), diags.list[i].text);
	assert_string_equal(str_text(&said), str_text(&expected));
	assert_non_null(c);
	config_diags_free(&diags);
	str_free(&path);
	str_free(&text);
	str_free(&expected);
	str_free(&said);
	return c;
}

/* Each is taken with the warnings that it announces, and its JSON form is the same configuration.
 */
static void files_that_people_have_are_taken(void **state)
{
	DIR *directory = opendir("tests/config/good");
	unsigned int count = 0;
	struct dirent *entry;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		struct json_object *o, *again;
		struct config *c, *copy;

		if (*entry->d_name == '.')
			continue;
		c = read_good(entry->d_name);
		o = config_to_json(c);
		copy = config_from_json(o, NULL);
		assert_non_null(copy);
		again = config_to_json(copy);
		assert_true(json_object_equal(o, again));
		json_object_put(o);
		json_object_put(again);
		config_free(c);
		config_free(copy);
		count++;
	}
	closedir(directory);
	assert_true(count > 35);
}

static void what_they_mean_is_kept(void **state)
{
	struct config *c = read_good("scripts");

	assert_string_equal(c->disk[1].target,
			    "iqn=iqn.2026-01.org.example:app,portal=192.0.2.2:3260");
	assert_string_equal(c->disk[2].target, "192.0.2.2 10809");
	assert_string_equal(c->disk[3].script, "block-of-ours");
	assert_string_equal(c->disk[3].target, "anything, with commas");
	config_free(c);
	c = read_good("unikernel");
	assert_string_equal(c->kernel, "/here/hello.xen");
	assert_string_equal(c->disk[1].target, "/here/../other.img");
	config_free(c);
	c = read_good("numbers");
	assert_int_equal(config_vdev_number(c->disk[0].vdev), 0);
	assert_int_equal(config_vdev_number(c->disk[3].vdev), 202 << 8 | 5 << 4 | 2);
	config_free(c);
	c = read_good("drives");
	assert_int_equal(c->nr_disk, 1);
	assert_int_equal(c->disk[0].type, CONFIG_DISK_PHY);
	config_free(c);
	c = read_good("cloud");
	assert_int_equal(c->vfb[0].vncdisplay, 226);
	assert_false(c->vfb[0].vncunused);
	config_free(c);
	c = read_good("commas");
	assert_null(c->vif[4].ip);
	assert_string_equal(c->vif[7].bridge, "b");
	config_free(c);
}

static void files_of_other_programs_are_understood(void **state)
{
	struct config *c = read_good("installer");

	assert_string_equal(c->bootloader, "/usr/bin/pygrub");
	assert_string_equal(c->disk[0].target, "/var/lib/xen/images/rhel5.img");
	assert_int_equal(c->disk[0].type, CONFIG_DISK_FILE);
	config_free(c);
	c = read_good("image-maker");
	assert_int_equal(c->memory, 512);
	assert_int_equal(c->vcpus, 2);
	assert_int_equal(c->nr_disk, 2);
	assert_string_equal(c->vif[0].mac, "00:16:3e:66:9c:57");
	config_free(c);
	c = read_good("cluster");
	assert_string_equal(c->vif[0].ip, "198.51.100.7");
	assert_int_equal(c->disk[1].mode, CONFIG_DISK_READ);
	config_free(c);
	c = read_good("ganeti");
	assert_int_equal(c->nr_cpus, 1);
	assert_string_equal(c->cpus[0], "0,1");
	assert_int_equal(c->on_poweroff, CONFIG_PRESERVE);
	assert_string_equal(c->disk[0].target, "/var/run/ganeti/instance-disks/g1.lab:0");
	assert_string_equal(c->vif[1].ip, "10.77.0.21");
	config_free(c);
	c = read_good("xl");
	assert_int_equal(config_maxvcpus(c), 4);
	assert_true(c->disk[1].cdrom);
	assert_int_equal(c->on_crash, CONFIG_PRESERVE);
	config_free(c);
}

static void the_old_example_is_understood(void **state)
{
	struct config *c = read_good("old-example");
	char *line = config_cmdline(c);

	assert_string_equal(c->disk[0].target, "/dev/hda1");
	assert_string_equal(
		line, "ip=192.0.2.7::192.0.2.1:255.255.255.0:vm7:eth0:off root=/dev/hda1 ro 4");
	assert_int_equal(c->on_crash, CONFIG_RENAME_RESTART);
	free(line);
	config_free(c);
}

/* What xl 4.17 and xm of Xen 3 and 4 make of spellings that are easily taken otherwise. */
static void odd_spellings_mean_what_they_meant(void **state)
{
	struct config *c = read_good("one-of-each");

	assert_string_equal(c->disk[0].target, "/dev/vg0/small");
	assert_string_equal(c->vif[0].mac, "00:16:3e:00:00:07");
	assert_string_equal(c->vfb[0].vnclisten, "0.0.0.0");
	config_free(c);
	c = read_good("counted");
	assert_int_equal(c->memory, 0x100);
	assert_int_equal(c->maxmem, 01000);
	assert_int_equal(c->vcpus, 1);
	assert_int_equal(c->max_event_channels, 1023);
	config_free(c);
	c = read_good("boot-arguments");
	assert_int_equal(c->nr_bootargs, 3);
	assert_string_equal(c->bootargs[1], "--args=root=/dev/xvda1 ro");
	config_free(c);
	c = read_good("mixed-parts");
	assert_string_equal(c->disk[0].vdev, "xvda");
	assert_int_equal(c->disk[1].mode, CONFIG_DISK_READ);
	assert_string_equal(c->disk[2].vdev, "xvdc");
	assert_string_equal(c->disk[3].target, "/srv/with,comma.img");
	config_free(c);
	c = read_good("other-line-ends");
	assert_int_equal(c->nr_disk, 2);
	assert_string_equal(c->extra, "quiet splash");
	config_free(c);
}

static void names_and_ends_are_those_of_the_file(void **state)
{
	struct config *c = read_good("spoken-name");
	char *line;

	assert_string_equal(c->name, "Mail server (old), K\xc3\xb6ln");
	assert_int_equal(c->on_poweroff, CONFIG_COREDUMP_DESTROY);
	assert_int_equal(c->on_reboot, CONFIG_COREDUMP_RESTART);
	assert_int_equal(c->on_watchdog, CONFIG_COREDUMP_RESTART);
	config_free(c);
	c = read_good("dotted-keys");
	assert_int_equal(c->on_reboot, CONFIG_RESTART);
	assert_false(config_is_set(c, "on_watchdog"));
	config_free(c);
	c = read_good("diskless");
	line = config_cmdline(c);
	assert_string_equal(c->name, "42");
	assert_int_equal(c->memory, 64);
	assert_string_equal(line, "ip=192.0.2.42:::255.255.255.0::eth0:off root=/dev/nfs "
				  "nfsroot=/srv/root/node42");
	free(line);
	config_free(c);
	c = read_good("by-dhcp");
	line = config_cmdline(c);
	assert_string_equal(line, "ip=:::::eth0:dhcp console=hvc0\tpanic=5");
	free(line);
	config_free(c);
}

/* A prefix that no table has is a script's, if the host has that script. */
static void a_prefix_can_be_a_script_of_the_host(void **state)
{
	char directory[] = "/tmp/scripts-XXXXXX", path[64];
	static const char text[] = "name='g'\nkernel='/k'\ndisk=['rbd:pool/image,xvda,w']\n";
	struct config_diags diags = { 0 };
	struct config *c;
	int fd;

	assert_non_null(mkdtemp(directory));
	diags.scripts = directory;
	assert_null(config_parse(text, strlen(text), "f", NULL, 0, &diags));
	assert_non_null(strstr(diags.list[0].text, "(block-rbd)"));
	config_diags_free(&diags);
	snprintf(path, sizeof(path), "%s/block-rbd", directory);
	fd = open(path, O_CREAT | O_WRONLY, 0755);
	assert_true(fd >= 0);
	close(fd);
	diags.scripts = directory;
	c = config_parse(text, strlen(text), "f", NULL, 0, &diags);
	assert_non_null(c);
	assert_string_equal(c->disk[0].script, "block-rbd");
	assert_string_equal(c->disk[0].target, "pool/image");
	config_free(c);
	config_diags_free(&diags);
	unlink(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_people_have_are_taken),
		cmocka_unit_test(what_they_mean_is_kept),
		cmocka_unit_test(files_of_other_programs_are_understood),
		cmocka_unit_test(the_old_example_is_understood),
		cmocka_unit_test(odd_spellings_mean_what_they_meant),
		cmocka_unit_test(names_and_ends_are_those_of_the_file),
		cmocka_unit_test(a_prefix_can_be_a_script_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
