/* SPDX-License-Identifier: MIT */
/*
 * The configuration of a domain: read from a file in xm's or xl's syntax, or from JSON, by one
 * table of keys (schema.c).
 *
 * Its JSON form is the contract between xm, xend and xend-worker: one flat object, keys as in the
 * file, values typed; what is absent has its default. disk and vif are lists of objects with the
 * members of struct config_disk and struct config_vif.
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

/* In the order of the words in schema.c. */
enum config_builder { CONFIG_BUILDER_LINUX, CONFIG_BUILDER_GENERIC };
enum config_type { CONFIG_TYPE_PV };
enum config_action {
	CONFIG_DESTROY,
	CONFIG_RESTART,
	CONFIG_PRESERVE,
	CONFIG_RENAME_RESTART,
	CONFIG_COREDUMP_DESTROY, /* on_crash only, as the next one */
	CONFIG_COREDUMP_RESTART,
};
enum config_on_start { CONFIG_START_IGNORE, CONFIG_START_START };
enum config_on_stop { CONFIG_STOP_IGNORE, CONFIG_STOP_SHUTDOWN, CONFIG_STOP_SUSPEND };
enum config_disk_type { CONFIG_DISK_PHY, CONFIG_DISK_FILE };
enum config_disk_mode { CONFIG_DISK_READ, CONFIG_DISK_WRITE };
enum config_disk_format { CONFIG_FORMAT_RAW };

/*
 * In these structs, strings that are not given and have no default are NULL; `set` says which keys
 * were given (bit = row of the table of keys; see config_is_set()); lists have nr_* elements.
 */
struct config_disk {
	uint64_t set;
	unsigned int type; /* enum config_disk_type */
	char *target;	   /* absolute path of the device or the file */
	char *vdev;	   /* xvda, xvda1, hda, sda: what config_vdev_number() understands */
	unsigned int mode; /* enum config_disk_mode */
	bool cdrom;
	bool shared; /* may be writable elsewhere too (w!) */
	unsigned int format;
	char *backend; /* name or number of the domain that serves it; default "0" */
	char *script;
};

struct config_vif {
	uint64_t set;
	char *mac; /* 00:16:3e:xx:xx:xx in small letters; NULL until config_generate() */
	char *bridge;
	char *ip; /* addresses separated by spaces */
	char *script;
	char *vifname;
	char *rate;	  /* 10Mb/s, 250KB/s@20ms: config_rate_parse() */
	char *backend;	  /* default "0" */
	char *gatewaydev; /* of vif-route */
	uint64_t mtu;	  /* bytes; 0: the bridge's */
	unsigned int type;
};

struct config {
	uint64_t set;
	char *name;
	char *uuid; /* 8-4-4-4-12 in small letters; NULL until config_generate() */
	char *description;
	unsigned int builder; /* enum config_builder */
	unsigned int type;    /* enum config_type */

	char *kernel; /* kernel or bootloader is there */
	char *ramdisk;
	char *cmdline; /* the parts of the kernel's command line: config_cmdline() puts them
			  together */
	char *root;
	char *extra;
	char *ip;
	char *netmask;
	char *gateway;
	char *hostname;
	char *interface;
	unsigned int dhcp; /* 1: asked for by DHCP */
	char *nfs_server;
	char *nfs_root;
	char *bootloader; /* a name (pygrub) or an absolute path */
	char **bootargs;
	size_t nr_bootargs;

	uint64_t memory; /* MiB */
	uint64_t maxmem; /* MiB; 0: as memory (config_maxmem()) */
	uint64_t vcpus;
	uint64_t maxvcpus; /* 0: as vcpus (config_maxvcpus()) */
	/* None: any CPU. One: of all vCPUs. More: of vCPU 0, 1, ...; further vCPUs run anywhere.
	 * See config_cpus_parse(). */
	char **cpus;
	size_t nr_cpus;
	uint64_t cpu_weight;
	uint64_t cpu_cap; /* per cent of one CPU; 0: none */

	uint64_t max_grant_frames;
	uint64_t max_maptrack_frames;
	uint64_t max_event_channels;

	unsigned int on_poweroff; /* enum config_action, as the next two */
	unsigned int on_reboot;
	unsigned int on_crash;
	unsigned int on_xend_start; /* enum config_on_start */
	unsigned int on_xend_stop;  /* enum config_on_stop */

	struct config_disk *disk;
	size_t nr_disk;
	struct config_vif *vif;
	size_t nr_vif;
};

enum { CONFIG_MAX_TEXT = 1024 * 1024 }; /* bytes of a configuration file */

/*
 * Reads a file's text. `overrides` are arguments as of `xm create`: key=value, where value is
 * either in the file's syntax or a bare word; they count more than the file. NULL when diags has
 * errors; warnings may be there in any case.
 */
struct config *config_parse(const char *text, size_t len, const char *filename,
			    const char *const *overrides, size_t nr_overrides,
			    struct config_diags *diags);

/* All errors of the object are in the one error. NULL then. */
struct config *config_from_json(struct json_object *o, struct error **e);
/* What was given (and generated), not the defaults. */
struct json_object *config_to_json(const struct config *c);

void config_free(struct config *c);

/* Gives a uuid and MACs (00:16:3e, random) where there are none. */
void config_generate(struct config *c);
bool config_is_set(const struct config *c, const char *key);

/* The words of enums as in the file: config_action_name(CONFIG_RENAME_RESTART) is "rename-restart".
 */
const char *config_action_name(unsigned int action);

uint64_t config_maxmem(const struct config *c); /* MiB */
uint64_t config_maxvcpus(const struct config *c);
/* The kernel's command line, to be freed: cmdline, or root, ip and extra put together as xm did. */
char *config_cmdline(const struct config *c);

/*
 * One device, as block-attach and network-attach have it. The text is an element of the file's
 * list: "phy:/dev/vg/a,xvdb,w" or "format=raw,vdev=xvdb,access=rw,target=/dev/vg/a";
 * "mac=...,bridge=..." ("" is a vif too). On an error *d is empty.
 */
int config_disk_parse(const char *text, struct config_disk *d, struct error **e);
int config_disk_from_json(struct json_object *o, struct config_disk *d, struct error **e);
struct json_object *config_disk_to_json(const struct config_disk *d);
void config_disk_free(struct config_disk *d); /* what it points to */

int config_vif_parse(const char *text, struct config_vif *v, struct error **e);
int config_vif_from_json(struct json_object *o, struct config_vif *v, struct error **e);
struct json_object *config_vif_to_json(const struct config_vif *v);
void config_vif_free(struct config_vif *v);

/* xenstore's number of a virtual disk (51712 for xvda; xen-vbd-interface(7)), -1 when it is not
 * one. */
int config_vdev_number(const char *vdev);
/* Its name ("xvda" for 51712), to be freed; NULL when no name has that number. */
char *config_vdev_name(unsigned int number);

/* A rate as xenstore has it: so many bytes each interval. -EINVAL when it is not one. */
int config_rate_parse(const char *text, uint64_t *bytes, uint64_t *interval_us, struct error **e);

/*
 * CPUs: "all", or numbers and ranges of which ^ takes some away again: "0-3,5,^1". Sets the bits of
 * those below nr_cpus in map ((nr_cpus + 7) / 8 bytes, cleared first); naming another one, or none
 * at all, is an error.
 */
int config_cpus_parse(const char *text, unsigned int nr_cpus, uint8_t *map, struct error **e);

/* "256", "256m", "1g", "2048k" -> KiB; a bare number counts `unit_kb` KiB each. */
int config_size_parse(const char *text, uint64_t unit_kb, uint64_t *kb, struct error **e);

/* 00:16:3e and three random bytes; a random (version 4) UUID. To be freed. */
char *config_random_mac(void);
char *config_random_uuid(void);
/* Canonical (small letters, dashes), to be freed; NULL when it is not one. Dashes may be missing.
 */
char *config_uuid_parse(const char *text);
/* Canonical, to be freed; NULL when it is not the address of a single card. */
char *config_mac_parse(const char *text);

/* What only a running (or known) domain has, for config_to_sexp(). */
struct config_live {
	int domid;	    /* -1: not running */
	uint64_t memory_mb; /* now */
	unsigned int online_vcpus;
	const char *state; /* "-b----" */
	unsigned int status;
	uint64_t cpu_ns;
	uint64_t start_time; /* seconds since 1970; 0: not known */
};

/* `xm list -l`'s form: (domain (domid 3) (name g1) ...). live may be NULL. To be freed by
 * sexp_free(). */
struct sexp *config_to_sexp(const struct config *c, const struct config_live *live);

#endif
