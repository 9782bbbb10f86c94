/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts: creating, masking, routing and restoring messages.
 *
 * Domain-0 enables and disables MSI and MSI-X in the capability's control word. The hypervisor
 * writes addresses, data, mask bits and the number of messages. A message that can be masked is
 * masked while it changes. One that cannot be masked moves only to a CPU where its vector number is
 * free: a single store of the address moves it, so the device cannot send a half-changed message.
 */
#include "x86/pci/msi.h"

#include "hv/arch/frame.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "hv/hv_heap.h"
#include "hv/spinlock.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "x86/irq/apic.h"
#include "x86/map_device.h"

#define MSI_CONTROL	     0x02
#define MSI_CONTROL_MULTI    0x000e /* log2 of the messages that the device can send */
#define MSI_CONTROL_ENABLED  0x0070 /* log2 of the messages that it may send */
#define MSI_CONTROL_64	     0x0080
#define MSI_CONTROL_MASKABLE 0x0100
#define MSI_ADDRESS	     0x04
#define MSI_ADDRESS_HIGH     0x08
#define MSI_DATA_32	     0x08
#define MSI_DATA_64	     0x0c
#define MSI_MASK_32	     0x0c
#define MSI_MASK_64	     0x10

#define MSIX_CONTROL	   0x02
#define MSIX_CONTROL_SIZE  0x07ff
#define MSIX_TABLE	   0x04
#define MSIX_TABLE_BIR	   0x7U
#define MSIX_ENTRY_SIZE	   16
#define MSIX_ENTRY_ADDRESS 0 /* u32 indices */
#define MSIX_ENTRY_HIGH	   1
#define MSIX_ENTRY_DATA	   2
#define MSIX_ENTRY_CONTROL 3
#define MSIX_ENTRY_MASKED  1U

/* A group of messages of one MSI capability, or one entry of an MSI-X table. */
struct msi_entry {
	struct list link; /* list_lock */
	struct pci_addr addr;
	unsigned int cap;
	bool msix, wide, maskable;
	unsigned int nr; /* MSI: messages */
	struct irq_desc *descs[MSI_MAX_MESSAGES];
	unsigned int index;  /* MSI-X */
	volatile u32 *table; /* MSI-X: the entry */
	void *table_page;
	/* As written last; data: the first message's. */
	u32 address, data;
	u32 masks;	 /* MSI: mask bits; MSI-X: bit 0 */
	spinlock_t lock; /* LOCK_IOAPIC: guards the words that a group's messages share */
};

static DEFINE_SPINLOCK(list_lock, LOCK_MSI);
static struct list entries = LIST_INIT(entries);

/* --- the device's registers --- */

static void write_masks(const struct msi_entry *e)
{
	if (e->msix) {
		e->table[MSIX_ENTRY_CONTROL] = e->masks & MSIX_ENTRY_MASKED;
		/* The read completes the write: afterwards the device sends no interrupt. */
		(void)e->table[MSIX_ENTRY_CONTROL];
	} else if (e->maskable) {
		pci_write(e->addr, e->cap + (e->wide ? MSI_MASK_64 : MSI_MASK_32), 4, e->masks);
	}
}

static void write_message(const struct msi_entry *e)
{
	if (e->msix) {
		e->table[MSIX_ENTRY_ADDRESS] = e->address;
		e->table[MSIX_ENTRY_HIGH] = 0;
		e->table[MSIX_ENTRY_DATA] = e->data;
		return;
	}
	pci_write(e->addr, e->cap + MSI_ADDRESS, 4, e->address);
	if (e->wide)
		pci_write(e->addr, e->cap + MSI_ADDRESS_HIGH, 4, 0);
	pci_write(e->addr, e->cap + (e->wide ? MSI_DATA_64 : MSI_DATA_32), 2, e->data);
}

static void write_all(const struct msi_entry *e)
{
	u32 control;

	if (!e->msix) {
		control = pci_read(e->addr, e->cap + MSI_CONTROL, 2) & ~(u32)MSI_CONTROL_ENABLED;
		pci_write(e->addr, e->cap + MSI_CONTROL, 2,
			  control | (u32)__builtin_ctz(e->nr) << 4);
	}
	write_message(e);
	write_masks(e);
}

/* --- struct irq_ops --- */

static unsigned int message_index(const struct msi_entry *e, const struct irq_desc *desc)
{
	unsigned int i;

	for (i = 0; i < e->nr && e->descs[i] != desc; i++)
		;
	return i;
}

static void set_mask(struct irq_desc *desc, bool masked)
{
	struct msi_entry *e = desc->message;
	unsigned long flags = spin_lock_irqsave(&e->lock);
	u32 bit = 1U << message_index(e, desc);

	e->masks = masked ? e->masks | bit : e->masks & ~bit;
	write_masks(e);
	spin_unlock_irqrestore(&e->lock, flags);
}

static void msi_mask(struct irq_desc *desc)
{
	set_mask(desc, true);
}

static void msi_unmask(struct irq_desc *desc)
{
	set_mask(desc, false);
}

/*
 * Only the first message of a group is programmed: the others' vectors follow it
 * (irq_assign_vectors).
 */
static bool msi_route(struct irq_desc *desc, unsigned int cpu, unsigned int vector)
{
	struct msi_entry *e = desc->message;
	unsigned long flags = spin_lock_irqsave(&e->lock);
	u32 masks = e->masks;

	if (desc == e->descs[0]) {
		e->address = apic_msi_address(apic_ids[cpu]);
		e->data = apic_msi_data(vector);
		e->masks = ~0U >> (32 - e->nr);
		write_masks(e);
		write_message(e);
		e->masks = masks;
		write_masks(e);
	}
	spin_unlock_irqrestore(&e->lock, flags);
	return true;
}

static const struct irq_ops msi_irq_ops = {
	.mask = msi_mask,
	.unmask = msi_unmask,
	.route = msi_route,
	.release = msi_destroy,
};

/* --- creation, destruction, restoring --- */

static bool in_use(const struct msi_request *rq)
{
	const struct msi_entry *e;

	list_for_each(e, &entries, link)
		if (e->addr.seg == rq->addr.seg && e->addr.bus == rq->addr.bus &&
		    e->addr.devfn == rq->addr.devfn &&
		    (e->msix != rq->msix || !e->msix || e->index == rq->entry))
			return true;
	return false;
}

/*
 * Maps the page with the entry. The table lies in a BAR of the device. Domain-0 names the BAR's
 * start, and the device's register must agree.
 */
static int map_table(struct msi_entry *e, const struct msi_request *rq)
{
	u32 control = pci_read(e->addr, e->cap + MSIX_CONTROL, 2);
	u32 where = pci_read(e->addr, e->cap + MSIX_TABLE, 4);
	paddr_t bar = pci_bar_address(e->addr, where & MSIX_TABLE_BIR), entry;
	unsigned int in_page;

	if (rq->entry > (control & MSIX_CONTROL_SIZE))
		return -EINVAL;
	/* A virtual function's BARs read as zero; only Domain-0 knows its address. */
	if (bar && bar != (rq->table_base & ~0xfUL))
		return -EINVAL;
	if (!bar)
		bar = rq->table_base & ~0xfUL;
	else if (!(pci_read(e->addr, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return -ENXIO;
	entry = bar + (where & ~MSIX_TABLE_BIR) + (paddr_t)rq->entry * MSIX_ENTRY_SIZE;
	if (!bar || entry < bar || entry >> 52 || mfn_valid(maddr_to_mfn(entry)))
		return -EINVAL;
	in_page = entry & ~PAGE_MASK;
	e->table_page = map_device(entry & PAGE_MASK, PAGE_SIZE);
	if (!e->table_page)
		return -ENOMEM;
	e->table = (volatile u32 *)((char *)e->table_page + in_page);
	return 0;
}

static int find_place(struct msi_entry *e, const struct msi_request *rq)
{
	u32 control;

	e->cap = pci_find_capability(e->addr, rq->msix ? PCI_CAP_MSIX : PCI_CAP_MSI);
	if (!e->cap)
		return -ENODEV;
	if (rq->msix) {
		e->maskable = true;
		return map_table(e, rq);
	}
	control = pci_read(e->addr, e->cap + MSI_CONTROL, 2);
	if (rq->nr > 1U << ((control & MSI_CONTROL_MULTI) >> 1))
		return -EINVAL;
	e->wide = control & MSI_CONTROL_64;
	e->maskable = control & MSI_CONTROL_MASKABLE;
	return 0;
}

static void entry_free(struct msi_entry *e)
{
	for (unsigned int i = 0; i < e->nr; i++)
		if (e->descs[i])
			irq_free(e->descs[i]);
	if (e->table_page)
		unmap_device(e->table_page, PAGE_SIZE);
	hv_free(e);
}

/* Makes an entry with its descriptors. No other CPU sees it yet. */
static struct msi_entry *entry_make(const struct msi_request *rq, int *err)
{
	struct msi_entry *e = hv_alloc(sizeof(*e));

	*err = -ENOMEM;
	if (!e)
		return NULL;
	spin_lock_init(&e->lock, LOCK_IOAPIC);
	e->addr = rq->addr;
	e->msix = rq->msix;
	e->index = rq->entry;
	e->nr = rq->msix ? 1 : rq->nr;
	*err = find_place(e, rq);
	for (unsigned int i = 0; i < e->nr && !*err; i++) {
		e->descs[i] = irq_alloc(&msi_irq_ops, e);
		if (!e->descs[i]) {
			*err = -ENOMEM;
			break;
		}
		e->descs[i]->immovable = e->nr > 1;
		e->descs[i]->same_vector = !e->maskable;
	}
	if (*err) {
		entry_free(e);
		return NULL;
	}
	return e;
}

int msi_create(const struct msi_request *rq, struct irq_desc **descs)
{
	struct msi_entry *e;
	int err;

	if (!rq->msix && (rq->nr == 0 || rq->nr > MSI_MAX_MESSAGES || (rq->nr & (rq->nr - 1))))
		return -EINVAL;
	spin_lock(&list_lock);
	err = pci_prepare(rq->addr);
	if (!err && !pci_exists(rq->addr))
		err = -ENODEV;
	if (!err && in_use(rq))
		err = -EBUSY;
	e = err ? NULL : entry_make(rq, &err);
	if (e) {
		e->masks = ~0U >> (32 - e->nr);
		err = irq_assign_vectors(e->descs, e->nr, 0);
		if (err) {
			entry_free(e);
		} else {
			write_all(e);
			list_add(&e->link, &entries);
			for (unsigned int i = 0; i < e->nr; i++)
				descs[i] = e->descs[i];
		}
	}
	spin_unlock(&list_lock);
	return err;
}

void msi_destroy(struct irq_desc *first)
{
	struct msi_entry *e = first->message;

	spin_lock(&list_lock);
	e->masks = ~0U >> (32 - e->nr);
	/* With memory decoding off the table does not answer, and the device may be gone. */
	if (!e->msix || (pci_read(e->addr, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		write_masks(e);
	list_del(&e->link);
	entry_free(e);
	spin_unlock(&list_lock);
}

int msi_restore(struct pci_addr a)
{
	struct msi_entry *e;
	unsigned long flags;
	int ret = -ENODEV;

	spin_lock(&list_lock);
	list_for_each(e, &entries, link) {
		if (e->addr.seg != a.seg || e->addr.bus != a.bus || e->addr.devfn != a.devfn)
			continue;
		ret = 0;
		if (e->msix && !(pci_read(a, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY)) {
			ret = -ENXIO;
			break;
		}
		flags = spin_lock_irqsave(&e->lock);
		write_all(e);
		spin_unlock_irqrestore(&e->lock, flags);
	}
	spin_unlock(&list_lock);
	return ret;
}
