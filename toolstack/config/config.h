/* SPDX-License-Identifier: MIT */
/*
 * The configuration of a domain, read from a file in xm's or xl's syntax or from JSON. One table
 * (keys.c) describes all keys.
 *
 * The JSON form is the contract between xm, xend and xend-worker: one flat object with the file's
 * keys and typed values. A missing member has its default. disk and vif are lists of objects whose
 * members are those of struct config_disk and struct config_vif; so is vfb.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/diag.h"
#include "lib/error.h"
#include "lib/sexp.h"

/* In the order of the words in keys.c. */
enum config_builder {
	CONFIG_BUILDER_LINUX,
	CONFIG_BUILDER_GENERIC,
	CONFIG_BUILDER_HVM,
	CONFIG_BUILDER_PVH,
};
enum config_type { CONFIG_TYPE_PV, CONFIG_TYPE_HVM, CONFIG_TYPE_PVH };
enum config_action {
	CONFIG_DESTROY,
	CONFIG_RESTART,
	CONFIG_PRESERVE,
	CONFIG_RENAME_RESTART,
	CONFIG_COREDUMP_DESTROY,
	CONFIG_COREDUMP_RESTART,
	CONFIG_SOFT_RESET, /* in a file only: a paravirtualized guest restarts instead */
};
enum config_on_start { CONFIG_START_IGNORE, CONFIG_START_START };
enum config_on_stop { CONFIG_STOP_IGNORE, CONFIG_STOP_SHUTDOWN, CONFIG_STOP_SUSPEND };
enum config_disk_type { CONFIG_DISK_PHY, CONFIG_DISK_FILE, CONFIG_DISK_QDISK };
enum config_disk_mode { CONFIG_DISK_READ, CONFIG_DISK_WRITE };
enum config_vif_type { CONFIG_VIF_NETFRONT, CONFIG_VIF_VIF, CONFIG_VIF_IOEMU };
enum config_vfb_type { CONFIG_VFB_VNC, CONFIG_VFB_SDL };
enum config_disk_format {
	CONFIG_FORMAT_RAW,
	CONFIG_FORMAT_QCOW,
	CONFIG_FORMAT_QCOW2,
	CONFIG_FORMAT_VHD,
	CONFIG_FORMAT_QED,
};

/*
 * In these structs, a string that was not given and has no default is NULL. `set` has a bit for
 * each row of the table of keys: whether the key was given (config_is_set()). A list has nr_*
 * elements.
 */
struct config_disk {
	uint64_t set;
	unsigned int type; /* enum config_disk_type */
	/*
	 * The absolute path of the device or the file; with a script, any text that the script
	 * understands. NULL: a CD-ROM drive without a medium.
	 */
	char *target;
	char *script;	   /* sets the disk up: a name in /etc/xen/scripts, or an absolute path */
	char *vdev;	   /* xvda, xvda1, hda, sda, 51712: see config_vdev_number() */
	unsigned int mode; /* enum config_disk_mode */
	bool cdrom;
	bool shared;	     /* others may write it at the same time (w!) */
	unsigned int format; /* enum config_disk_format */
	bool trusted;	     /* for the guest: whether it may trust the backend */
	bool discard;	     /* whether the guest may discard blocks */
	bool direct_io_safe; /* whether the backend may bypass the host's page cache */
	char *backend;	     /* a domain's name or number; "0": Domain-0 */
};

struct config_vif {
	uint64_t set;
	char *mac;    /* 00:16:3e:xx:xx:xx in small letters; NULL until config_generate() */
	char *bridge; /* for the script: a bridge's name, or what Open vSwitch's script takes */
	char *ip;     /* addresses separated by spaces */
	char *script;
	char *vifname;
	char *rate;	   /* 10Mb/s, 250KB/s@20ms: config_rate_parse() */
	char *backend;	   /* a domain's name or number; "0": Domain-0 */
	bool trusted;	   /* for the guest: whether it may trust the backend */
	char *gatewaydev;  /* for vif-route */
	uint64_t mtu;	   /* bytes; 0: the bridge's */
	unsigned int type; /* enum config_vif_type */
};

/* A framebuffer with keyboard and mouse, which a VNC client shows. */
struct config_vfb {
	uint64_t set;
	bool vnc;
	char *vnclisten;     /* the address to listen at; NULL: xend-config.sxp's */
	char *vncpasswd;     /* NULL: none */
	uint64_t vncdisplay; /* port 5900 + vncdisplay */
	bool vncunused;	     /* the first unused port from that one on */
	char *keymap;	     /* en-us, de, ... */
	unsigned int type;   /* enum config_vfb_type */
};

struct config {
	uint64_t set;
	char *name;
	char *uuid; /* 8-4-4-4-12 in small letters; NULL until config_generate() */
	char *description;
	unsigned int builder; /* enum config_builder */
	unsigned int type;    /* enum config_type */

	char *kernel; /* kernel or bootloader must be given */
	char *ramdisk;
	/* Parts of the kernel's command line, which config_cmdline() builds. */
	char *cmdline;
	char *root;
	char *extra;
	char *ip;
	char *netmask;
	char *gateway;
	char *hostname;
	char *interface;
	unsigned int dhcp; /* how the kernel gets its address: config_cmdline() */
	char *nfs_server;
	char *nfs_root;
	char *bootloader; /* a name (pygrub) or an absolute path */
	char **bootargs;
	size_t nr_bootargs;

	uint64_t memory; /* MiB */
	uint64_t maxmem; /* MiB; 0: as memory (config_maxmem()) */
	uint64_t vcpus;
	uint64_t maxvcpus; /* 0: as vcpus (config_maxvcpus()) */
	/*
	 * The CPUs that the vCPUs may run on, and those that they should. One text is for all of
	 * them; in a list, element i is for vCPU i, and those without an element run anywhere.
	 */
	char **cpus;
	size_t nr_cpus;
	bool cpus_is_list;
	char **cpus_soft;
	size_t nr_cpus_soft;
	bool cpus_soft_is_list;
	uint64_t cpu_weight;
	uint64_t cpu_cap; /* percent of one CPU; 0: no cap */

	uint64_t max_grant_frames;
	uint64_t max_maptrack_frames;
	uint64_t max_event_channels;

	unsigned int on_poweroff; /* this and the next three: enum config_action */
	unsigned int on_reboot;
	unsigned int on_crash;
	unsigned int on_watchdog;   /* only if it is set; else as on_crash */
	unsigned int on_xend_start; /* enum config_on_start */
	unsigned int on_xend_stop;  /* enum config_on_stop */

	struct config_disk *disk;
	size_t nr_disk;
	struct config_vif *vif;
	size_t nr_vif;
	struct config_vfb *vfb;
	size_t nr_vfb;
};

/*
 * The limits of a domain's size. 4 TiB is the most that the stream of a saved domain can describe.
 */
#define CONFIG_MEMORY_MIN  4	       /* MiB */
#define CONFIG_MEMORY_MAX  (4LL << 20) /* MiB */
#define CONFIG_VCPUS_MAX   512
#define CONFIG_DISPLAY_MAX 9999 /* the highest display of a VNC server */
#define CONFIG_NAME_MAX	   200	/* bytes of a domain's name, which becomes part of file names */

enum { CONFIG_MAX_TEXT = 1024 * 1024 }; /* bytes of a configuration file */

/*
 * Reads the text of a file. `overrides` are arguments of `xm create` of the form key=value, where
 * the value is in the file's syntax or a bare word; they override the file. Returns NULL when diags
 * has errors; diags may have warnings in any case.
 */
struct config *config_parse(const char *text, size_t len, const char *filename,
			    const char *const *overrides, size_t nr_overrides,
			    struct config_diags *diags);

/* Whether the text has the syntax of config_parse(). If not, diags says where. */
bool config_is_plain(const char *text, size_t len, const char *filename,
		     struct config_diags *diags);

/*
 * The same from what a program has computed: toolstack/xm/python/evaluate.py describes `answer`.
 * The words that the program does not use as variables override its values. A value that is no key
 * is left out if it only helped the program.
 */
struct config *config_from_program(struct json_object *answer, const char *filename,
				   const char *const *words, size_t nr_words,
				   struct config_diags *diags);

/* Returns NULL on an error; *e holds all that is wrong with the object. */
struct config *config_from_json(struct json_object *o, struct error **e);
/* Only what was given or generated, without the defaults. */
struct json_object *config_to_json(const struct config *c);

void config_free(struct config *c);

/* Adds a random UUID, and random MACs (00:16:3e), where they are missing. */
void config_generate(struct config *c);
/* The same for one interface. */
void config_vif_generate(struct config_vif *v);

/*
 * Changes of a configuration that passed all checks. A setter checks the value by the key's row,
 * not keys against each other; after an error the configuration is as it was.
 */
struct config *config_copy(const struct config *c);
int config_set_text(struct config *c, const char *key, const char *text, struct error **e);
int config_set_mib(struct config *c, const char *key, uint64_t mib, struct error **e);
/* Devices: removes all from the lists, or adds a copy of one. */
void config_remove_devices(struct config *c);
void config_add_disk(struct config *c, const struct config_disk *d);
void config_add_vif(struct config *c, const struct config_vif *v);

bool config_is_set(const struct config *c, const char *key);

/* The word of the kernel's ip= for a value of `dhcp`: "dhcp", "off" and so on. */
const char *config_dhcp_name(unsigned int dhcp);

/* The word in the file for a value of an enum, as "rename-restart" for CONFIG_RENAME_RESTART. */
const char *config_action_name(unsigned int action);

uint64_t config_maxmem(const struct config *c); /* MiB */
uint64_t config_maxvcpus(const struct config *c);
/*
 * The kernel's command line: cmdline if given, else root, ip and extra joined as xm did. The caller
 * frees it.
 */
char *config_cmdline(const struct config *c);

/*
 * One device, as for block-attach and network-attach. The text is one element of the file's list:
 * "phy:/dev/vg/a,xvdb,w" or "format=raw,vdev=xvdb,access=rw,target=/dev/vg/a" for a disk;
 * "mac=...,bridge=..." for a vif ("" is a vif with defaults). On an error *d or *v is empty.
 * A relative path of a disk is below the directory; NULL: it is an error.
 */
int config_disk_parse(const char *text, const char *directory, struct config_disk *d,
		      struct error **e);
struct json_object *config_disk_to_json(const struct config_disk *d);
void config_disk_free(struct config_disk *d); /* frees what d points to, not d */

int config_vif_parse(const char *text, struct config_vif *v, struct error **e);
struct json_object *config_vif_to_json(const struct config_vif *v);
void config_vif_free(struct config_vif *v);

/*
 * The number of a virtual disk in xenstore (51712 for xvda; xen-vbd-interface(7)). vdev is a name,
 * the number itself in decimal or hexadecimal, or the position as in d5p2. -1: it is none of them.
 */
int config_vdev_number(const char *vdev);
/* The name for a number ("xvda" for 51712), which the caller frees; NULL when it has no name. */
char *config_vdev_name(unsigned int number);

/* A rate in xenstore's form: so many bytes in each interval. -EINVAL when text is not a rate. */
int config_rate_parse(const char *text, uint64_t *bytes, uint64_t *interval_us, struct error **e);

/* The CPUs of a host. nodes: the NUMA node of each; NULL: all are in node 0. */
struct config_cpus_host {
	unsigned int nr_cpus;
	const uint32_t *nodes;
};

/*
 * Reads CPUs such as "0-3,5,^1", "nodes:0,^node:1" or "all" into a bitmap of nr_cpus bits. CPUs
 * that the host does not have are left out; it is an error when none remains.
 */
int config_cpus_parse(const char *text, const struct config_cpus_host *host, uint8_t *map,
		      struct error **e);

/* A size such as "256m", "1g", "2048k" in KiB; a bare number counts in units of `unit_kb` KiB. */
int config_size_parse(const char *text, uint64_t unit_kb, uint64_t *kb, struct error **e);

/* A MAC of 00:16:3e and three random bytes; a random (version 4) UUID. The caller frees them. */
char *config_random_mac(void);
char *config_random_uuid(void);
/*
 * The canonical form (lower case, dashes), which the caller frees; NULL when text is not a UUID.
 * text may lack the dashes.
 */
char *config_uuid_parse(const char *text);
/* The canonical form, which the caller frees; NULL when text is not a unicast address. */
char *config_mac_parse(const char *text);

/*
 * For config_to_sexp(): what a configuration does not have, but a running (or known) domain does.
 */
struct config_live {
	int domid;	    /* -1: not running */
	uint64_t memory_mb; /* what it has now */
	unsigned int online_vcpus;
	const char *state; /* "-b----" */
	unsigned int status;
	uint64_t cpu_ns;
	uint64_t start_time; /* seconds since 1970; 0: not known */
};

/*
 * The form of `xm list -l`: (domain (domid 3) (name g1) ...). live may be NULL. The caller frees it
 * with sexp_free().
 */
struct sexp *config_to_sexp(const struct config *c, const struct config_live *live);

#endif
