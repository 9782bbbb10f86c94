/* SPDX-License-Identifier: MIT */
/* The texts of disks, interfaces and screens. */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "config/schema.h"
#include <errno.h>
#include <stdlib.h>
#include "config_text.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
