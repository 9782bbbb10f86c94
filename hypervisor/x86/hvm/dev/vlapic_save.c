/* SPDX-License-Identifier: MIT */
/*
 * The saved state of a virtual local APIC (xen/arch-x86/hvm/save.h): LAPIC has what is not in the
 * page of registers, LAPIC_REGS the page's first KiB.
 */
#include "x86/hvm/dev/vlapic.h"

#include "lib/errno.h"
#include "lib/string.h"

#include <xen/xen.h>
#include <xen/hvm/save.h>

#define REG(l, offset) ((l)->reg[(offset) / 16])

#define SVR_BITS      0x3ff
#define ICR_BITS      0xccfff
#define LVT_READ_ONLY 0x5000 /* delivery status, remote IRR */
/* Of the record's field `disabled`. */
#define HW_DISABLED 1
#define SW_DISABLED 2

static u32 word(const struct hvm_hw_lapic_regs *regs, unsigned int offset)
{
	u32 value;

	memcpy(&value, &regs->data[offset], sizeof(value));
	return value;
}

static void set_word(struct hvm_hw_lapic_regs *regs, unsigned int offset, u32 value)
{
	memcpy(&regs->data[offset], &value, sizeof(value));
}

void vlapic_save(const struct vlapic *l, const struct vlapic_time *now, struct hvm_hw_lapic *hw,
		 struct hvm_hw_lapic_regs *regs)
{
	*hw = (struct hvm_hw_lapic){
		.apic_base_msr = l->apic_base,
		.disabled = (vlapic_mode(l) == VLAPIC_DISABLED ? HW_DISABLED : 0) |
			    (REG(l, VLAPIC_SVR) & VLAPIC_SVR_ENABLE ? 0 : SW_DISABLED),
		.timer_divisor = (u32)(vlapic_timer_tick_ns(l) / VLAPIC_BUS_NS),
		.tdt_msr = l->deadline,
	};
	*regs = (struct hvm_hw_lapic_regs){ 0 };
	for (unsigned int offset = 0; offset < sizeof(regs->data); offset += 16)
		set_word(regs, offset, READ_ONCE(REG(l, offset)));
	set_word(regs, VLAPIC_PPR, vlapic_ppr(l));
	set_word(regs, VLAPIC_TIMER_NOW, vlapic_timer_count(l, now->ns));
}

/* The APIC as it will be, as far as the registers' meaning depends on it. */
static struct vlapic with_base(const struct vlapic *l, const struct hvm_hw_lapic *hw)
{
	return (struct vlapic){
		.apic_base = hw ? hw->apic_base_msr : l->apic_base,
		.id = l->id,
		.features = l->features,
		.phys_bits = l->phys_bits,
	};
}

static bool ids_are_valid(const struct vlapic *will, const struct hvm_hw_lapic_regs *regs)
{
	u32 id = word(regs, VLAPIC_ID), ldr = word(regs, VLAPIC_LDR);

	if (vlapic_mode(will) != VLAPIC_X2APIC)
		return id == will->id << 24 && !(ldr & 0xffffff);
	/* Some versions of Xen make LDR of the vCPU's number, half the ID. A guest has seen that.
	 */
	return id == will->id &&
	       (ldr == vlapic_x2apic_ldr(will->id) || ldr == vlapic_x2apic_ldr(will->id / 2));
}

static bool lvt_is_valid(const struct vlapic *will, const struct hvm_hw_lapic_regs *regs)
{
	bool enabled = word(regs, VLAPIC_SVR) & VLAPIC_SVR_ENABLE;

	for (unsigned int offset = VLAPIC_LVT_TIMER; offset <= VLAPIC_LVT_ERROR; offset += 16) {
		u32 lvt = word(regs, offset);

		if (lvt & ~(vlapic_lvt_writable(will, offset) | LVT_READ_ONLY))
			return false;
		if (!enabled && !(lvt & VLAPIC_LVT_MASKED))
			return false;
	}
	/* Both mode bits at once are reserved. */
	return (word(regs, VLAPIC_LVT_TIMER) & VLAPIC_LVT_MODE) != VLAPIC_LVT_MODE;
}

static bool regs_are_valid(const struct vlapic *will, const struct hvm_hw_lapic_regs *regs)
{
	bool x2 = vlapic_mode(will) == VLAPIC_X2APIC;

	/* Vectors below 16 are never accepted. */
	if ((word(regs, VLAPIC_ISR) | word(regs, VLAPIC_IRR)) & 0xffff)
		return false;
	return ids_are_valid(will, regs) && lvt_is_valid(will, regs) &&
	       !(word(regs, VLAPIC_TPR) & ~0xffU) && !(word(regs, VLAPIC_SVR) & ~SVR_BITS) &&
	       !(word(regs, VLAPIC_ESR) & ~0xffU) && !(word(regs, VLAPIC_ICR) & ~ICR_BITS) &&
	       !(word(regs, VLAPIC_DIVIDE) & ~0xbU) &&
	       (x2 || !(word(regs, VLAPIC_ICR2) & 0xffffff)) &&
	       (x2 || (word(regs, VLAPIC_DFR) & 0xfffffff) == 0xfffffff);
}

int vlapic_check_saved(const struct vlapic *l, const struct hvm_hw_lapic *hw,
		       const struct hvm_hw_lapic_regs *regs)
{
	const struct vlapic will = with_base(l, hw);

	if (hw) {
		if (!vlapic_base_is_valid(l, hw->apic_base_msr) ||
		    (hw->disabled & ~(HW_DISABLED | SW_DISABLED)))
			return -EINVAL;
		if (hw->timer_divisor > 128 || (hw->timer_divisor & (hw->timer_divisor - 1)))
			return -EINVAL;
		if (hw->tdt_msr && !(l->features & VLAPIC_HAS_DEADLINE))
			return -EINVAL;
		/* Other registers than these are not those of that mode. */
		if (!regs && vlapic_mode(&will) != vlapic_mode(l))
			return -EINVAL;
	}
	return !regs || regs_are_valid(&will, regs) ? 0 : -EINVAL;
}

/*
 * Where the count stood is not always in the record: Xen 4.17 does not write it. Then the timer
 * begins anew. A one-shot timer that had ended fires once more, which a guest can bear; one that
 * never fires it could not.
 */
static void restart_count(struct vlapic *l, u32 left, u64 now_ns)
{
	u32 initial = REG(l, VLAPIC_TIMER_INIT);

	if (!initial || (REG(l, VLAPIC_LVT_TIMER) & VLAPIC_LVT_DEADLINE))
		return;
	if (!left || left > initial)
		left = initial;
	l->expires = now_ns + left * vlapic_timer_tick_ns(l);
}

void vlapic_load(struct vlapic *l, const struct vlapic_time *now, const struct hvm_hw_lapic *hw,
		 const struct hvm_hw_lapic_regs *regs)
{
	if (hw)
		l->apic_base = hw->apic_base_msr;
	if (regs) {
		u32 version = REG(l, VLAPIC_VERSION);

		for (unsigned int offset = 0; offset < sizeof(regs->data); offset += 16)
			REG(l, offset) = word(regs, offset);
		REG(l, VLAPIC_VERSION) = version;
		REG(l, VLAPIC_ICR) &= ~(u32)BIT(12);
		l->errors = 0;
		l->expires = 0;
		restart_count(l, word(regs, VLAPIC_TIMER_NOW), now->ns);
	}
	if (hw)
		l->deadline = REG(l, VLAPIC_LVT_TIMER) & VLAPIC_LVT_DEADLINE ? hw->tdt_msr : 0;
}
