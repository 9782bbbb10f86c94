/* SPDX-License-Identifier: MIT */
/*
 * physdev_op (xen/physdev.h): Domain-0's handling of interrupts and PCI devices. The hypervisor
 * owns the interrupt controllers and MSI. Domain-0 owns the rest of configuration space, so most
 * notices about devices only need consent.
 */
#include "hv/hypercall.h"

#include <xen/physdev.h>
#include "hv/arch/guest_access.h"
#include "hv/frame.h"
#include "hypercall_table.h"
#include "lib/errno.h"
#include "x86/guest/guest_ops.h"
#include "x86/irq/ioapic.h"
#include "x86/irq/pirq.h"
#include "x86/pci/msi.h"

#define IO_PORTS       0x10000U
#define IRQ_NUMBERS    0x10000U /* limit on a guest's own interrupt numbers */
#define IOAPIC_REG_RTE 0x10U
#define IOAPIC_REG_ARB 0x02U

/* --- EOI and status of interrupts bound to event channels --- */

static long op_eoi(void *arg)
{
	const struct physdev_eoi *op = arg;
	struct domain *d = current->domain;

	if (!pirq_is_mapped(d, op->irq))
		return -EINVAL;
	pirq_guest_eoi(d, op->irq);
	return 0;
}

static long op_irq_status_query(void *arg)
{
	struct physdev_irq_status_query *op = arg;

	if (!current->domain->pirqs || op->irq >= IRQ_NUMBERS)
		return -EINVAL;
	op->flags = pirq_needs_eoi(current->domain, op->irq) ? XENIRQSTAT_needs_eoi : 0;
	return 0;
}

static long op_pirq_eoi_gmfn(void *arg)
{
	const struct physdev_pirq_eoi_gmfn *op = arg;

	return pirq_set_eoi_page(current->domain, GFN(op->gmfn));
}

/* --- port I/O, for kernels that do not run in ring 0 --- */

static long op_set_iopl(void *arg)
{
	const struct physdev_set_iopl *op = arg;
	const struct guest_ops *ops = guest_ops(current->domain);

	if (!ops->set_iopl)
		return -ENOSYS;
	if (op->iopl > 3)
		return -EINVAL;
	ops->set_iopl(current, op->iopl);
	return 0;
}

static long op_set_iobitmap(void *arg)
{
	const struct physdev_set_iobitmap *op = arg;
	const struct guest_ops *ops = guest_ops(current->domain);
	void __guest *bitmap = guest_array_at(op->bitmap, 0);

	if (!ops->set_iobitmap)
		return -ENOSYS;
	if (op->nr_ports > IO_PORTS || !guest_range_ok(bitmap, DIV_ROUND_UP(op->nr_ports, 8U)))
		return -EINVAL;
	ops->set_iobitmap(current, op->nr_ports ? bitmap : NULL, op->nr_ports);
	return 0;
}

/* --- I/O APICs, as old kernels see them --- */

static struct ioapic *ioapic_by_address(unsigned long addr)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (ioapics[i].addr == addr)
			return &ioapics[i];
	return NULL;
}

static bool ioapic_reg_exists(const struct ioapic *io, u32 reg)
{
	return reg <= IOAPIC_REG_ARB ||
	       (reg >= IOAPIC_REG_RTE && reg < IOAPIC_REG_RTE + 2 * io->nr_pins);
}

static long op_apic_read(void *arg)
{
	struct physdev_apic *op = arg;
	const struct ioapic *io = ioapic_by_address(op->apic_physbase);

	if (!io || !ioapic_reg_exists(io, op->reg))
		return -EINVAL;
	op->value = ioapic_read(io, (u8)op->reg);
	return 0;
}

/*
 * Only trigger mode and polarity of a written entry take effect. The hypervisor sets vector,
 * destination and mask.
 */
static long op_apic_write(void *arg)
{
	const struct physdev_apic *op = arg;
	const struct ioapic *io = ioapic_by_address(op->apic_physbase);
	int err;

	if (!io || !ioapic_reg_exists(io, op->reg))
		return -EINVAL;
	if (op->reg < IOAPIC_REG_RTE || (op->reg - IOAPIC_REG_RTE) % 2 || (op->value & RTE_MASKED))
		return 0;
	err = irq_setup_gsi(io->gsi_base + (op->reg - IOAPIC_REG_RTE) / 2, op->value & RTE_LEVEL,
			    op->value & RTE_ACTIVE_LOW);
	return err == -EEXIST ? 0 : err;
}

/* --- interrupts --- */

/* The number is the kernel's own, and guests never see vectors: the guest gets its number back. */
static long op_alloc_irq_vector(void *arg)
{
	struct physdev_irq *op = arg;

	if (op->irq >= IRQ_NUMBERS)
		return -EINVAL;
	op->vector = op->irq;
	return 0;
}

static long op_consent(void *arg)
{
	return 0;
}

static long op_setup_gsi(void *arg)
{
	const struct physdev_setup_gsi *op = arg;

	if (op->gsi < 0 || op->triggering > 1 || op->polarity > 1)
		return -EINVAL;
	return irq_setup_gsi((u32)op->gsi, op->triggering, op->polarity);
}

/* d has a table of pirqs. Returns the pirq or -errno. */
static int map_gsi(struct domain *d, const struct physdev_map_pirq *op)
{
	struct irq_desc *desc = op->index < 0 ? NULL : irq_of_gsi((u32)op->index);

	if (!desc)
		return -EINVAL;
	if (!d->is_privileged &&
	    !rangeset_contains(&d->irq_caps, (unsigned long)op->index, (unsigned long)op->index))
		return -EPERM;
	return pirq_map(d, op->pirq, &desc, 1);
}

/*
 * Maps an MSI or MSI-X interrupt. A table address means MSI-X; for MULTI_MSI entry_nr is the number
 * of messages. Returns the pirq or -errno.
 */
static int map_msi(struct domain *d, struct physdev_map_pirq *op)
{
	struct irq_desc *descs[MSI_MAX_MESSAGES];
	struct msi_request rq = {
		.addr = { .seg = op->type == MAP_PIRQ_TYPE_MSI ? 0 : (u16)((u32)op->bus >> 16),
			  .bus = (u8)op->bus,
			  .devfn = (u8)op->devfn },
		.nr = 1,
		.table_base = op->table_base,
	};
	int err, pirq;

	if (op->entry_nr < 0 || op->devfn < 0 || op->devfn > 0xff)
		return -EINVAL;
	if (op->type == MAP_PIRQ_TYPE_MULTI_MSI) {
		if (op->entry_nr < 1 || op->entry_nr > MSI_MAX_MESSAGES)
			return -EINVAL;
		while (rq.nr < (unsigned int)op->entry_nr)
			rq.nr *= 2;
	} else if (op->table_base) {
		rq.msix = true;
		rq.entry = (unsigned int)op->entry_nr;
	}
	err = msi_create(&rq, descs);
	if (err)
		return err;
	pirq = pirq_map(d, op->pirq, descs, rq.nr);
	if (pirq < 0)
		msi_destroy(descs[0]);
	return pirq;
}

static long op_map_pirq(void *arg)
{
	struct physdev_map_pirq *op = arg;
	struct domain *d;
	int err, pirq;

	d = hypercall_target(op->domid, &err);
	if (!d)
		return err;
	pirq = -EINVAL;
	if (!d->pirqs) {
		pirq = -EOPNOTSUPP;
	} else {
		switch (op->type) {
		case MAP_PIRQ_TYPE_GSI:
			pirq = map_gsi(d, op);
			break;
		case MAP_PIRQ_TYPE_MSI:
		case MAP_PIRQ_TYPE_MSI_SEG:
		case MAP_PIRQ_TYPE_MULTI_MSI:
			pirq = map_msi(d, op);
			break;
		default:
			break;
		}
	}
	domain_put(d);
	if (pirq < 0)
		return pirq;
	op->pirq = pirq;
	return 0;
}

static long op_unmap_pirq(void *arg)
{
	const struct physdev_unmap_pirq *op = arg;
	struct domain *d;
	int err;

	d = hypercall_target(op->domid, &err);
	if (!d)
		return err;
	err = op->pirq < 0 ? -EINVAL : pirq_unmap(d, (unsigned int)op->pirq);
	domain_put(d);
	return err;
}

static long op_get_free_pirq(void *arg)
{
	struct physdev_get_free_pirq *op = arg;
	int pirq;

	if (op->type != MAP_PIRQ_TYPE_MSI && op->type != MAP_PIRQ_TYPE_GSI)
		return -EINVAL;
	pirq = pirq_reserve(current->domain);
	if (pirq < 0)
		return pirq;
	op->pirq = (u32)pirq;
	return 0;
}

/* --- PCI devices --- */

/*
 * The hypervisor keeps nothing about devices, so it accepts all. -ENODEV would make Linux complain
 * about devices that appear before they answer.
 */
static long op_pci_device_add(void *arg)
{
	const struct physdev_pci_device_add *op = arg;
	struct pci_addr a = { .seg = op->seg, .bus = op->bus, .devfn = op->devfn };

	return pci_prepare(a);
}

static long op_restore_msi(void *arg)
{
	const struct physdev_restore_msi *op = arg;
	struct pci_addr a = { .bus = op->bus, .devfn = op->devfn };

	return msi_restore(a);
}

static long op_restore_msi_ext(void *arg)
{
	const struct physdev_pci_device *op = arg;
	struct pci_addr a = { .seg = op->seg, .bus = op->bus, .devfn = op->devfn };

	return msi_restore(a);
}

#define ROW(op, fn, type, access, flags) \
	[PHYSDEVOP_##op] = { fn, sizeof(struct type), access, flags }
static const struct subop physdev_ops[] = {
	/* clang-format off: a row each */
	ROW(eoi, op_eoi, physdev_eoi, CALL_ANY, 0),
	ROW(irq_status_query, op_irq_status_query, physdev_irq_status_query, CALL_ANY, SUBOP_OUT),
	ROW(pirq_eoi_gmfn_v2, op_pirq_eoi_gmfn, physdev_pirq_eoi_gmfn, CALL_ANY, 0),
	ROW(set_iopl, op_set_iopl, physdev_set_iopl, CALL_ANY, 0),
	ROW(set_iobitmap, op_set_iobitmap, physdev_set_iobitmap, CALL_ANY, 0),
	ROW(apic_read, op_apic_read, physdev_apic, CALL_DOM0, SUBOP_OUT),
	ROW(apic_write, op_apic_write, physdev_apic, CALL_DOM0, 0),
	ROW(alloc_irq_vector, op_alloc_irq_vector, physdev_irq, CALL_DOM0, SUBOP_OUT),
	ROW(free_irq_vector, op_consent, physdev_irq, CALL_DOM0, 0),
	ROW(map_pirq, op_map_pirq, physdev_map_pirq, CALL_DOM0, SUBOP_OUT),
	ROW(unmap_pirq, op_unmap_pirq, physdev_unmap_pirq, CALL_DOM0, 0),
	ROW(setup_gsi, op_setup_gsi, physdev_setup_gsi, CALL_DOM0, 0),
	ROW(get_free_pirq, op_get_free_pirq, physdev_get_free_pirq, CALL_ANY, SUBOP_OUT),
	ROW(manage_pci_add, op_consent, physdev_manage_pci, CALL_DOM0, 0),
	ROW(manage_pci_remove, op_consent, physdev_manage_pci, CALL_DOM0, 0),
	ROW(manage_pci_add_ext, op_consent, physdev_manage_pci_ext, CALL_DOM0, 0),
	ROW(pci_device_add, op_pci_device_add, physdev_pci_device_add, CALL_DOM0, 0),
	ROW(pci_device_remove, op_consent, physdev_pci_device, CALL_DOM0, 0),
	ROW(pci_mmcfg_reserved, op_consent, physdev_pci_mmcfg_reserved, CALL_DOM0, 0),
	ROW(restore_msi, op_restore_msi, physdev_restore_msi, CALL_DOM0, 0),
	ROW(restore_msi_ext, op_restore_msi_ext, physdev_pci_device, CALL_DOM0, 0),
	ROW(prepare_msix, op_consent, physdev_pci_device, CALL_DOM0, 0),
	ROW(release_msix, op_consent, physdev_pci_device, CALL_DOM0, 0),
	ROW(dbgp_op, op_consent, physdev_dbgp_op, CALL_DOM0, 0),
	/* clang-format on */
};

long do_physdev_op(unsigned long cmd, unsigned long arg, unsigned long a2, unsigned long a3,
		   unsigned long a4, unsigned long a5)
{
	return subop_dispatch(physdev_ops, ARRAY_SIZE(physdev_ops), (unsigned int)cmd,
			      (void __guest *)arg);
}
