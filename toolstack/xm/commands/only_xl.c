/* SPDX-License-Identifier: MIT */
/*
 * The commands of xl that xm has not. Help and completion do not show them: they show what works.
 * Each has a reason, because "no such command" would send a person on a search.
 */
#include "xm/commands/only_xl.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *names; /* with blanks between them */
	const char *why;
} rows[] = {
	{ "config-update",
	  "what a domain was started with stays its configuration while it runs. Change it by "
	  "`xm mem-set', `xm vcpu-set' or `xm block-attach', or end it and `xm create' it from the "
	  "new file (a managed one: `xm delete' and `xm new')." },
	{ "cd-insert cd-eject",
	  "a paravirtualized guest has no emulated CD drive. `xm block-configure' changes the "
	  "medium of a disk, and `xm block-detach' takes the disk away." },
	{ "button-press",
	  "a paravirtualized guest has no buttons. `xm shutdown' asks it to end; `xm pause' stops "
	  "it where it is." },
	{ "pci-assignable-add pci-assignable-remove pci-assignable-list",
	  "this release cannot give PCI devices to domains yet. A domain reaches disks and "
	  "networks "
	  "by `xm block-attach' and `xm network-attach'." },
	{ "migrate-receive",
	  "only `xl migrate' calls it. `xm migrate' moves a domain from one xend to another, which "
	  "takes it over by itself; see xm help migrate." },
	{ "remus",
	  "this release keeps no running copy of a guest on another host. `xm save -c' saves a "
	  "guest to a file and lets it go on." },
	{ "sharing",
	  "paravirtualized guests share no memory. `xm list' shows how much each one has." },
	{ "sched-rtds",
	  "xm sets weights and caps, not periods and budgets. Use `xm sched-credit'." },
	{ "set-parameters",
	  "the hypervisor's parameters are set on its line of the boot loader, and hold from the "
	  "next boot. `xm info' shows those of now as xen_commandline." },
	{ "channel-list", "guests have no channels here. `xm console' reaches a guest's console." },
	{ "vtpm-attach vtpm-list vtpm-detach",
	  "guests have no TPM here. A disk from `xm block-attach' may hold a guest's keys." },
	{ "vkb-attach vkb-list vkb-detach",
	  "keyboard and mouse come with the screen, which is `vfb' in the domain's file. `xm "
	  "vncviewer' shows it." },
	{ "vdispl-attach vdispl-list vdispl-detach",
	  "the screen of a guest is `vfb' in the domain's file. `xm vncviewer' shows it." },
	{ "vsnd-attach vsnd-list vsnd-detach",
	  "guests have no sound cards here. A guest may send its sound over the network that `xm "
	  "network-attach' gives it." },
	{ "usbctrl-attach usbctrl-detach usbdev-attach usbdev-detach usb-list",
	  "guests have no USB devices here. A disk on USB is given by `xm block-attach', as any "
	  "other." },
	{ "qemu-monitor-command",
	  "no QEMU emulates a machine for a paravirtualized guest. `xm block-configure' and `xm "
	  "block-detach' change its disks." },
	{ "getenforce setenforce loadpolicy",
	  "xm works without a security policy in the hypervisor. Only root may use xend." },
	{ "devd",
	  "it does not run on this host, but in a driver domain, from Debian's package xen-utils. "
	  "Start `xl devd' there." },
	{ "psr-hwinfo psr-cmt-attach psr-cmt-detach psr-cmt-show psr-cat-set psr-cat-show "
	  "psr-mba-set psr-mba-show",
	  "caches and memory bandwidth are not divided among domains here. `xm vcpu-pin' keeps a "
	  "domain on some processors." },
};

static bool is_among(const char *word, const char *names)
{
	size_t length = strlen(word);

	for (const char *at = names; length && (at = strstr(at, word)); at += length) {
		if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	}
	return false;
}

const char *only_xl(const char *word)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strchr(word, ' ') && is_among(word, rows[i].names))
			return rows[i].why;
	}
	return NULL;
}
