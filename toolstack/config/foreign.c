/* SPDX-License-Identifier: MIT */
/* The tables of keys that are known and not supported. */
#include "config/foreign.h"
#include <string.h>

#define ONLY_HVM  "it is for fully virtualized guests"
#define NO_DEVICE "the guest would miss a device"

const struct config_foreign foreign_domain_keys[] = {
	{ FOREIGN_IGNORED,
	  "acpi acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2mhvm apic bios "
	  "bios_path_override boot device_model device_model_args device_model_args_hvm "
	  "device_model_args_pv device_model_override device_model_stubdomain_override "
	  "device_model_stubdomain_seclabel device_model_user device_model_version dm_restrict fda "
	  "fdb firmware firmware_override gfx_passthru guest_os_type hap hdtype hpet hvm_direct "
	  "isa "
	  "loader mca_caps mmio_hole ms_vm_genid nestedhvm nx oos pae pvshim pvshim_cmdline "
	  "pvshim_extra pvshim_path rdm rdm_mem_boundary s3_integrity shadow_memory smbios "
	  "smbios_firmware soundhw stdvga stubdomain_cmdline stubdomain_kernel stubdomain_memory "
	  "stubdomain_ramdisk system_firmware timer_mode vendor_device vga vhpt videoram viridian "
	  "vkb_device vpt_align xen_platform_pci",
	  ONLY_HVM },
	{ FOREIGN_IGNORED,
	  "display monitor monitor_path nographic opengl parallel serial spice "
	  "spiceagent_mouse spice_clipboard_sharing spicedisable_ticketing spicehost spicepasswd "
	  "spiceport spicetls_port spiceusbredirection spicevdagent spice_image_compression "
	  "spice_streaming_video usb usbdevice usbversion vncconsole vncviewer xauthority",
	  "a paravirtualized guest has its console (xm console), no emulated screen, serial port "
	  "or USB" },
	{ FOREIGN_TOLD, "sdl", "a screen is shown by VNC only" },
	{ FOREIGN_IGNORED, "vnc vnclisten vncpasswd vncdisplay vncunused keymap",
	  "it describes a screen beside vnc = 1 only, and where vfb lists none" },
	{ FOREIGN_IGNORED, "localtime rtc_timeoffset tsc_mode e820_host",
	  "the guest's clock is UTC and its memory map plain" },
	{ FOREIGN_IGNORED, "cpuid cpuid_check", "the guest sees the features that it can use" },
	{ FOREIGN_IGNORED, "extratime period slice latency budget",
	  "it is for another scheduler; cpu_weight and cpu_cap share the CPUs" },
	{ FOREIGN_IGNORED, "gic_version tee vuart sve trap_unmapped_accesses nr_spis",
	  "it is for another processor" },
	{ FOREIGN_IGNORED, "bootentry", "bootargs has what the bootloader is told" },
	{ FOREIGN_IGNORED, "seclabel init_seclabel access_control security_label",
	  "there is no security policy of the hypervisor" },
	{ FOREIGN_IGNORED, "driver_domain", "any domain can serve disks and networks of others" },
	{ FOREIGN_IGNORED, "pool", "every domain runs in Pool-0, with all CPUs" },
	{ FOREIGN_IGNORED,
	  "blkif netif tpmif claim_mode features hcalls image machine_address_size "
	  "max_grant_version memory_sharing msr_relaxed nomigrate on_soft_reset "
	  "passthrough superpages suppress_spurious_page_faults suspend_cancel target "
	  "vmtrace_buf_kb vnuma vpmu xend_suspend_evtchn_compat xen_extended_power_mgmt",
	  "the domain is made without it" },
	{ FOREIGN_IGNORED,
	  "pciopt pci_msitranslate pci_permissive pci_power_mgmt pci_seize rdm_policy",
	  "it is for devices of the host, which cannot be given to guests yet" },
	{ FOREIGN_IGNORED, "irq ioport usbport vusb vscsi",
	  "nothing of the host is given to the guest by it" },
	{ FOREIGN_IGNORED, "vcpu_avail",
	  "vcpus says how many begin, maxvcpus how many there can be" },
	{ FOREIGN_IGNORED, "cpu", "it is the older name of cpus, which is set, too" },
	{ FOREIGN_IGNORED, "restart", "on_poweroff, on_reboot and on_crash say what follows" },
	{ FOREIGN_IGNORED, "nics", "vif lists the interfaces" },
	{ FOREIGN_REFUSED, "pci dtdev device_tree",
	  "devices of the host cannot be given to guests yet" },
	{ FOREIGN_REFUSED, "ioports iomem irqs",
	  "hardware of the host cannot be given to guests yet" },
	{ FOREIGN_REFUSED, "channel vtpm p9 pvcalls usbctrl usbdev vdispl vsnd vkb virtio",
	  NO_DEVICE },
	{ FOREIGN_IGNORED, NULL, NULL },
};

const struct config_foreign foreign_disk_keys[] = {
	{ FOREIGN_REFUSED, "colo colo-host colo-port colo-export active-disk hidden-disk",
	  "there is no COLO replication" },
	{ FOREIGN_REFUSED, "virtio specification", "the disk is a Xen block device" },
	{ FOREIGN_IGNORED, "removable", "a CD-ROM is removable, another disk is not" },
	{ FOREIGN_IGNORED, NULL, NULL },
};

const struct config_foreign foreign_vif_keys[] = {
	{ FOREIGN_IGNORED, "model", ONLY_HVM },
	{ FOREIGN_IGNORED, "vlan", "a bridge for each VLAN does that" },
	{ FOREIGN_IGNORED, "accel devid forwarddev handle policy port",
	  "the interface is made without it" },
	{ FOREIGN_IGNORED, NULL, NULL },
};

const struct config_foreign foreign_vfb_keys[] = {
	{ FOREIGN_IGNORED, "sdl opengl display xauthority location uuid vncviewer vncconsole",
	  "the screen is shown by VNC only" },
	{ FOREIGN_IGNORED, NULL, NULL },
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
