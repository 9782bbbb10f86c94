/* SPDX-License-Identifier: MIT */
/*
 * The registers and priorities of a virtual local APIC. In comments, numbers of sections are those
 * of the SDM volume 3.
 *
 * It has the six entries of the local vector table that version 0x14 has, no CMCI, no suppression
 * of EOI broadcasts. Its ID cannot be written.
 */
#include "x86/hvm/dev/vlapic.h"

#include "hv/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define VERSION	     0x00050014 /* the last of six LVT entries is number 5 */
#define SVR_WRITABLE 0x3ff	/* bit 9, focus checking, is kept without effect */
#define LVT_COMMON   (VLAPIC_LVT_MASKED | 0xff)
#define LVT_DELIVERY 0x700
#define LVT_PIN	     0xa000 /* polarity and trigger mode; remote IRR and status are read-only */
#define FIRST_VECTOR 16	    /* those below are illegal */

#define REG(l, offset) ((l)->reg[(offset) / 16])

u32 vlapic_lvt_writable(const struct vlapic *l, unsigned int offset)
{
	switch (offset) {
	case VLAPIC_LVT_TIMER:
		return (u32)(LVT_COMMON | VLAPIC_LVT_PERIODIC |
			     (l->features & VLAPIC_HAS_DEADLINE ? VLAPIC_LVT_DEADLINE : 0));
	case VLAPIC_LVT_THERM:
	case VLAPIC_LVT_PERF:
		return LVT_COMMON | LVT_DELIVERY;
	case VLAPIC_LVT_LINT0:
	case VLAPIC_LVT_LINT1:
		return LVT_COMMON | LVT_DELIVERY | LVT_PIN;
	default: /* VLAPIC_LVT_ERROR */
		return LVT_COMMON;
	}
}

u32 vlapic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | 1U << (id & 15);
}

/* ID and LDR look different in the two modes (11.12.10.2). */
static void set_ids(struct vlapic *l)
{
	if (vlapic_mode(l) == VLAPIC_X2APIC) {
		WRITE_ONCE(REG(l, VLAPIC_ID), l->id);
		WRITE_ONCE(REG(l, VLAPIC_LDR), vlapic_x2apic_ldr(l->id));
	} else {
		WRITE_ONCE(REG(l, VLAPIC_ID), l->id << 24);
	}
}

void vlapic_init(struct vlapic *l)
{
	memset(l->reg, 0, sizeof(l->reg));
	l->deadline = 0;
	l->expires = 0;
	l->errors = 0;
	REG(l, VLAPIC_VERSION) = VERSION;
	REG(l, VLAPIC_DFR) = 0xffffffff;
	REG(l, VLAPIC_SVR) = 0xff;
	for (unsigned int offset = VLAPIC_LVT_TIMER; offset <= VLAPIC_LVT_ERROR; offset += 16)
		REG(l, offset) = VLAPIC_LVT_MASKED;
	set_ids(l);
}

void vlapic_create(struct vlapic *l, u32 id, bool bsp, u32 features, u8 phys_bits)
{
	*l = (struct vlapic){ .id = id, .features = features, .phys_bits = phys_bits };
	l->apic_base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE | (bsp ? APIC_BASE_BSP : 0);
	vlapic_init(l);
}

/* --- interrupts --- */

/* The highest of the 256 vectors at offset, or -1. */
static int highest(const struct vlapic *l, unsigned int offset)
{
	for (int i = 3; i >= 0; i--) {
		u64 bits = READ_ONCE(l->pair[offset / 32 + (unsigned int)i]);

		if (bits)
			return i * 64 + 63 - __builtin_clzll(bits);
	}
	return -1;
}

bool vlapic_accept(struct vlapic *l, u8 vector, bool level)
{
	u32 bit = 1U << (vector % 32), old;
	u32 *tmr = &l->reg[VLAPIC_TMR / 16 + vector / 32];

	if (vlapic_mode(l) == VLAPIC_DISABLED ||
	    !(READ_ONCE(REG(l, VLAPIC_SVR)) & VLAPIC_SVR_ENABLE))
		return false;
	/* Before IRR: who takes the interrupt must know how it ends. Mostly it is right already. */
	if (!!(READ_ONCE(*tmr) & bit) != level) {
		if (level)
			atomic_or(tmr, bit);
		else
			atomic_and(tmr, ~bit);
	}
	old = __atomic_fetch_or(&l->reg[VLAPIC_IRR / 16 + vector / 32], bit, __ATOMIC_SEQ_CST);
	return !(old & bit);
}

u8 vlapic_ppr(const struct vlapic *l)
{
	int in_service = highest(l, VLAPIC_ISR);
	u32 tpr = REG(l, VLAPIC_TPR) & 0xff;

	if (in_service < 0 || (tpr & 0xf0) >= ((u32)in_service & 0xf0))
		return (u8)tpr;
	return (u8)(in_service & 0xf0);
}

int vlapic_pending(const struct vlapic *l)
{
	int vector = highest(l, VLAPIC_IRR);

	if (vector < 0 || (vector & 0xf0) <= (vlapic_ppr(l) & 0xf0) ||
	    vlapic_mode(l) == VLAPIC_DISABLED)
		return -1;
	return vector;
}

void vlapic_ack(struct vlapic *l, u8 vector)
{
	u32 bit = 1U << (vector % 32);

	atomic_and(&l->reg[VLAPIC_IRR / 16 + vector / 32], ~bit);
	l->reg[VLAPIC_ISR / 16 + vector / 32] |= bit;
}

void vlapic_eoi(struct vlapic *l, struct vlapic_out *out)
{
	int vector = highest(l, VLAPIC_ISR);
	u32 bit;

	if (vector < 0)
		return;
	bit = 1U << (vector % 32);
	l->reg[VLAPIC_ISR / 16 + vector / 32] &= ~bit;
	out->flags |= VLAPIC_OUT_PENDING;
	if (READ_ONCE(l->reg[VLAPIC_TMR / 16 + vector / 32]) & bit) {
		out->flags |= VLAPIC_OUT_EOI;
		out->eoi_vector = (u8)vector;
	}
}

/* An error is kept for the next write of ESR, and interrupts if its entry says so (11.5.3). */
static void error(struct vlapic *l, u32 which, struct vlapic_out *out)
{
	l->errors |= which;
	vlapic_raise_lvt(l, VLAPIC_LVT_ERROR, out);
}

void vlapic_raise_lvt(struct vlapic *l, unsigned int offset, struct vlapic_out *out)
{
	u32 lvt = REG(l, offset);

	if (lvt & VLAPIC_LVT_MASKED)
		return;
	if ((lvt & 0xff) < FIRST_VECTOR) {
		/* An error about the error's own entry would go round in circles. */
		if (offset == VLAPIC_LVT_ERROR)
			l->errors |= VLAPIC_ESR_RECV_VECTOR;
		else
			error(l, VLAPIC_ESR_RECV_VECTOR, out);
		return;
	}
	if (vlapic_accept(l, (u8)(lvt & 0xff), false))
		out->flags |= VLAPIC_OUT_PENDING;
}

/* --- registers --- */

/* Is there such a register, in the mode that l is in? Reserved ones read as 0. */
static bool exists(const struct vlapic *l, unsigned int offset)
{
	if (offset % 16)
		return false;
	switch (offset) {
	case VLAPIC_DFR:
	case VLAPIC_APR:
	case VLAPIC_RRD:
	case VLAPIC_ICR2:
		return vlapic_mode(l) != VLAPIC_X2APIC;
	case VLAPIC_SELF_IPI:
		return vlapic_mode(l) == VLAPIC_X2APIC;
	case VLAPIC_ID:
	case VLAPIC_VERSION:
	case VLAPIC_TPR:
	case VLAPIC_PPR:
	case VLAPIC_EOI:
	case VLAPIC_LDR:
	case VLAPIC_SVR:
	case VLAPIC_ISR ... VLAPIC_ESR:
	case VLAPIC_ICR:
	case VLAPIC_LVT_TIMER ... VLAPIC_TIMER_NOW:
	case VLAPIC_DIVIDE:
		return true;
	default:
		return false;
	}
}

static u32 read_register(const struct vlapic *l, unsigned int offset, const struct vlapic_time *now)
{
	switch (offset) {
	case VLAPIC_PPR:
		return vlapic_ppr(l);
	case VLAPIC_TIMER_NOW:
		return vlapic_timer_count(l, now->ns);
	case VLAPIC_EOI:
		return 0;
	default:
		return READ_ONCE(REG(l, offset));
	}
}

/* While software has disabled the APIC, the mask bits of all entries are set (11.4.7.2). */
static void write_svr(struct vlapic *l, u32 value)
{
	WRITE_ONCE(REG(l, VLAPIC_SVR), value & SVR_WRITABLE);
	if (value & VLAPIC_SVR_ENABLE)
		return;
	for (unsigned int offset = VLAPIC_LVT_TIMER; offset <= VLAPIC_LVT_ERROR; offset += 16)
		REG(l, offset) |= VLAPIC_LVT_MASKED;
}

static void write_lvt(struct vlapic *l, unsigned int offset, u32 value,
		      const struct vlapic_time *now, struct vlapic_out *out)
{
	value &= vlapic_lvt_writable(l, offset);
	if (!(REG(l, VLAPIC_SVR) & VLAPIC_SVR_ENABLE))
		value |= VLAPIC_LVT_MASKED;
	if (offset == VLAPIC_LVT_TIMER) {
		/* Both mode bits at once are reserved. */
		if (value & VLAPIC_LVT_DEADLINE)
			value &= ~(u32)VLAPIC_LVT_PERIODIC;
		vlapic_timer_run(l, now, out);
		vlapic_timer_set_lvt(l, value);
		out->flags |= VLAPIC_OUT_TIMER;
	} else {
		REG(l, offset) = value;
	}
}

static void write_timer(struct vlapic *l, unsigned int offset, u32 value,
			const struct vlapic_time *now, struct vlapic_out *out)
{
	vlapic_timer_run(l, now, out);
	if (offset == VLAPIC_DIVIDE)
		vlapic_timer_set_divide(l, value & 0xb, now->ns);
	else
		vlapic_timer_start(l, value, now->ns);
	out->flags |= VLAPIC_OUT_TIMER;
}

/* A register that exists. Those that are read-only stay as they are. */
static void write_register(struct vlapic *l, unsigned int offset, u32 value,
			   const struct vlapic_time *now, struct vlapic_out *out)
{
	switch (offset) {
	case VLAPIC_TPR:
		WRITE_ONCE(REG(l, VLAPIC_TPR), value & 0xff);
		out->flags |= VLAPIC_OUT_PENDING;
		break;
	case VLAPIC_EOI:
		vlapic_eoi(l, out);
		break;
	case VLAPIC_LDR: /* in xAPIC mode */
		WRITE_ONCE(REG(l, VLAPIC_LDR), value & 0xff000000);
		break;
	case VLAPIC_DFR:
		WRITE_ONCE(REG(l, VLAPIC_DFR), value | 0x0fffffff);
		break;
	case VLAPIC_SVR:
		write_svr(l, value);
		out->flags |= VLAPIC_OUT_TIMER;
		break;
	case VLAPIC_ESR:
		REG(l, VLAPIC_ESR) = l->errors;
		l->errors = 0;
		break;
	case VLAPIC_ICR:
		/* Delivery is immediate, so its status never reads as pending. */
		REG(l, VLAPIC_ICR) = value & 0xccfff;
		REG(l, VLAPIC_ICR) &= ~(u32)BIT(12);
		vlapic_send(l, value, REG(l, VLAPIC_ICR2) >> 24, out);
		break;
	case VLAPIC_ICR2:
		REG(l, VLAPIC_ICR2) = value & 0xff000000;
		break;
	case VLAPIC_LVT_TIMER ... VLAPIC_LVT_ERROR:
		write_lvt(l, offset, value, now, out);
		break;
	case VLAPIC_TIMER_INIT:
	case VLAPIC_DIVIDE:
		write_timer(l, offset, value, now, out);
		break;
	default:
		break;
	}
}

u32 vlapic_read(struct vlapic *l, unsigned int offset, const struct vlapic_time *now)
{
	if (exists(l, offset))
		return read_register(l, offset, now);
	l->errors |= VLAPIC_ESR_ADDRESS;
	return 0;
}

void vlapic_write(struct vlapic *l, unsigned int offset, u32 value, const struct vlapic_time *now,
		  struct vlapic_out *out)
{
	if (exists(l, offset))
		write_register(l, offset, value, now, out);
	else
		error(l, VLAPIC_ESR_ADDRESS, out);
}

/* --- the x2APIC's MSRs (11.12) --- */

static unsigned int msr_offset(u32 msr)
{
	return (msr & 0xff) * 16;
}

int vlapic_read_msr(struct vlapic *l, u32 msr, const struct vlapic_time *now, u64 *value)
{
	unsigned int offset = msr_offset(msr);

	if (vlapic_mode(l) != VLAPIC_X2APIC || !exists(l, offset) || offset == VLAPIC_EOI ||
	    offset == VLAPIC_SELF_IPI)
		return -EINVAL;
	*value = read_register(l, offset, now);
	if (offset == VLAPIC_ICR)
		*value |= (u64)REG(l, VLAPIC_ICR2) << 32;
	return 0;
}

/* The bits that may be 1 in a write of an x2APIC register; -1: it cannot be written. */
static s64 msr_writable(const struct vlapic *l, unsigned int offset)
{
	switch (offset) {
	case VLAPIC_TPR:
	case VLAPIC_SELF_IPI:
		return 0xff;
	case VLAPIC_EOI:
	case VLAPIC_ESR:
		return 0;
	case VLAPIC_SVR:
		return SVR_WRITABLE;
	case VLAPIC_LVT_TIMER ... VLAPIC_LVT_ERROR:
		return vlapic_lvt_writable(l, offset);
	case VLAPIC_TIMER_INIT:
		return 0xffffffff;
	case VLAPIC_DIVIDE:
		return 0xb;
	default:
		return -1;
	}
}

/* All of ICR in one write; bit 12, the delivery status, has gone. */
static int write_x2apic_icr(struct vlapic *l, u64 value, struct vlapic_out *out)
{
	if ((u32)value & ~0xccfffU)
		return -EINVAL;
	REG(l, VLAPIC_ICR) = (u32)value & ~(u32)BIT(12);
	REG(l, VLAPIC_ICR2) = (u32)(value >> 32);
	vlapic_send(l, (u32)value, (u32)(value >> 32), out);
	return 0;
}

int vlapic_write_msr(struct vlapic *l, u32 msr, u64 value, const struct vlapic_time *now,
		     struct vlapic_out *out)
{
	unsigned int offset = msr_offset(msr);
	s64 writable;

	if (vlapic_mode(l) != VLAPIC_X2APIC || !exists(l, offset))
		return -EINVAL;
	if (offset == VLAPIC_ICR)
		return write_x2apic_icr(l, value, out);
	writable = msr_writable(l, offset);
	if (writable < 0 || (value & ~(u64)writable))
		return -EINVAL;
	if (offset == VLAPIC_SELF_IPI)
		vlapic_send(l, (u32)value | VLAPIC_SELF << 18, 0, out);
	else
		write_register(l, offset, (u32)value, now, out);
	return 0;
}

/* --- IA32_APIC_BASE (11.4.3, 11.12.5) --- */

bool vlapic_base_is_valid(const struct vlapic *l, u64 value)
{
	u64 reserved = ~(BIT(l->phys_bits) - 1) | 0x2ff;

	if (!(l->features & VLAPIC_HAS_X2APIC))
		reserved |= APIC_BASE_X2;
	return !(value & reserved) && (value & (APIC_BASE_X2 | APIC_BASE_ENABLE)) != APIC_BASE_X2;
}

int vlapic_set_base(struct vlapic *l, u64 value, struct vlapic_out *out)
{
	u64 changed = value ^ l->apic_base;
	bool enable = value & APIC_BASE_ENABLE, x2 = value & APIC_BASE_X2;
	enum vlapic_mode mode = vlapic_mode(l);

	if (!vlapic_base_is_valid(l, value))
		return -EINVAL;
	/* From x2APIC only to disabled, from disabled only to xAPIC. */
	if ((mode == VLAPIC_X2APIC && enable && !x2) || (mode == VLAPIC_DISABLED && x2))
		return -EINVAL;
	WRITE_ONCE(l->apic_base, value);
	if (!enable) {
		vlapic_init(l);
		out->flags |= VLAPIC_OUT_TIMER;
	} else if (changed & APIC_BASE_X2) {
		set_ids(l);
		REG(l, VLAPIC_ICR2) = 0;
	}
	return 0;
}
