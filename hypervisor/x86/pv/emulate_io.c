/* SPDX-License-Identifier: MIT */
/*
 * Port I/O of guests. Every IN and OUT in ring 3 faults. The guest gets #GP for what its own rules
 * refuse (IOPL and bitmap: physdev.h). Accesses to its domain's ports reach the hardware. Other
 * ports read as all ones and ignore writes, like ports with nothing behind them.
 *
 * The hypervisor uses the two ports of PCI configuration space as well. So each domain's address is
 * latched, and address and data are written together. The real-time clock's ports work the same
 * way.
 */
#include "x86/pv/emulate.h"

#include "hv/arch/guest_access.h"
#include "x86/pci/config.h"
#include "x86/pv/bounce.h"
#include "x86/pv/pv_mmu.h"

#define PORT_PCI_ADDRESS 0xcf8U
#define PORT_PCI_DATA	 0xcfcU
#define PORT_RTC_INDEX	 0x70U
#define PORT_RTC_DATA	 0x71U
#define IO_STRING_BATCH	 64U /* items of one INS or OUTS between checks for softirqs */

/* May the guest, by its own rules, use these ports? */
static bool guest_rules_allow(const struct vcpu *v, unsigned int port, unsigned int bytes)
{
	const struct pv_vcpu *pv = pv_of(v);

	if (pv->iopl >= (pv->in_kernel ? 1U : 3U))
		return true;
	if (!pv->iobmp || port + bytes > pv->iobmp_limit)
		return false;
	for (unsigned int p = port; p < port + bytes; p++) {
		u8 bits;

		if (pv_copy_from_kernel(&bits, (const u8 __guest *)pv->iobmp + p / 8, 1) ||
		    (bits & (1U << (p % 8))))
			return false;
	}
	return true;
}

bool pv_io_port_allowed(const struct vcpu *v, unsigned int port, unsigned int bytes)
{
	return port + bytes <= 0x10000 &&
	       rangeset_contains(&v->domain->arch->ioport_caps, port, port + bytes - 1);
}

static u32 hardware_in(u16 port, unsigned int bytes)
{
	return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

static void hardware_out(u16 port, unsigned int bytes, u32 value)
{
	if (bytes == 1)
		outb(port, (u8)value);
	else if (bytes == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
}

static u32 port_in(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	struct arch_domain *a = v->domain->arch;
	u32 value = ~0U;
	unsigned long flags;

	if (!pv_io_port_allowed(v, port, bytes))
		return value;
	if (port == PORT_PCI_ADDRESS && bytes == 4)
		return a->pci_cf8;
	if (port - PORT_PCI_DATA < 4 && port - PORT_PCI_DATA + bytes <= 4)
		return a->pci_cf8 & BIT(31) ?
			       pci_cf8_read(a->pci_cf8, port - PORT_PCI_DATA, bytes) :
			       ~0U;
	if (port == PORT_RTC_INDEX && bytes == 1)
		return a->rtc_index;
	if (port == PORT_RTC_INDEX && bytes == 2)
		return port_in(v, port, 1) | port_in(v, port + 1, 1) << 8;
	if (port == PORT_RTC_DATA && bytes == 1) {
		flags = spin_lock_irqsave(&pci_config_lock);
		outb(PORT_RTC_INDEX, a->rtc_index);
		value = inb(PORT_RTC_DATA);
		spin_unlock_irqrestore(&pci_config_lock, flags);
		return value;
	}
	return hardware_in((u16)port, bytes);
}

static void port_out(struct vcpu *v, unsigned int port, unsigned int bytes, u32 value)
{
	struct arch_domain *a = v->domain->arch;
	unsigned long flags;

	if (!pv_io_port_allowed(v, port, bytes))
		return;
	if (port == PORT_PCI_ADDRESS && bytes == 4) {
		a->pci_cf8 = value;
	} else if (port - PORT_PCI_DATA < 4 && port - PORT_PCI_DATA + bytes <= 4) {
		if ((a->pci_cf8 & BIT(31)) && !pci_cf8_is_own(a->pci_cf8))
			pci_cf8_write(a->pci_cf8, port - PORT_PCI_DATA, bytes, value);
	} else if (port == PORT_RTC_INDEX && bytes == 1) {
		a->rtc_index = (u8)value;
	} else if (port == PORT_RTC_INDEX && bytes == 2) {
		port_out(v, port, 1, value & 0xff);
		port_out(v, port + 1, 1, value >> 8);
	} else if (port == PORT_RTC_DATA && bytes == 1) {
		flags = spin_lock_irqsave(&pci_config_lock);
		outb(PORT_RTC_INDEX, a->rtc_index);
		outb(PORT_RTC_DATA, (u8)value);
		spin_unlock_irqrestore(&pci_config_lock, flags);
	} else {
		hardware_out((u16)port, bytes, value);
	}
}

static unsigned int insn_port(const struct insn *insn, const struct insn_regs *regs)
{
	return insn->has_imm ? (unsigned int)insn->imm & 0xff :
			       (unsigned int)regs->gpr[INSN_RDX] & 0xffff;
}

/*
 * One item of INS or OUTS. In 64-bit mode only FS and GS have bases other than 0; no kernel uses
 * those here.
 */
static enum emulated string_item(const struct insn *insn, struct insn_regs *regs, unsigned int port)
{
	void __guest *mem = (__force void __guest *)insn_effective_address(insn, regs);
	unsigned int bytes = insn->operand_bytes;
	u32 value = 0;
	bool failed;

	if (insn->segment == INSN_FS || insn->segment == INSN_GS)
		return EMUL_REFUSED;
	if (insn->op == INSN_INS) {
		/* Reading a port consumes the data, so check first that memory can take it. */
		failed = copy_from_guest(&value, mem, bytes) || copy_to_guest(mem, &value, bytes);
		if (!failed) {
			value = port_in(current, port, bytes);
			failed = copy_to_guest(mem, &value, bytes);
		}
	} else {
		failed = copy_from_guest(&value, mem, bytes);
		if (!failed)
			port_out(current, port, bytes, value);
	}
	if (!failed)
		return EMUL_DONE;
	pv_inject_page_fault((__force unsigned long)mem,
			     insn->op == INSN_INS ? PFEC_USER | PFEC_WRITE : PFEC_USER);
	return EMUL_TRAPPED;
}

static enum emulated emulate_string(const struct insn *insn, struct insn_regs *regs,
				    unsigned int port)
{
	if (insn_string_is_done(insn, regs)) {
		insn_advance(insn, regs);
		return EMUL_DONE;
	}
	for (unsigned int i = 0; i < (insn->rep ? IO_STRING_BATCH : 1); i++) {
		u64 rip = regs->rip;
		enum emulated done = string_item(insn, regs, port);

		if (done != EMUL_DONE)
			/*
			 * Keep the items that are done. The next run begins with this item and
			 * faults then.
			 */
			return i ? EMUL_RETRY : done;
		insn_string_step(insn, regs);
		if (regs->rip != rip)
			return EMUL_DONE;
	}
	return EMUL_RETRY;
}

enum emulated pv_emulate_io(const struct insn *insn, struct insn_regs *regs)
{
	struct vcpu *v = current;
	unsigned int port = insn_port(insn, regs), bytes = insn->operand_bytes;

	if (!guest_rules_allow(v, port, bytes))
		return EMUL_REFUSED;
	switch (insn->op) {
	case INSN_IN:
		insn_reg_write(insn, regs, INSN_RAX, bytes, port_in(v, port, bytes));
		break;
	case INSN_OUT:
		port_out(v, port, bytes, (u32)insn_reg_read(insn, regs, INSN_RAX, bytes));
		break;
	default:
		return emulate_string(insn, regs, port);
	}
	insn_advance(insn, regs);
	return EMUL_DONE;
}
