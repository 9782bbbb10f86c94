/* SPDX-License-Identifier: MIT */
/* The tables of keys that have an effect here; foreign.c has the known keys that have none. */
#include "config/schema.h"
#include "config/foreign.h"
#include "config/key_field.h"
#include <string.h>

/* A key has the name of its field. */
#define TEXT(of, field, kind_of_text)  .name = #field, KEY_FIELD_TEXT(of, field, kind_of_text)
#define UINT(of, field, least, most)   .name = #field, KEY_FIELD_UINT(of, field, least, most)
#define MIB(of, field, least, most)    .name = #field, KEY_FIELD_MIB(of, field, least, most)
#define BOOL(of, field)		       .name = #field, KEY_FIELD_BOOL(of, field)
#define WORD(of, field, list)	       .name = #field, KEY_FIELD_WORD(of, field, list)
#define TEXTS(of, field, kind_of_text) .name = #field, KEY_FIELD_TEXTS(of, field, kind_of_text)
#define SINGLE(of, field, kind_of_text)                      \
	TEXTS(of, field, kind_of_text), .flags = KEY_SINGLE, \
					.list_offset = KEY_OFFSET(of, field##_is_list, bool)
#define RECORDS(of, field)                                        \
	.name = #field, .kind = KEY_RECORDS,                      \
	.offset = KEY_OFFSET(of, field, struct config_##field *), \
	.nr_offset = KEY_OFFSET(of, nr_##field, size_t), .record = &config_##field##_schema

/* In the order of the enums in config.h. */
static const char *const builders[] = { "linux", "generic", "hvm", "pvh", NULL };
static const char *const types[] = { "pv", "hvm", "pvh", NULL };
static const char *const dhcp_words[] = { "off",  "dhcp", "on",	 "any", "both", "bootp", "rarp",
					  "none", "1",	  "yes", "0",	"no",	NULL };
static const char *const actions[] = { "destroy",	   "restart",
				       "preserve",	   "rename-restart",
				       "coredump-destroy", "coredump-restart",
				       "soft-reset",	   NULL };
static const char *const start_actions[] = { "ignore", "start", NULL };
static const char *const stop_actions[] = { "ignore", "shutdown", "suspend", NULL };
static const char *const disk_types[] = { "phy", "file", "qdisk", NULL };
static const char *const disk_modes[] = { "r", "w", NULL };
static const char *const disk_formats[] = { "raw", "qcow", "qcow2", "vhd", "qed", NULL };
static const char *const vfb_types[] = { "vnc", "sdl", NULL };
static const char *const vif_types[] = { "netfront", "vif", "ioemu", NULL };

const char *config_dhcp_name(unsigned int dhcp)
{
	const char *word = dhcp_words[dhcp];

	if (strcmp(word, "1") == 0 || strcmp(word, "yes") == 0)
		return "dhcp";
	return strcmp(word, "0") == 0 || strcmp(word, "no") == 0 || strcmp(word, "none") == 0 ?
		       "off" :
		       word;
}

const char *config_action_name(unsigned int action)
{
	return actions[action];
}

static const struct config_key domain_keys[] = {
	{ TEXT(config, name, text_domain), .flags = KEY_REQUIRED,
	  .doc = "The domain's name, unique on its host." },
	{ TEXT(config, uuid, text_uuid), .doc = "The domain's identity, which it keeps when it is "
						"renamed or moved; random when absent." },
	{ TEXT(config, description, text_any), .doc = "A note for people." },
	{ WORD(config, builder, builders), .fallback = "linux",
	  .doc = "How xm names the kind of guest; linux and generic are paravirtualized ones, "
		 "which alone can be created." },
	{ WORD(config, type, types), .fallback = "pv",
	  .doc = "How xl names the kind of guest; only pv can be created." },

	{ TEXT(config, kernel, text_path), .flags = KEY_PATH,
	  .doc = "The kernel's image on the host: a bzImage or an ELF file, "
		 "packed or not." },
	{ TEXT(config, ramdisk, text_path), .flags = KEY_PATH,
	  .doc = "The initial RAM disk on the host." },
	{ TEXT(config, cmdline, text_any), .doc = "The whole command line of the kernel; root, ip "
						  "and extra count only without it." },
	{ TEXT(config, root, text_any), .doc = "Put before extra as root=VALUE." },
	{ TEXT(config, extra, text_any), .doc = "The end of the kernel's command line." },
	{ TEXT(config, ip, text_address), .flags = KEY_LEFT_OUT,
	  .doc = "The address that the kernel gives its first "
		 "interface (ip= of its command line)." },
	{ TEXT(config, netmask, text_address), .flags = KEY_LEFT_OUT,
	  .doc = "The netmask of that interface." },
	{ TEXT(config, gateway, text_address), .flags = KEY_LEFT_OUT,
	  .doc = "The gateway of that interface." },
	{ TEXT(config, hostname, text_name), .flags = KEY_LEFT_OUT,
	  .doc = "The host name that the kernel begins with." },
	{ TEXT(config, interface, text_interface), .fallback = "eth0",
	  .doc = "The interface that ip, netmask, gateway, hostname and dhcp are about." },
	{ WORD(config, dhcp, dhcp_words), .fallback = "off",
	  .doc = "Whether and how the kernel asks for its address; 1 and yes are dhcp." },
	{ TEXT(config, nfs_server, text_address), .flags = KEY_LEFT_OUT,
	  .doc = "The server of a root file system on NFS." },
	{ TEXT(config, nfs_root, text_path),
	  .doc = "The directory on that server; root is /dev/nfs then." },
	{ TEXT(config, bootloader, text_program),
	  .doc = "A program that finds kernel and RAM disk in the guest's first disk: pygrub." },
	{ TEXTS(config, bootargs, text_any), .flags = KEY_SPLIT,
	  .doc = "Arguments for the bootloader." },

	{ MIB(config, memory, CONFIG_MEMORY_MIN, CONFIG_MEMORY_MAX), .fallback = "128",
	  .doc = "Memory when the domain starts." },
	{ MIB(config, maxmem, CONFIG_MEMORY_MIN, CONFIG_MEMORY_MAX),
	  .doc = "The most that it can be given later; as memory when absent." },
	{ UINT(config, vcpus, 1, CONFIG_VCPUS_MAX), .flags = KEY_ZERO, .unit = "CPUs",
	  .fallback = "1", .doc = "Virtual CPUs when the domain starts." },
	{ UINT(config, maxvcpus, 1, CONFIG_VCPUS_MAX), .flags = KEY_ZERO, .unit = "CPUs",
	  .doc = "The most that can be online later; as vcpus when absent." },
	{ SINGLE(config, cpus, text_cpus),
	  .doc = "The physical CPUs that the virtual ones may run on: one text for all, or a list "
		 "with one for each." },
	{ SINGLE(config, cpus_soft, text_cpus),
	  .doc = "The physical CPUs that the virtual ones should run on, if they can." },
	{ UINT(config, cpu_weight, 1, 65535), .fallback = "256",
	  .doc = "The share of CPU time, beside the weights of others." },
	{ UINT(config, cpu_cap, 0, 51200), .unit = "per cent", .fallback = "0",
	  .doc = "The most CPU time that it gets; 0 is no limit." },
	{ UINT(config, max_grant_frames, 1, 4096), .unit = "frames", .fallback = "64",
	  .doc = "The most pages of its grant table." },
	{ UINT(config, max_maptrack_frames, 0, 65536), .unit = "frames", .fallback = "1024",
	  .doc = "The most pages that track its maps of others' memory." },
	{ UINT(config, max_event_channels, 1, 131071), .flags = KEY_ZERO, .unit = "ports",
	  .fallback = "1023", .doc = "The highest event channel port." },

	{ WORD(config, on_poweroff, actions), .fallback = "destroy",
	  .doc = "What follows when it shuts itself down." },
	{ WORD(config, on_reboot, actions), .fallback = "restart",
	  .doc = "What follows when it asks for a reboot." },
	{ WORD(config, on_crash, actions), .fallback = "restart",
	  .doc = "What follows when it crashes; coredump-* writes its memory to /var/lib/xen/dump "
		 "first." },
	{ WORD(config, on_watchdog, actions),
	  .doc = "What follows when its watchdog ends it; as on_crash when absent." },
	{ WORD(config, on_xend_start, start_actions), .fallback = "ignore",
	  .doc = "For a managed domain: whether it starts with the host." },
	{ WORD(config, on_xend_stop, stop_actions), .fallback = "ignore",
	  .doc = "What becomes of the domain when the host stops; ignore: as guests-stop of "
		 "xend-config.sxp says." },

	{ RECORDS(config, disk), .doc = "The virtual disks." },
	{ RECORDS(config, vif), .doc = "The virtual network interfaces." },
	{ RECORDS(config, vfb), .doc = "A screen with keyboard and mouse, shown by VNC." },
};

static const struct config_key disk_keys[] = {
	{ WORD(config_disk, type, disk_types), .fallback = "file",
	  .doc = "phy is a block device, file an image that the kernel serves, qdisk an image "
		 "that QEMU serves; told from format and target when absent." },
	{ TEXT(config_disk, target, text_target),
	  .doc = "The block device or image of the host, or what the script takes; absent in a "
		 "CD-ROM drive without a medium." },
	{ TEXT(config_disk, script, text_program),
	  .doc = "The script that sets the disk up, in /etc/xen/scripts unless absolute." },
	{ TEXT(config_disk, vdev, text_vdev), .flags = KEY_REQUIRED,
	  .doc = "What the guest sees: xvda, xvda1, sda, hda and so on." },
	{ WORD(config_disk, mode, disk_modes), .fallback = "w",
	  .doc = "r is read-only, w writable." },
	{ BOOL(config_disk, cdrom), .fallback = "0",
	  .doc = "Whether the guest sees a CD-ROM; it is read-only then." },
	{ BOOL(config_disk, shared), .fallback = "0",
	  .doc = "Whether it may be used elsewhere at the same time (mode w! or r!)." },
	{ WORD(config_disk, format, disk_formats), .fallback = "raw",
	  .doc = "The format of the image; QEMU serves all but raw." },
	{ BOOL(config_disk, trusted), .fallback = "1",
	  .doc = "Whether the guest may trust the domain that serves the disk." },
	{ BOOL(config_disk, discard), .fallback = "1",
	  .doc = "Whether the guest may discard blocks." },
	{ BOOL(config_disk, direct_io_safe), .fallback = "0",
	  .doc = "Whether QEMU may bypass the host's page cache." },
	{ TEXT(config_disk, backend, text_backend), .fallback = "0",
	  .doc = "The domain that serves it, by name or number." },
};

static const struct config_key vif_keys[] = {
	{ TEXT(config_vif, mac, text_mac), .doc = "The address of the interface; a random one "
						  "beginning with 00:16:3e when absent." },
	{ TEXT(config_vif, bridge, text_bridge),
	  .doc = "The bridge of the host that it belongs to; the default one when absent." },
	{ TEXT(config_vif, ip, text_addresses),
	  .doc = "The addresses that the guest will use, for scripts." },
	{ TEXT(config_vif, script, text_program),
	  .doc = "The script that connects it, in /etc/xen/scripts unless absolute." },
	{ TEXT(config_vif, vifname, text_interface),
	  .doc = "The name of its end on the host; vifDOMID.N when absent." },
	{ TEXT(config_vif, rate, text_rate), .doc = "The most that the guest can send." },
	{ TEXT(config_vif, backend, text_backend), .fallback = "0",
	  .doc = "The domain that serves it, by name or number." },
	{ BOOL(config_vif, trusted), .fallback = "1",
	  .doc = "Whether the guest may trust the domain that serves the interface." },
	{ TEXT(config_vif, gatewaydev, text_interface),
	  .doc = "The interface of the host that vif-route uses." },
	{ UINT(config_vif, mtu, 68, 65535), .unit = "bytes",
	  .doc = "The size of packets; the bridge's when absent." },
	{ WORD(config_vif, type, vif_types), .fallback = "netfront",
	  .doc = "The kind of interface; it is a paravirtualized one with each word." },
};

static const struct config_key vfb_keys[] = {
	{ BOOL(config_vfb, vnc), .fallback = "1", .doc = "Whether a VNC server shows it." },
	{ TEXT(config_vfb, vnclisten, text_listen),
	  .doc = "The host's address at which it listens; :DISPLAY may follow. That of "
		 "xend-config.sxp when absent." },
	{ TEXT(config_vfb, vncpasswd, text_any),
	  .doc = "The password that it asks for; VNC uses its first 8 characters." },
	{ UINT(config_vfb, vncdisplay, 0, CONFIG_DISPLAY_MAX), .fallback = "0",
	  .doc = "The display: port 5900 plus this number." },
	{ BOOL(config_vfb, vncunused), .fallback = "1",
	  .doc = "Whether it takes the first unused display from that one on." },
	{ WORD(config_vfb, type, vfb_types), .fallback = "vnc", .doc = "How it is shown: by VNC." },
	{ TEXT(config_vfb, keymap, text_name),
	  .doc = "The keyboard's layout: en-us, de and so on." },
};

static const char *const domain_aliases[][2] = {
	{ "cap", "cpu_cap" },
	{ "bootloader_args", "bootargs" },
	{ NULL, NULL },
};

static const char *const no_aliases[][2] = { { NULL, NULL } };

static const char *const vif_aliases[][2] = { { "netdev", "gatewaydev" }, { NULL, NULL } };

static const char *const disk_aliases[][2] = { { "access", "mode" },
					       { "backendtype", "type" },
					       { "direct-io-safe", "direct_io_safe" },
					       { NULL, NULL } };

#define ROWS(table) .keys = (table), .nr = sizeof(table) / sizeof((table)[0])

const struct config_schema config_domain_schema = {
	.what = "",
	.size = sizeof(struct config),
	ROWS(domain_keys),
	.foreign = foreign_domain_keys,
	.aliases = domain_aliases,
	.finish = domain_finish,
};

const struct config_schema config_disk_schema = {
	.what = "disk ",
	.size = sizeof(struct config_disk),
	ROWS(disk_keys),
	.foreign = foreign_disk_keys,
	.aliases = disk_aliases,
	.whole_json = true,
	.text_form = "a string such as \"phy:/dev/vg/guest,xvda,w\"",
	.list_form = "a list such as [ \"phy:/dev/vg/guest,xvda,w\" ]",
	.from_text = disk_from_text,
	.finish = disk_finish,
};

const struct config_schema config_vif_schema = {
	.what = "vif ",
	.size = sizeof(struct config_vif),
	ROWS(vif_keys),
	.foreign = foreign_vif_keys,
	.aliases = vif_aliases,
	.whole_json = true,
	.text_form = "a string such as \"mac=00:16:3e:01:02:03,bridge=xenbr0\"",
	.list_form = "a list such as [ \"mac=00:16:3e:01:02:03,bridge=xenbr0\" ]",
	.from_text = vif_from_text,
	.finish = vif_finish,
};

const struct config_schema config_vfb_schema = {
	.what = "vfb ",
	.size = sizeof(struct config_vfb),
	ROWS(vfb_keys),
	.foreign = foreign_vfb_keys,
	.aliases = no_aliases,
	.whole_json = true,
	.text_form = "a string such as \"vnc=1,vnclisten=127.0.0.1\"",
	.list_form = "a list such as [ \"vnc=1,vnclisten=127.0.0.1\" ]",
	.from_text = vfb_from_text,
	.finish = vfb_finish,
};

_Static_assert(sizeof(domain_keys) / sizeof(domain_keys[0]) <= 64, "`set` has a bit for each key");
_Static_assert(offsetof(struct config, set) == 0 && offsetof(struct config_disk, set) == 0 &&
		       offsetof(struct config_vif, set) == 0 &&
		       offsetof(struct config_vfb, set) == 0,
	       "schema.c finds `set` there");
