/* SPDX-License-Identifier: MIT */
/* The tables of keys that are known and not supported. */
#include "config/foreign.h"
#include <string.h>

#define ONLY_HVM  "it is for fully virtualized guests, and this one is paravirtualized"
#define NO_DEVICE "the guest would miss a device"

const struct config_foreign foreign_domain_keys[] = {
	{ false,
	  "acpi acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2mhvm apic bios "
	  "bios_path_override boot "
	  "cpuid "
	  "device_model device_model_args device_model_args_hvm device_model_args_pv "
	  "device_model_override "
	  "device_model_stubdomain_override device_model_stubdomain_seclabel device_model_user "
	  "device_model_version "
	  "dm_restrict firmware firmware_override gfx_passthru guest_os_type hap hdtype hpet "
	  "hvm_direct isa mca_caps "
	  "mmio_hole "
	  "ms_vm_genid nestedhvm nx oos opengl pae rdm rdm_mem_boundary s3_integrity shadow_memory "
	  "smbios "
	  "smbios_firmware "
	  "soundhw stdvga stubdomain_cmdline stubdomain_kernel stubdomain_memory "
	  "stubdomain_ramdisk system_firmware "
	  "timer_mode vendor_device vga videoram viridian vkb_device vpt_align xen_platform_pci",
	  ONLY_HVM },
	{ false,
	  "display keymap monitor nographic sdl serial spice spiceagent_mouse "
	  "spice_clipboard_sharing "
	  "spicedisable_ticketing "
	  "spicehost spicepasswd spiceport spicetls_port spiceusbredirection spicevdagent "
	  "spice_image_compression "
	  "spice_streaming_video usb vnc vncconsole vncdisplay vnclisten vncpasswd vncunused "
	  "vncviewer xauthority",
	  "a paravirtualized guest has its console (xm console), no emulated screen, serial port "
	  "or USB" },
	{ false, "localtime rtc_timeoffset tsc_mode e820_host",
	  "the guest's clock is UTC and its memory map plain" },
	{ false, "seclabel init_seclabel access_control security_label",
	  "there is no security policy of the hypervisor" },
	{ false, "pool", "every domain runs in Pool-0, with all CPUs" },
	{ false,
	  "cpus_soft vnuma vpmu vmtrace_buf_kb msr_relaxed nomigrate suspend_cancel superpages "
	  "suppress_spurious_page_faults memory_sharing max_grant_version on_watchdog "
	  "on_soft_reset "
	  "xend_suspend_evtchn_compat driver_domain passthrough target",
	  "the domain is made without it" },
	{ true,
	  "pci pciopt pci_msitranslate pci_permissive pci_power_mgmt pci_seize rdm_policy dtdev "
	  "device_tree",
	  "devices of the host cannot be given to guests yet" },
	{ true, "ioports iomem irq irqs ioport",
	  "hardware of the host cannot be given to guests yet" },
	{ true,
	  "channel vtpm tpmif p9 pvcalls usbctrl usbdev usbdevice vdispl vsnd vkb vscsi virtio "
	  "blkif netif",
	  NO_DEVICE },
	{ true, "vcpu_avail", "vcpus says how many begin, maxvcpus how many there can be" },
	{ true, "restart", "on_poweroff, on_reboot and on_crash say what follows" },
	{ true, "features machine_address_size image", "the kernel says itself what it needs" },
	{ true, "nics", "vif lists the interfaces" },
	{ false, NULL, NULL },
};

const struct config_foreign foreign_disk_keys[] = {
	{ true, "colo colo-host colo-port colo-export active-disk hidden-disk",
	  "there is no COLO replication" },
	{ true, "virtio specification", "the disk is a Xen block device" },
	{ false, NULL, NULL },
};

const struct config_foreign foreign_vif_keys[] = {
	{ false, "model", ONLY_HVM },
	{ false, "accel policy devid", "the interface is made without it" },
	{ true, "vlan", "a bridge for each VLAN does that" },
	{ false, NULL, NULL },
};

const struct config_foreign foreign_vfb_keys[] = {
	{ false, "sdl opengl display xauthority", "the screen is shown by VNC only" },
	{ false, NULL, NULL },
};

static bool names_it(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = strstr(names, name); p; p = strstr(p + 1, name)) {
		if ((p == names || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return true;
	}
	return false;
}

const struct config_foreign *foreign_find(const struct config_foreign *table, const char *name)
{
	if (!*name || strchr(name, ' '))
		return NULL;
	for (; table->names; table++) {
		if (names_it(table->names, name))
			return table;
	}
	return NULL;
}
