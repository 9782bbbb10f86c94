/* SPDX-License-Identifier: MIT */
/*
 * Starts Domain-0 and gives it the machine: all interrupts, I/O ports and device memory but the
 * hypervisor's own.
 */
#include "x86/boot/dom0.h"

#include <xen/xen.h>
#include "hv/cmdline.h"
#include "hv/console.h"
#include "x86/boot/memory_map.h"
#include "x86/cpu/feature.h"
#include "x86/irq/ioapic.h"

/* The first MiB: BIOS data, video memory, ROMs and their tables. */
#define LOW_MEMORY_FRAMES 0x100UL
/* Local APICs and message-signalled interrupts, SDM 3A 10.11.1. */
#define MSI_FRAME_FIRST 0xfee00UL
#define MSI_FRAME_LAST	0xfeeffUL

struct port_range {
	u16 first, last;
	const char *what;
};

/* Ports that the hypervisor drives itself. */
static const struct port_range hv_ports[] __initdata = {
	{ 0x20, 0x21, "PIC" },
	{ 0xa0, 0xa1, "PIC" },
};

static void __init remove_ports(struct domain *d, unsigned int first, unsigned int last)
{
	if (rangeset_remove(&d->arch->ioport_caps, first, last))
		boot_fail("not enough memory for Domain-0's I/O ports");
}

static void __init permit_ports(struct domain *d)
{
	if (rangeset_add(&d->arch->ioport_caps, 0, 0xffff))
		boot_fail("not enough memory for Domain-0's I/O ports");
	for (unsigned int i = 0; i < ARRAY_SIZE(hv_ports); i++)
		remove_ports(d, hv_ports[i].first, hv_ports[i].last);
	if (boot_options.com1.port)
		remove_ports(d, boot_options.com1.port, boot_options.com1.port + 7);
	if (boot_options.com2.port)
		remove_ports(d, boot_options.com2.port, boot_options.com2.port + 7);
}

static void __init remove_frames(struct domain *d, unsigned long first, unsigned long last)
{
	if (rangeset_remove(&d->iomem_caps, first, last))
		boot_fail("not enough memory for Domain-0's device memory");
}

/*
 * Permits all memory but RAM and the interrupt controllers. Only ownership of a frame gives access
 * to RAM.
 */
static void __init permit_memory(struct domain *d)
{
	unsigned long last = (1UL << (cpu_features.paddr_bits - PAGE_SHIFT)) - 1;

	if (rangeset_add(&d->iomem_caps, 0, last))
		boot_fail("not enough memory for Domain-0's device memory");
	for (unsigned int i = 0; i < boot_memory_map.nr; i++) {
		unsigned long first = boot_memory_map.e[i].start >> PAGE_SHIFT;
		unsigned long end =
			DIV_ROUND_UP(boot_memory_map.e[i].start + boot_memory_map.e[i].size,
				     PAGE_SIZE);

		if (boot_memory_map.e[i].type != E820_RAM || end <= LOW_MEMORY_FRAMES)
			continue;
		remove_frames(d, max(first, LOW_MEMORY_FRAMES), end - 1);
	}
	remove_frames(d, MSI_FRAME_FIRST, MSI_FRAME_LAST);
	for (unsigned int i = 0; i < nr_ioapics; i++)
		remove_frames(d, ioapics[i].addr >> PAGE_SHIFT, ioapics[i].addr >> PAGE_SHIFT);
}

static void __init permit_interrupts(struct domain *d)
{
	int err = rangeset_add(&d->irq_caps, 0, ioapic_gsi_end() ? ioapic_gsi_end() - 1 : 0);

	if (!err && boot_options.com1.port && boot_options.com1.irq)
		err = rangeset_remove(&d->irq_caps, boot_options.com1.irq, boot_options.com1.irq);
	if (!err && boot_options.com2.port && boot_options.com2.irq)
		err = rangeset_remove(&d->irq_caps, boot_options.com2.irq, boot_options.com2.irq);
	if (err)
		boot_fail("not enough memory for Domain-0's interrupts");
}

void __init dom0_start(const struct boot_module *kernel, const struct boot_module *ramdisk,
		       const struct video *video)
{
	struct dom0_vga_console_info screen;
	bool has_screen = video_describe(video, &screen);
	struct domain *d = dom0_build(kernel, ramdisk, has_screen ? &screen : NULL);

	permit_ports(d);
	permit_memory(d);
	permit_interrupts(d);
	domain_unpause_by_controller(d);
}
