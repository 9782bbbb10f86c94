/* SPDX-License-Identifier: MIT */
/* Configuration files, arguments and JSON, and everything that is made of them. */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "config/config.h"
#include "config/schema.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/str.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

#define BASE "name = \"g\"\nkernel = \"/k\"\n"

static struct config *parse_with(const char *text, const char *const *arguments, size_t nr,
				 const char *said)
{
	struct config_diags diags = { 0 };
	struct config *c = config_parse(text, strlen(text), "f", arguments, nr, &diags);
	struct str s = STR_INIT;

	config_diags_print(&diags, &s);
	assert_string_equal(str_text(&s), said);
	assert_non_null(c);
	str_free(&s);
	config_diags_free(&diags);
	return c;
}

static struct config *parse(const char *text)
{
	return parse_with(text, NULL, 0, "");
}

/* The JSON form of the file must be this. */
static void check_json(const char *text, const char *json)
{
	struct config *c = parse(text);
	struct json_object *o = config_to_json(c);
	struct str s = STR_INIT;

	json_print(o, &s);
	assert_string_equal(str_text(&s), json);
	str_free(&s);
	json_object_put(o);
	config_free(c);
}

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
	check_json(BASE "cap = 50\ncpu = 2\nbootloader_args = 'a  b'",
		   "{\"name\":\"g\",\"kernel\":\"/"
		   "k\",\"bootargs\":[\"a\",\"b\"],\"cpus\":\"2\",\"cpu_cap\":50}");
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

/* --- disks --- */

static void check_disk(const char *text, const char *json)
{
	struct error *e = NULL;
	struct config_disk d, again;
	struct json_object *o;
	struct str s = STR_INIT;

	assert_int_equal(config_disk_parse(text, NULL, &d, &e), 0);
	o = config_disk_to_json(&d);
	json_print(o, &s);
	assert_string_equal(str_text(&s), json);
	assert_int_equal(schema_from_json(&config_disk_schema, &again, o, &e), 0);
	assert_string_equal(again.target, d.target);
	assert_int_equal(again.mode, d.mode);
	assert_int_equal(again.type, d.type);
	assert_int_equal(again.cdrom, d.cdrom);
	config_disk_free(&again);
	config_disk_free(&d);
	json_object_put(o);
	str_free(&s);
}

#define DISK(type, target, vdev, mode, cdrom, shared)                                             \
	"{\"type\":\"" type "\",\"target\":\"" target "\",\"vdev\":\"" vdev "\",\"mode\":\"" mode \
	"\",\"cdrom\":" cdrom ",\"shared\":" shared ",\"format\":\"raw\",\"trusted\":true,"       \
	"\"discard\":true,\"direct_io_safe\":false,\"backend\":\"0\"}"

static void disks_of_xm_are_read(void **state)
{
	check_disk("phy:/dev/vg/a,xvda,w", DISK("phy", "/dev/vg/a", "xvda", "w", "false", "false"));
	check_disk("phy:vg/a,sda1,r", DISK("phy", "/dev/vg/a", "sda1", "r", "false", "false"));
	check_disk("file:/srv/a.img,xvdb,w!",
		   DISK("file", "/srv/a.img", "xvdb", "w", "false", "true"));
	check_disk("tap:aio:/srv/a.img,xvdc:disk,ro",
		   DISK("file", "/srv/a.img", "xvdc", "r", "false", "false"));
	check_disk("file:/srv/a.iso,hdc:cdrom,r",
		   DISK("file", "/srv/a.iso", "hdc", "r", "true", "false"));
	check_disk(" phy:/dev/a , xvda , rw ",
		   DISK("phy", "/dev/a", "xvda", "w", "false", "false"));
}

static void disks_of_xl_are_read(void **state)
{
	check_disk("/dev/vg/a,,xvda", DISK("phy", "/dev/vg/a", "xvda", "w", "false", "false"));
	check_disk("/srv/a.img,raw,xvda,r",
		   DISK("file", "/srv/a.img", "xvda", "r", "false", "false"));
	check_disk("format=raw, vdev=xvda, access=ro, target=/srv/a,b=c.img",
		   DISK("file", "/srv/a,b=c.img", "xvda", "r", "false", "false"));
	check_disk("/srv/a.iso,raw,xvdb,cdrom",
		   DISK("file", "/srv/a.iso", "xvdb", "r", "true", "false"));
	check_disk("/srv/a.iso,raw,devtype=cdrom,vdev=xvdb",
		   DISK("file", "/srv/a.iso", "xvdb", "r", "true", "false"));
	check_disk("vdev=xvdb,backendtype=phy,target=/srv/link",
		   DISK("phy", "/srv/link", "xvdb", "w", "false", "false"));
	check_disk("/srv/a=b.img,raw,xvda,w",
		   DISK("file", "/srv/a=b.img", "xvda", "w", "false", "false"));
}

/* The examples of xl-disk-configuration(5), and parts in other places. */
static void disks_may_have_any_order(void **state)
{
	static const char *const drives[] = { ",hdc:cdrom,r",
					      ",,hdc:cdrom,r",
					      ",,hdc,cdrom",
					      ",,hdc,,cdrom",
					      ",empty,hdc:cdrom,r",
					      "cdrom,vdev=hdc",
					      "vdev=hdc, access=r, devtype=cdrom, target=" };
	struct config_disk d;

	check_disk("/dev/vg/v,,hda", DISK("phy", "/dev/vg/v", "hda", "w", "false", "false"));
	check_disk("/dev/vg/v,raw,hda,rw", DISK("phy", "/dev/vg/v", "hda", "w", "false", "false"));
	check_disk("format=raw, vdev=hda, access=rw, target=/dev/vg/v",
		   DISK("phy", "/dev/vg/v", "hda", "w", "false", "false"));
	check_disk("raw:/dev/vg/v,hda,w", DISK("phy", "/dev/vg/v", "hda", "w", "false", "false"));
	check_disk("/root/image.iso,,hdc,cdrom",
		   DISK("file", "/root/image.iso", "hdc", "r", "true", "false"));
	check_disk("/root/image.iso,,hdc,,cdrom",
		   DISK("file", "/root/image.iso", "hdc", "r", "true", "false"));
	check_disk("/root/image.iso,raw,hdc,devtype=cdrom",
		   DISK("file", "/root/image.iso", "hdc", "r", "true", "false"));
	check_disk("raw:/root/image.iso,hdc:cdrom,ro",
		   DISK("file", "/root/image.iso", "hdc", "r", "true", "false"));
	check_disk("phy:/dev/a,xvda", DISK("phy", "/dev/a", "xvda", "w", "false", "false"));
	check_disk("phy:/dev/a,xvda,", DISK("phy", "/dev/a", "xvda", "w", "false", "false"));
	check_disk("phy:/dev/a,ioemu:hda,w,", DISK("phy", "/dev/a", "hda", "w", "false", "false"));
	check_disk("backend=0, phy:/dev/a, /dev/xvda, w, discard",
		   DISK("phy", "/dev/a", "xvda", "w", "false", "false"));
	check_disk("/srv/a,,xvda,w,access=r,backendtype=tap,specification=xen",
		   DISK("file", "/srv/a", "xvda", "r", "false", "false"));
	check_disk("file:/srv//a:b,d0,rw", DISK("file", "/srv//a:b", "d0", "w", "false", "false"));
	check_disk(",raw,xvda,w,target=/srv/a, b ",
		   DISK("file", "/srv/a, b", "xvda", "w", "false", "false"));
	for (size_t i = 0; i < sizeof(drives) / sizeof(drives[0]); i++) {
		assert_int_equal(config_disk_parse(drives[i], NULL, &d, NULL), 0);
		assert_null(d.target);
		assert_string_equal(d.vdev, "hdc");
		assert_true(d.cdrom);
		assert_int_equal(d.mode, CONFIG_DISK_READ);
		config_disk_free(&d);
	}
}

static void a_disk_may_need_a_script_or_qemu(void **state)
{
	struct config_disk d;

	assert_int_equal(config_disk_parse("drbd:app01,xvda,w", NULL, &d, NULL), 0);
	assert_string_equal(d.script, "block-drbd");
	assert_string_equal(d.target, "app01");
	assert_int_equal(d.type, CONFIG_DISK_PHY);
	config_disk_free(&d);
	assert_int_equal(
		config_disk_parse("iscsi:iqn=iqn.2026-01.org.example:a,portal=10.0.0.2:3260, "
				  "xvdb,w,backend=store",
				  NULL, &d, NULL),
		0);
	assert_string_equal(d.script, "block-iscsi");
	assert_string_equal(d.target, "iqn=iqn.2026-01.org.example:a,portal=10.0.0.2:3260");
	assert_string_equal(d.vdev, "xvdb");
	assert_string_equal(d.backend, "store");
	config_disk_free(&d);
	assert_int_equal(config_disk_parse("tap:qcow2:/srv/a,51712,w", NULL, &d, NULL), 0);
	assert_int_equal(d.type, CONFIG_DISK_QDISK);
	assert_int_equal(d.format, CONFIG_FORMAT_QCOW2);
	assert_string_equal(d.vdev, "51712");
	config_disk_free(&d);
	assert_int_equal(config_disk_parse("raw:/srv/a,d5p2,w,storage", NULL, &d, NULL), 0);
	assert_int_equal(d.type, CONFIG_DISK_FILE);
	assert_string_equal(d.backend, "storage");
	config_disk_free(&d);
	assert_int_equal(config_disk_parse("untrusted,no-discard,direct-io-safe,vdev=xvda,"
					   "script=block-nbd,target=10.0.0.1 99",
					   NULL, &d, NULL),
			 0);
	assert_false(d.trusted || d.discard);
	assert_true(d.direct_io_safe);
	assert_string_equal(d.target, "10.0.0.1 99");
	config_disk_free(&d);
	assert_int_equal(config_disk_parse("vdev=hdd,access=r,devtype=cdrom,target=", NULL, &d,
					   NULL),
			 0);
	assert_null(d.target);
	config_disk_free(&d);
}

static void the_backend_is_domain_0(void **state)
{
	struct config_disk d;

	assert_int_equal(config_disk_parse("phy:/dev/a,xvda,w,Domain-0", NULL, &d, NULL), 0);
	assert_string_equal(d.backend, "0");
	config_disk_free(&d);
	assert_int_equal(config_disk_parse("vdev=xvda,backend=0,target=/dev/a", NULL, &d, NULL), 0);
	assert_string_equal(d.backend, "0");
	config_disk_free(&d);
}

static void a_bad_disk_is_an_error_and_nothing_else(void **state)
{
	static const char json[] = "{\"target\":\"a\",\"vdev\":\"xvda\",\"mode\":3}";
	struct error *e = NULL;
	struct config_disk d;
	struct json_object *o = json_parse(json, strlen(json), NULL);

	assert_int_equal(config_disk_parse("phy:/dev/a,foo,q", NULL, &d, &e), -EINVAL);
	assert_string_equal(error_text(e), "disk vdev: expected a virtual disk such as xvda, "
					   "xvda1, sda or hda, found \"foo\"; "
					   "disk mode: expected \"r\" or \"w\", found \"q\".");
	assert_null(d.target);
	error_free(&e);
	assert_int_equal(schema_from_json(&config_disk_schema, &d, o, &e), -EINVAL);
	assert_string_equal(error_text(e), "disk mode: expected \"r\" or \"w\", found 3; "
					   "disk target: expected an absolute path, found \"a\".");
	error_free(&e);
	json_object_put(o);
}

/* --- interfaces --- */

static void interfaces_are_read(void **state)
{
	struct config_vif v;

	assert_int_equal(
		config_vif_parse(" mac=00-16-3E-0a-0B-0c, bridge = xenbr0,ip=10.0.0.1  "
				 "fe80::1/64,script=vif-route,"
				 "vifname=g.0,rate=10Mb/"
				 "s@50ms,backend=Domain-0,type=vif,mtu=9000,gatewaydev=eth0",
				 &v, NULL),
		0);
	assert_string_equal(v.mac, "00:16:3e:0a:0b:0c");
	assert_string_equal(v.bridge, "xenbr0");
	assert_string_equal(v.ip, "10.0.0.1 fe80::1/64");
	assert_string_equal(v.script, "vif-route");
	assert_string_equal(v.vifname, "g.0");
	assert_string_equal(v.rate, "10Mb/s@50ms");
	assert_string_equal(v.backend, "0");
	assert_string_equal(v.gatewaydev, "eth0");
	assert_int_equal(v.mtu, 9000);
	config_vif_free(&v);
	assert_int_equal(config_vif_parse("", &v, NULL), 0);
	assert_null(v.mac);
	assert_null(v.bridge);
	assert_string_equal(v.backend, "0");
	config_vif_free(&v);
	assert_int_equal(config_vif_parse("brigde=x", &v, NULL), -EINVAL);
}

static void a_mac_may_have_single_digits(void **state)
{
	static const char *const bad[] = { "0016.3e01.0229",  "00163e010229",	 "00:16:3e:1:2",
					   "0:16:3e:1:2:3:4", "001:16:3e:1:2:3", ":16:3e:1:2:3",
					   "0:16:3e:1:2:3:",  "0:16:3e:1:2:g",	 "",
					   "0:16:3e:1:2:3 " };
	char *mac = config_mac_parse("0:16:3E:1-2:29");

	assert_string_equal(mac, "00:16:3e:01:02:29");
	free(mac);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(config_mac_parse(bad[i]));
}

static void empty_parts_say_nothing(void **state)
{
	struct config_vif v;

	assert_int_equal(config_vif_parse(",bridge=b,, untrusted,", &v, NULL), 0);
	assert_string_equal(v.bridge, "b");
	assert_false(v.trusted);
	config_vif_free(&v);
	/* Nobody would see a warning about a word of a command. */
	assert_int_equal(config_vif_parse("xenbr0", &v, NULL), -EINVAL);
}

/* --- screens --- */

static void check_screen(const char *text, const char *listen, unsigned int display)
{
	struct config *c = parse(text);

	assert_int_equal(c->nr_vfb, 1);
	assert_string_equal(c->vfb[0].vnclisten, listen);
	assert_int_equal(c->vfb[0].vncdisplay, display);
	assert_true(c->vfb[0].vnc);
	config_free(c);
}

static void screens_are_read(void **state)
{
	struct config *c;

	check_screen(BASE "vfb = [ 'type=vnc,vnclisten=0.0.0.0:1,vncdisplay=7' ]", "0.0.0.0", 1);
	check_screen(BASE "vfb = [ 'vnclisten=[::1]:3' ]", "::1", 3);
	check_screen(BASE "vfb = [ 'vnclisten=::1:3' ]", "::1:3", 0);
	check_screen(BASE "vfb = [ 'vnclisten=localhost:4' ]", "127.0.0.1", 4);
	check_screen(BASE "vnc='1'\nvnclisten='localhost'\nvncunused='0'\nvncdisplay='226'",
		     "127.0.0.1", 226);
	check_screen(BASE "vnc=1\nvnclisten='10.0.0.1:2'\nvfb=[]", "10.0.0.1", 2);
	c = parse(BASE "vnc = 0\nvfb = []");
	assert_int_equal(c->nr_vfb, 0);
	config_free(c);
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
	str_add(&text, BASE "vcpus = 0\n");
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
		"acpi = 0\nvfb = []\nsdl = '0'\nvnc = False\npci = []\nserial = ''\nusb = 'no'\n"));
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
	assert_int_equal(config_set_text(copy, "name", "no name", &e), -EINVAL);
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
		"{\"name\":\"a b\",\"kernel\":\"/k\",\"memory\":1.5,\"memroy\":1,\"vcpus\":-1,"
		"\"disk\":[{\"vdev\":\"xvda\"},5],\"extra\":\"a\\u0000b\",\"vif\":{},\"cap\":1,"
		"\"cpu_cap\":2}";
	struct json_object *o = json_parse(bad, sizeof(bad) - 1, NULL);
	struct error *e = NULL;

	assert_null(config_from_json(o, &e));
	assert_string_equal(
		error_text(e),
		"name: expected a name of letters, digits and _ . : + - (64 at most, not digits "
		"only), found "
		"\"a b\"; "
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

/* --- files as they are in the world --- */

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
	assert_true(count > 20);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_what_is_not_said),
		cmocka_unit_test(the_syntax_of_both_toolstacks_is_read),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(other_names_mean_the_same),
		cmocka_unit_test(a_list_of_one_set_of_cpus_is_no_text),
		cmocka_unit_test(words_and_identities_become_canonical),
		cmocka_unit_test(disks_of_xm_are_read),
		cmocka_unit_test(disks_of_xl_are_read),
		cmocka_unit_test(disks_may_have_any_order),
		cmocka_unit_test(a_disk_may_need_a_script_or_qemu),
		cmocka_unit_test(the_backend_is_domain_0),
		cmocka_unit_test(a_bad_disk_is_an_error_and_nothing_else),
		cmocka_unit_test(interfaces_are_read),
		cmocka_unit_test(a_mac_may_have_single_digits),
		cmocka_unit_test(empty_parts_say_nothing),
		cmocka_unit_test(screens_are_read),
		cmocka_unit_test(what_has_no_effect_is_named),
		cmocka_unit_test(an_error_takes_the_place_of_a_warning),
		cmocka_unit_test(what_is_switched_off_is_fine),
		cmocka_unit_test(a_value_that_replaces_another_is_named),
		cmocka_unit_test(arguments_count_more_than_the_file),
		cmocka_unit_test(arguments_may_have_the_files_syntax),
		cmocka_unit_test(a_relative_path_is_below_the_callers_directory),
		cmocka_unit_test(the_command_line_is_put_together),
		cmocka_unit_test(a_command_line_that_is_too_long_is_refused),
		cmocka_unit_test(what_is_missing_is_generated_once),
		cmocka_unit_test(a_copy_is_changed_and_its_original_is_not),
		cmocka_unit_test(json_is_checked_like_a_file),
		cmocka_unit_test(the_long_list_shows_it_as_xm_did),
		cmocka_unit_test(files_that_people_have_are_taken),
		cmocka_unit_test(what_they_mean_is_kept),
		cmocka_unit_test(files_of_other_programs_are_understood),
		cmocka_unit_test(the_old_example_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
