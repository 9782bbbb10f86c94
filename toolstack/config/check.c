/* SPDX-License-Identifier: MIT */
/* Checks of a domain's keys against each other, which no single key's row can make. */
#include "config/guest_kind.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

/*
 * Bytes of the command line in a PV guest's start info, with its NUL (MAX_GUEST_CMDLINE in the
 * public xen.h).
 */
enum { MAX_CMDLINE = 1024 };

struct check {
	const struct config *c;
	const struct value *given;
	struct config_diags *diags;
};

/* The key's value; the whole object when the key was not given. For the place in an error. */
static const struct value *at(const struct check *k, const char *key)
{
	const struct value *v = value_find(k->given, key);

	return v ? v : k->given;
}

static bool is_set(const struct check *k, const char *key)
{
	return schema_is_set(&config_domain_schema, k->c, key);
}

/* The key's value is usable: given and understood, or not given, so that its default counts. */
static bool is_good(const struct check *k, const char *key)
{
	const struct value *v = value_find(k->given, key);

	return is_set(k, key) || !v || value_is_empty(v);
}

static void check_kernel(const struct check *k)
{
	const struct value *v;

	if (!k->c->kernel && !k->c->bootloader && is_good(k, "kernel") && is_good(k, "bootloader"))
		config_error(k->diags, k->given->source, k->given->pos,
			     "kernel is missing: expected kernel = \"/path/of/image\" or "
			     "bootloader = \"pygrub\"");
	v = at(k, "ramdisk");
	if (k->c->ramdisk && !k->c->kernel && k->c->bootloader)
		config_warning(k->diags, v->source, v->key_pos,
			       "ramdisk has no effect: the bootloader finds it");
}

static void check_cmdline(const struct check *k)
{
	static const char *const parts[] = { "root",	"extra",    "ip",	  "netmask",
					     "gateway", "hostname", "nfs_server", "nfs_root" };
	size_t len;
	char *line;

	for (size_t i = 0; k->c->cmdline && i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct value *v = at(k, parts[i]);

		if (is_set(k, parts[i]))
			config_warning(k->diags, v->source, v->key_pos,
				       "%s has no effect: cmdline is the whole command line",
				       parts[i]);
	}
	line = config_cmdline(k->c);
	len = strlen(line);
	free(line);
	if (len >= MAX_CMDLINE) {
		const struct value *v = at(k, k->c->cmdline ? "cmdline" : "extra");

		config_error(k->diags, v->source, v->pos,
			     "the kernel's command line has %zu bytes: expected at most %u", len,
			     MAX_CMDLINE - 1);
	}
}

static void check_most(const struct check *k, const char *now, uint64_t value, const char *most,
		       uint64_t limit)
{
	const struct value *v = at(k, most);

	if (is_set(k, most) && is_good(k, now) && value > limit)
		config_error(k->diags, v->source, v->pos,
			     "%s: expected at least %s, which is %llu, found %llu", most, now,
			     (unsigned long long)value, (unsigned long long)limit);
}

static void check_sets(const struct check *k, const char *key, size_t nr)
{
	uint64_t vcpus = config_maxvcpus(k->c);
	const struct value *v = at(k, key);

	if (is_good(k, "vcpus") && is_good(k, "maxvcpus") && nr > vcpus)
		config_warning(k->diags, v->source, v->pos,
			       "%s: there are %zu sets for %llu vcpus: only the first count", key,
			       nr, (unsigned long long)vcpus);
}

static void check_cpu(const struct check *k)
{
	const struct value *cap = at(k, "cpu_cap");
	uint64_t vcpus = config_maxvcpus(k->c);

	check_most(k, "memory", k->c->memory, "maxmem", k->c->maxmem);
	check_most(k, "vcpus", k->c->vcpus, "maxvcpus", k->c->maxvcpus);
	check_sets(k, "cpus", k->c->nr_cpus);
	check_sets(k, "cpus_soft", k->c->nr_cpus_soft);
	if (is_good(k, "vcpus") && is_good(k, "maxvcpus") && k->c->cpu_cap > 100 * vcpus)
		config_warning(
			k->diags, cap->source, cap->pos,
			"cpu_cap has no effect: it is 100 for each CPU, and %llu vcpus cannot "
			"use %llu",
			(unsigned long long)vcpus, (unsigned long long)k->c->cpu_cap);
}

/* Element i of a list; the value itself when a single value was given in place of a list. */
static const struct value *element(const struct check *k, const char *key, size_t i)
{
	const struct value *list = at(k, key);

	return list->type == VALUE_LIST && i < list->nr ? list->items[i] : list;
}

static void check_devices(const struct check *k)
{
	for (size_t i = 0; i < k->c->nr_disk; i++) {
		for (size_t j = 0; j < i && k->c->disk[i].vdev; j++) {
			const struct value *v = element(k, "disk", i);

			if (k->c->disk[j].vdev && config_vdev_number(k->c->disk[i].vdev) ==
							  config_vdev_number(k->c->disk[j].vdev))
				config_error(k->diags, v->source, v->pos,
					     "disk vdev: %s is taken by another disk already",
					     k->c->disk[i].vdev);
		}
	}
	for (size_t i = 0; i < k->c->nr_vif; i++) {
		for (size_t j = 0; j < i && k->c->vif[i].mac; j++) {
			const struct value *v = element(k, "vif", i);

			if (k->c->vif[j].mac && strcmp(k->c->vif[i].mac, k->c->vif[j].mac) == 0)
				config_warning(k->diags, v->source, v->pos,
					       "vif mac: %s is another interface's address, too",
					       k->c->vif[i].mac);
		}
	}
	if (k->c->bootloader && !k->c->kernel && !k->c->nr_disk && !value_find(k->given, "disk"))
		config_error(k->diags, at(k, "bootloader")->source, at(k, "bootloader")->key_pos,
			     "bootloader: expected a disk for it to look into, found none");
}

/* A paravirtualized guest has no use for a drive without a medium. */
static void leave_out_empty_drives(const struct check *k, struct config *c)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_disk; i++) {
		const struct value *v = element(k, "disk", i);
		struct config_disk *d = &c->disk[i];

		if (d->target || !d->cdrom || !d->vdev) {
			c->disk[nr++] = *d;
			continue;
		}
		config_warning(k->diags, v->source, v->pos,
			       "disk %s is left out: it is a drive without a medium", d->vdev);
		config_disk_free(d);
	}
	c->nr_disk = nr;
}

/* A reset in place needs a guest that the hypervisor can begin anew by itself. */
static void restart_instead(const struct check *k, struct config *c)
{
	const struct {
		const char *key;
		unsigned int *action;
	} ends[] = {
		{ "on_poweroff", &c->on_poweroff },
		{ "on_reboot", &c->on_reboot },
		{ "on_crash", &c->on_crash },
		{ "on_watchdog", &c->on_watchdog },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct value *v = at(k, ends[i].key);

		if (*ends[i].action != CONFIG_SOFT_RESET)
			continue;
		*ends[i].action = CONFIG_RESTART;
		config_warning(k->diags, v->source, v->pos,
			       "%s: soft-reset is for fully virtualized guests: this one is "
			       "restarted",
			       ends[i].key);
	}
}

void domain_finish(void *record, const struct value *given, struct config_diags *diags)
{
	struct check k = { .c = record, .given = given, .diags = diags };

	if (guest_kind_check(given, diags))
		check_kernel(&k);
	restart_instead(&k, record);
	check_cmdline(&k);
	check_cpu(&k);
	check_devices(&k);
	leave_out_empty_drives(&k, record);
}
