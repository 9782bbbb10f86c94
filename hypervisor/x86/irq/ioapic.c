/* SPDX-License-Identifier: MIT */
/* The I/O APICs' registers and redirection table entries. */
#include "x86/irq/ioapic.h"

#include "hv/console.h"
#include "hv/spinlock.h"
#include "x86/cpu/platform.h"
#include "x86/map_device.h"

struct ioapic ioapics[MAX_IOAPICS];
unsigned int nr_ioapics;

/* An access takes two registers, and an RTE two accesses: the lock keeps both whole. */
static DEFINE_SPINLOCK(window_lock, LOCK_IPI);

#define REG_SELECT	0 /* u32 index */
#define REG_WINDOW	4 /* u32 index: byte offset 0x10 */
#define IOAPIC_VERSION	1
#define IOAPIC_RTE(pin) ((u8)(0x10 + 2 * (pin)))

static u32 window_read(const struct ioapic *io, u8 reg)
{
	io->regs[REG_SELECT] = reg;
	return io->regs[REG_WINDOW];
}

static void window_write(const struct ioapic *io, u8 reg, u32 value)
{
	io->regs[REG_SELECT] = reg;
	io->regs[REG_WINDOW] = value;
}

u32 ioapic_read(const struct ioapic *io, u8 reg)
{
	unsigned long flags = spin_lock_irqsave(&window_lock);
	u32 value = window_read(io, reg);

	spin_unlock_irqrestore(&window_lock, flags);
	return value;
}

u64 ioapic_read_rte(const struct ioapic *io, unsigned int pin)
{
	unsigned long flags = spin_lock_irqsave(&window_lock);
	u64 rte = window_read(io, IOAPIC_RTE(pin)) | (u64)window_read(io, (u8)(IOAPIC_RTE(pin) + 1))
							     << 32;

	spin_unlock_irqrestore(&window_lock, flags);
	return rte;
}

void ioapic_write_rte(const struct ioapic *io, unsigned int pin, u64 rte)
{
	unsigned long flags = spin_lock_irqsave(&window_lock);

	/* Mask first, so that no interrupt goes to the new CPU with the old vector. */
	window_write(io, IOAPIC_RTE(pin), (u32)(window_read(io, IOAPIC_RTE(pin)) | RTE_MASKED));
	window_write(io, (u8)(IOAPIC_RTE(pin) + 1), (u32)(rte >> 32));
	window_write(io, IOAPIC_RTE(pin), (u32)rte);
	spin_unlock_irqrestore(&window_lock, flags);
}

u64 ioapic_make_rte(unsigned int vector, u32 apic_id, bool level, bool active_low)
{
	return vector | RTE_DELIVERY_FIXED | (level ? RTE_LEVEL : 0) |
	       (active_low ? RTE_ACTIVE_LOW : 0) | (u64)(apic_id & 0xff) << RTE_DEST_SHIFT;
}

struct ioapic *ioapic_of_gsi(u32 gsi, unsigned int *pin)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].nr_pins) {
			*pin = gsi - ioapics[i].gsi_base;
			return &ioapics[i];
		}
	}
	return NULL;
}

u32 ioapic_gsi_end(void)
{
	u32 end = 0;

	for (unsigned int i = 0; i < nr_ioapics; i++)
		end = max(end, ioapics[i].gsi_base + ioapics[i].nr_pins);
	return end;
}

static void change_low(u32 gsi, u32 clear, u32 set)
{
	unsigned int pin;
	const struct ioapic *io = ioapic_of_gsi(gsi, &pin);
	unsigned long flags;

	if (!io)
		return;
	flags = spin_lock_irqsave(&window_lock);
	window_write(io, IOAPIC_RTE(pin), (window_read(io, IOAPIC_RTE(pin)) & ~clear) | set);
	spin_unlock_irqrestore(&window_lock, flags);
}

void ioapic_mask(u32 gsi)
{
	change_low(gsi, 0, (u32)RTE_MASKED);
}

void ioapic_unmask(u32 gsi)
{
	change_low(gsi, (u32)RTE_MASKED, 0);
}

struct isa_irq ioapic_isa_irq(unsigned int irq)
{
	struct isa_irq isa = { .gsi = irq };

	if (irq < ARRAY_SIZE(platform.overrides) && platform.overrides[irq].present) {
		/*
		 * Polarity is in bits 0-1, trigger mode in bits 2-3. 3: active low, level. 0: the
		 * bus's default, active high, edge.
		 */
		isa.gsi = platform.overrides[irq].gsi;
		isa.active_low = (platform.overrides[irq].flags & 3) == 3;
		isa.level = (platform.overrides[irq].flags >> 2 & 3) == 3;
	}
	return isa;
}

void __init ioapic_init(void)
{
	for (unsigned int i = 0; i < platform.nr_ioapics && nr_ioapics < MAX_IOAPICS; i++) {
		struct ioapic *io = &ioapics[nr_ioapics];
		u32 version;

		io->addr = platform.ioapics[i].addr;
		io->id = platform.ioapics[i].id;
		io->gsi_base = platform.ioapics[i].gsi_base;
		io->regs = map_device(io->addr, PAGE_SIZE);
		if (!io->regs)
			panic("I/O APIC %u cannot be mapped", io->id);
		version = ioapic_read(io, IOAPIC_VERSION);
		if (version == ~0U) {
			log_warn("I/O APIC %u at %#lx does not answer", io->id, io->addr);
			continue;
		}
		io->version = (u8)version;
		io->nr_pins = (version >> 16 & 0xff) + 1;
		nr_ioapics++;
		for (unsigned int pin = 0; pin < io->nr_pins; pin++)
			ioapic_write_rte(io, pin, RTE_MASKED);
		log_info("I/O APIC %u at %#lx: GSIs %u to %u", io->id, io->addr, io->gsi_base,
			 io->gsi_base + io->nr_pins - 1);
	}
}
