/* SPDX-License-Identifier: MIT */
/* What guests' devices need in Domain-0. */
#include "xm/doctor/doctor.h"

#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/xend_config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"
#include "xm/default_bridge.h"

/* A driver of Domain-0's kernel: a module, or built in. */
static const struct driver {
	const char *module;
	const char *sign; /* a path that exists while the driver is there */
	const char *use;
	bool on_demand; /* udev loads the module when the first device asks for it */
} drivers[] = {
	{ "xen-evtchn", "/dev/xen/evtchn", "the toolstack", false },
	{ "xen-privcmd", "/dev/xen/privcmd", "the toolstack", false },
	{ "xen-gntdev", "/dev/xen/gntdev", "consoles and QEMU", false },
	{ "xen-blkback", "/sys/bus/xen-backend/drivers/vbd", "disks", true },
	{ "xen-netback", "/sys/bus/xen-backend/drivers/vif", "network interfaces", true },
};

#define MODULES_DEP_LIMIT (16U * 1024 * 1024)

/* The modules of the kernel that runs: lines "PATH/NAME.ko[.SUFFIX]: ..." of depmod's file. */
static void list_modules(const struct doctor *d, struct str *list)
{
	char *release = doctor_line(d, "/proc/sys/kernel/osrelease"),
	     *path = xasprintf("%s/lib/modules/%s/modules.dep", d->root, release);

	file_read(path, MODULES_DEP_LIMIT, list, NULL);
	free(path);
	free(release);
}

static bool comes_on_demand(const struct doctor *d, const struct driver *driver,
			    const struct str *modules)
{
	char *name = xasprintf("/%s.ko", driver->module);
	bool comes = driver->on_demand && doctor_exists(d, "/run/udev/control") &&
		     strstr(str_text(modules), name);

	free(name);
	return comes;
}

static void add_driver(struct str *list, const char *text, const char *before)
{
	str_printf(list, "%s%s", list->len ? before : "", text);
}

void doctor_check_drivers(struct doctor *d)
{
	struct str missing = STR_INIT, uses = STR_INIT, mend = STR_INIT, modules = STR_INIT;

	list_modules(d, &modules);
	for (size_t i = 0; d->hypervisor && i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		const struct driver *driver = &drivers[i];

		if (doctor_exists(d, driver->sign) || comes_on_demand(d, driver, &modules))
			continue;
		add_driver(&missing, driver->module, " ");
		if (!strstr(str_text(&uses), driver->use))
			add_driver(&uses, driver->use, ", ");
	}
	if (missing.len) {
		str_printf(&mend,
			   "modprobe -a %s\nprintf '%%s\\n' %s >>/etc/modules-load.d/xenolith.conf",
			   missing.text, missing.text);
		doctor_add(d, "drivers", DOCTOR_FAULT, mend.text,
			   "Domain-0's kernel lacks %s, which %s need", missing.text, uses.text);
	} else if (d->hypervisor) {
		doctor_add(
			d, "drivers", DOCTOR_OK, NULL,
			"Domain-0's kernel has those for disks, network interfaces and consoles");
	} else {
		doctor_add(d, "drivers", DOCTOR_OK, NULL, "not looked at without a hypervisor");
	}
	str_free(&modules);
	str_free(&missing);
	str_free(&uses);
	str_free(&mend);
}

void doctor_check_loop(struct doctor *d)
{
	if (*d->root || doctor_exists(d, "/dev/loop-control"))
		doctor_add(d, "loop", DOCTOR_OK, NULL, "files can be disks of guests");
	else
		doctor_add(d, "loop", DOCTOR_FAULT,
			   "modprobe loop\necho loop >>/etc/modules-load.d/xenolith.conf",
			   "there are no loop devices, so files cannot be disks of guests");
}

void doctor_check_qemu(struct doctor *d)
{
	if (doctor_exists(d, "/usr/libexec/xen-qemu-system-i386"))
		doctor_add(d, "qemu", DOCTOR_OK, NULL,
			   "it serves qcow2 and vhd images and screens");
	else
		doctor_add(d, "qemu", DOCTOR_ADVICE, "apt-get install qemu-system-xen",
			   "QEMU for Xen is not installed: no qcow2 and vhd images, no screens");
}

static bool is_bridge(const struct doctor *d, const char *name)
{
	char *path = xasprintf("/sys/class/net/%s/bridge", name);
	bool is = doctor_exists(d, path);

	free(path);
	return is;
}

/* The names of all bridges, with commas between them. */
static void list_bridges(const struct doctor *d, struct str *names)
{
	char *path = doctor_path(d, "/sys/class/net");
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && is_bridge(d, entry->d_name))
			str_printf(names, "%s%s", names->len ? ", " : "", entry->d_name);
	if (directory)
		closedir(directory);
	free(path);
}

void doctor_check_bridge(struct doctor *d)
{
	char *name = default_bridge_name(d->root);
	struct str others = STR_INIT;

	list_bridges(d, &others);
	if (is_bridge(d, name))
		doctor_add(d, "bridge", DOCTOR_OK, NULL,
			   "%s is there for guests' network interfaces", name);
	else if (others.len)
		doctor_add(
			d, "bridge", DOCTOR_ADVICE, "xm network-setup",
			"%s, which interfaces use that name no bridge, does not exist; there "
			"is %s, which vif = [ \"bridge=NAME\" ] or default-bridge in %s may name",
			name, others.text, XEND_CONFIG_PATH);
	else
		doctor_add(d, "bridge", DOCTOR_ADVICE, "xm network-setup",
			   "there is no bridge, so guests have no network");
	str_free(&others);
	free(name);
}
