/* SPDX-License-Identifier: MIT */
/* The hypercall platform_op: operations of Domain-0's kernel on the machine (xen/platform.h). */
#include "hv/hypercall_handlers.h"

#include "core/hypercall/control.h"
#include <xen/platform.h>
#include "hv/arch/control.h"
#include "hv/arch/cpu.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/console.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"

#define NS_PER_SEC 1000000000UL

/*
 * The clock shows secs.nsecs at system time `system_time`; stores what it showed at system time 0.
 */
static long settime(u64 secs, u32 nsecs, u64 system_time)
{
	u64 base;

	if (nsecs >= NS_PER_SEC || secs > ~0UL / NS_PER_SEC - 1)
		return -EINVAL;
	base = secs * NS_PER_SEC + nsecs;
	if (system_time > base)
		return -EINVAL;
	base -= system_time;
	time_set_wallclock(base / NS_PER_SEC, (u32)(base % NS_PER_SEC));
	return 0;
}

static long pf_settime32(struct xen_platform_op *op)
{
	return settime(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
}

static long pf_settime64(struct xen_platform_op *op)
{
	if (op->u.settime64.mbz)
		return -EINVAL;
	return settime(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
}

static long pf_get_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *info = &op->u.pcpu_info;

	info->max_present = nr_cpus - 1;
	info->flags = XEN_PCPU_FLAGS_INVALID;
	info->apic_id = info->acpi_id = ~0U;
	if (info->xen_cpuid < nr_cpus) {
		info->flags =
			cpumask_test(info->xen_cpuid, &cpu_online_map) ? XEN_PCPU_FLAGS_ONLINE : 0;
		arch_cpu_ids(info->xen_cpuid, &info->apic_id, &info->acpi_id);
	}
	return 0;
}

/* The vendor's name goes to the caller's buffer, cut to its size. */
static long efi_vendor(const struct efi_info *efi, union xenpf_efi_info *out)
{
	u32 n = min(out->vendor.bufsz, (u32)sizeof(efi->vendor)) / (u32)sizeof(u16);
	u16 name[ARRAY_SIZE(efi->vendor)];

	out->vendor.revision = efi->firmware_revision;
	if (!n)
		return 0;
	memcpy(name, efi->vendor, n * sizeof(u16));
	name[n - 1] = 0;
	return copy_to_guest(guest_ptr(out->vendor.name), name, n * sizeof(u16));
}

/* Which memory a table lies in. The caller's size is cut to what the piece has from addr on. */
static long efi_memory(union xenpf_efi_info *out)
{
	const struct efi_memory *m = arch_efi_memory(out->mem.addr);

	if (!m)
		return -EINVAL;
	out->mem.size = min(out->mem.size, m->start + m->size - out->mem.addr);
	out->mem.attr = m->attributes;
	out->mem.type = m->type;
	return 0;
}

/* UEFI's tables, in which Domain-0 finds ACPI's. */
static long pf_efi_info(u32 index, union xenpf_efi_info *out)
{
	const struct efi_info *efi = arch_efi_info();

	if (!efi)
		return -ENODEV;
	switch (index) {
	case XEN_FW_EFI_VERSION:
	case XEN_FW_EFI_RT_VERSION:
		out->version = efi->revision;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		out->cfg.addr = efi->config_tables;
		out->cfg.nent = efi->nr_config_tables;
		return 0;
	case XEN_FW_EFI_VENDOR:
		return efi_vendor(efi, out);
	case XEN_FW_EFI_MEM_INFO:
		return efi_memory(out);
	default:
		return -EINVAL;
	}
}

/* The hypervisor does not query the BIOS, so it knows no disk. */
static long pf_firmware_info(struct xen_platform_op *op)
{
	switch (op->u.firmware_info.type) {
	case XEN_FW_KBD_SHIFT_FLAGS:
		op->u.firmware_info.u.kbd_shift_flags = 0;
		return 0;
	case XEN_FW_EFI_INFO:
		return pf_efi_info(op->u.firmware_info.index, &op->u.firmware_info.u.efi_info);
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	default:
		return -EINVAL;
	}
}

/*
 * The processors choose idle states and frequencies themselves. Domain-0 may still upload its
 * tables: success without effect.
 */
static long pf_set_processor_pminfo(struct xen_platform_op *op)
{
	return op->u.set_pminfo.type <= XEN_PM_PDC ? 0 : -EINVAL;
}

#define ACPI_S5 5

static long pf_enter_acpi_sleep(struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *sleep = &op->u.enter_acpi_sleep;

	if (sleep->sleep_state != ACPI_S5)
		return -EOPNOTSUPP;
	console_end();
	log_info("Domain-0 powers the machine off\n");
	if (!(sleep->flags & XENPF_ACPI_SLEEP_EXTENDED))
		arch_enter_sleep(sleep->val_a, sleep->val_b);
	arch_power_off();
}

static long pf_getidletime(struct xen_platform_op *op)
{
	struct xenpf_getidletime *idle = &op->u.getidletime;
	u32 n = min(idle->cpumap_nr_cpus, (u32)HV_MAX_CPUS);
	u8 bits;

	for (u32 cpu = 0; cpu < n; cpu++) {
		u64 ns = 0;

		if (copy_from_guest_offset(&bits, idle->cpumap_bitmap, cpu / 8, 1))
			return -EFAULT;
		if (!(bits & 1U << cpu % 8))
			continue;
		if (cpu < nr_cpus && cpumask_test(cpu, &cpu_online_map)) {
			ns = cpu_idle_time(cpu);
		} else {
			bits = (u8)(bits & ~(1U << cpu % 8));
			if (copy_to_guest_offset(idle->cpumap_bitmap, cpu / 8, &bits, 1))
				return -EFAULT;
		}
		if (copy_to_guest_offset(idle->idletime, cpu, &ns, 1))
			return -EFAULT;
	}
	idle->now = (u64)time_now();
	return 0;
}

static const struct {
	long (*fn)(struct xen_platform_op *op);
	bool copyback;
} platform_ops[] = {
	[XENPF_settime32] = { pf_settime32, false },
	[XENPF_settime64] = { pf_settime64, false },
	[XENPF_get_cpuinfo] = { pf_get_cpuinfo, true },
	[XENPF_firmware_info] = { pf_firmware_info, true },
	[XENPF_set_processor_pminfo] = { pf_set_processor_pminfo, false },
	[XENPF_enter_acpi_sleep] = { pf_enter_acpi_sleep, false },
	[XENPF_getidletime] = { pf_getidletime, true },
};

static long platform_run(void *arg, bool *copyback)
{
	struct xen_platform_op *op = arg;
	long ret;

	if (op->cmd >= ARRAY_SIZE(platform_ops) || !platform_ops[op->cmd].fn)
		return -ENOSYS;
	ret = platform_ops[op->cmd].fn(op);
	*copyback = platform_ops[op->cmd].copyback && ret >= 0;
	return ret;
}

long do_platform_op(unsigned long arg, unsigned long a1, unsigned long a2, unsigned long a3,
		    unsigned long a4, unsigned long a5)
{
	static const struct control_call call = {
		.size = sizeof(struct xen_platform_op),
		.interface_version = XENPF_INTERFACE_VERSION,
		.run = platform_run,
	};
	struct xen_platform_op op;

	CHECK_CONTROL_HEADER(struct xen_platform_op);
	return control_op(&call, &op, arg);
}
