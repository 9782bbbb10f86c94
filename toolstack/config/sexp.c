/* SPDX-License-Identifier: MIT */
/* A domain as an S-expression: the output of `xm list -l`, which cluster managers read. */
#include "config/config.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void add_image(struct sexp *domain, const struct config *c)
{
	struct sexp *image = sexp_add(sexp_add(domain, sexp_new("image")), sexp_new("linux"));
	char *args = config_cmdline(c);

	sexp_set(image, "kernel", or_empty(c->kernel));
	sexp_set(image, "ramdisk", c->ramdisk);
	sexp_set(image, "args", args);
	free(args);
}

static void add_bootloader(struct sexp *domain, const struct config *c)
{
	struct str args = STR_INIT;

	sexp_set(domain, "bootloader", or_empty(c->bootloader));
	for (size_t i = 0; i < c->nr_bootargs; i++)
		str_printf(&args, "%s%s", i ? " " : "", c->bootargs[i]);
	sexp_set(domain, "bootloader_args", str_text(&args));
	str_free(&args);
}

/* What xm called the disk's uname: the word for its kind, and the target. */
static void add_uname(struct sexp *vbd, const struct config_disk *d)
{
	static const char *const formats[] = { "file", "tap:qcow", "tap:qcow2", "tap:vhd",
					       "tap:qed" };
	const char *kind = d->type == CONFIG_DISK_PHY ? "phy" : formats[d->format];

	if (d->script)
		kind = str_starts(d->script, "block-") ? d->script + strlen("block-") : d->script;
	if (d->target)
		sexp_set_printf(vbd, "uname", "%s:%s", kind, d->target);
	else
		sexp_set(vbd, "uname", "");
}

static void add_disk(struct sexp *domain, const struct config_disk *d)
{
	struct sexp *vbd = sexp_add(sexp_add(domain, sexp_new("device")), sexp_new("vbd"));

	add_uname(vbd, d);
	sexp_set_printf(vbd, "dev", "%s:%s", d->vdev, d->cdrom ? "cdrom" : "disk");
	sexp_set_printf(vbd, "mode", "%s%s", d->mode == CONFIG_DISK_WRITE ? "w" : "r",
			d->shared ? "!" : "");
	sexp_set(vbd, "backend", d->backend);
}

static void add_vif(struct sexp *domain, const struct config_vif *v)
{
	struct sexp *vif = sexp_add(sexp_add(domain, sexp_new("device")), sexp_new("vif"));

	sexp_set(vif, "bridge", v->bridge);
	sexp_set(vif, "mac", v->mac);
	sexp_set(vif, "ip", v->ip);
	sexp_set(vif, "script", v->script);
	sexp_set(vif, "vifname", v->vifname);
	sexp_set(vif, "rate", v->rate);
	sexp_set(vif, "gatewaydev", v->gatewaydev);
	sexp_set(vif, "type", "netfront");
	sexp_set(vif, "backend", v->backend);
}

/* Without the password: what xm prints is shown around. */
static void add_vfb(struct sexp *domain, const struct config_vfb *v)
{
	struct sexp *vfb = sexp_add(sexp_add(domain, sexp_new("device")), sexp_new("vfb"));

	sexp_set(vfb, "vnc", v->vnc ? "1" : "0");
	sexp_set(vfb, "vnclisten", v->vnclisten);
	sexp_set_printf(vfb, "vncdisplay", "%llu", (unsigned long long)v->vncdisplay);
	sexp_set(vfb, "vncunused", v->vncunused ? "1" : "0");
	sexp_set(vfb, "keymap", v->keymap);
}

static void add_cpus(struct sexp *domain, const char *key, char *const *list, size_t nr)
{
	struct sexp *cpus = nr ? sexp_add(domain, sexp_new(key)) : NULL;

	for (size_t i = 0; i < nr; i++)
		sexp_add(cpus, sexp_new_atom(list[i]));
}

static void add_live(struct sexp *domain, const struct config_live *live)
{
	sexp_set_printf(domain, "status", "%u", live->status);
	sexp_set(domain, "state", live->state);
	if (live->domid < 0)
		return;
	sexp_set_printf(domain, "cpu_time", "%llu.%09llu",
			(unsigned long long)(live->cpu_ns / 1000000000),
			(unsigned long long)(live->cpu_ns % 1000000000));
	sexp_set_printf(domain, "online_vcpus", "%u", live->online_vcpus);
	if (live->start_time)
		sexp_set_printf(domain, "start_time", "%llu.0",
				(unsigned long long)live->start_time);
}

/* The word in the file for this value of the key. */
static const char *word_of(const char *key, unsigned int value)
{
	return schema_find(&config_domain_schema, key)->words[value];
}

struct sexp *config_to_sexp(const struct config *c, const struct config_live *live)
{
	struct sexp *domain = sexp_new("domain");

	if (live && live->domid >= 0)
		sexp_set_printf(domain, "domid", "%d", live->domid);
	sexp_set(domain, "name", c->name);
	sexp_set(domain, "uuid", c->uuid);
	sexp_set(domain, "description", c->description);
	sexp_set_printf(domain, "vcpus", "%llu", (unsigned long long)config_maxvcpus(c));
	/* A bit for each vCPU that is online at the start, as the original xm said it. */
	if (c->vcpus < config_maxvcpus(c) && c->vcpus < 64)
		sexp_set_printf(domain, "vcpu_avail", "%llu", (1ULL << c->vcpus) - 1);
	add_cpus(domain, "cpus", c->cpus, c->nr_cpus);
	add_cpus(domain, "cpus_soft", c->cpus_soft, c->nr_cpus_soft);
	sexp_set_printf(domain, "cpu_weight", "%llu", (unsigned long long)c->cpu_weight);
	sexp_set_printf(domain, "cpu_cap", "%llu", (unsigned long long)c->cpu_cap);
	sexp_set_printf(domain, "memory", "%llu",
			(unsigned long long)(live && live->domid >= 0 ? live->memory_mb :
									c->memory));
	sexp_set_printf(domain, "maxmem", "%llu", (unsigned long long)config_maxmem(c));
	add_bootloader(domain, c);
	sexp_set(domain, "on_poweroff", word_of("on_poweroff", c->on_poweroff));
	sexp_set(domain, "on_reboot", word_of("on_reboot", c->on_reboot));
	sexp_set(domain, "on_crash", word_of("on_crash", c->on_crash));
	if (config_is_set(c, "on_watchdog"))
		sexp_set(domain, "on_watchdog", word_of("on_watchdog", c->on_watchdog));
	sexp_set(domain, "on_xend_start", word_of("on_xend_start", c->on_xend_start));
	sexp_set(domain, "on_xend_stop", word_of("on_xend_stop", c->on_xend_stop));
	add_image(domain, c);
	if (live)
		add_live(domain, live);
	for (size_t i = 0; i < c->nr_disk; i++)
		add_disk(domain, &c->disk[i]);
	for (size_t i = 0; i < c->nr_vif; i++)
		add_vif(domain, &c->vif[i]);
	for (size_t i = 0; i < c->nr_vfb; i++)
		add_vfb(domain, &c->vfb[i]);
	return domain;
}
