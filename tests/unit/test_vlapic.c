/* SPDX-License-Identifier: MIT */
/* The virtual local APIC: priorities, messages, modes, the timer, and its saved state. */
/* links: hypervisor/x86/hvm/dev/vlapic.c hypervisor/x86/hvm/dev/vlapic_ipi.c */
/* links: hypervisor/x86/hvm/dev/vlapic_timer.c hypervisor/x86/hvm/dev/vlapic_save.c */
/* links: hypervisor/x86/hvm/dev/vlapic_mmio.c hypervisor/x86/emul/decode.c */
/* links: hypervisor/x86/emul/execute.c hypervisor/x86/emul/tables.c */
#include "x86/hvm/dev/vlapic.h"
#include "x86/emul/decode.h"
#include "lib/errno.h"
#include "unit.h"

#include <string.h>
#include <xen/xen.h>
#include <xen/hvm/save.h>

#define ALL (VLAPIC_HAS_X2APIC | VLAPIC_HAS_DEADLINE)

/* The tests' clock: 1 ns is 2 ticks of the TSC. */
static struct vlapic_time at(u64 ns)
{
	return (struct vlapic_time){ .ns = ns, .tsc = ns * 2, .tsc_khz = 2000000 };
}

static void write_at(struct vlapic *l, unsigned int offset, u32 value, u64 ns)
{
	struct vlapic_time now = at(ns);
	struct vlapic_out out = { 0 };

	vlapic_write(l, offset, value, &now, &out);
	assert_int_equal(out.flags & VLAPIC_OUT_IPI, 0);
}

static void write(struct vlapic *l, unsigned int offset, u32 value)
{
	write_at(l, offset, value, 1000);
}

static u32 read_at(struct vlapic *l, unsigned int offset, u64 ns)
{
	struct vlapic_time now = at(ns);

	return vlapic_read(l, offset, &now);
}

static u32 read(struct vlapic *l, unsigned int offset)
{
	return read_at(l, offset, 1000);
}

static int wrmsr_at(struct vlapic *l, u32 msr, u64 value, u64 ns, struct vlapic_out *out)
{
	struct vlapic_time now = at(ns);

	*out = (struct vlapic_out){ 0 };
	return vlapic_write_msr(l, msr, value, &now, out);
}

static int set_base(struct vlapic *l, u64 value)
{
	struct vlapic_out out = { 0 };

	return vlapic_set_base(l, value, &out);
}

/* Enabled by software, ready for interrupts. */
static void create(struct vlapic *l, u32 id)
{
	vlapic_create(l, id, id == 0, ALL, 39);
	write(l, VLAPIC_SVR, 0x1ff);
}

static void create_x2(struct vlapic *l, u32 id)
{
	create(l, id);
	assert_int_equal(set_base(l, l->apic_base | APIC_BASE_X2), 0);
}

/* SDM 3A 11.4.7.1: the state after power-up. */
static void starts_as_after_power_up(void **state)
{
	struct vlapic l;

	vlapic_create(&l, 6, false, ALL, 39);
	assert_int_equal(l.apic_base, 0xfee00800);
	assert_int_equal(vlapic_mode(&l), VLAPIC_XAPIC);
	assert_int_equal(read(&l, VLAPIC_ID), 6U << 24);
	assert_int_equal(read(&l, VLAPIC_VERSION), 0x50014);
	assert_int_equal(read(&l, VLAPIC_SVR), 0xff);
	assert_int_equal(read(&l, VLAPIC_DFR), 0xffffffff);
	assert_int_equal(read(&l, VLAPIC_LDR), 0);
	for (unsigned int lvt = VLAPIC_LVT_TIMER; lvt <= VLAPIC_LVT_ERROR; lvt += 16)
		assert_int_equal(read(&l, lvt), 0x10000);
	vlapic_create(&l, 0, true, ALL, 39);
	assert_int_equal(l.apic_base, 0xfee00900);
}

static void init_keeps_only_the_id_and_the_base(void **state)
{
	struct vlapic l;

	create_x2(&l, 5);
	assert_true(vlapic_accept(&l, 0x40, true));
	vlapic_init(&l);
	assert_int_equal(vlapic_mode(&l), VLAPIC_X2APIC);
	assert_int_equal(read(&l, VLAPIC_ID), 5);
	assert_int_equal(read(&l, VLAPIC_LDR), 1 << 5);
	assert_int_equal(read(&l, VLAPIC_SVR), 0xff);
	assert_int_equal(vlapic_pending(&l), -1);
}

static void takes_interrupts_by_priority(void **state)
{
	struct vlapic_out out = { 0 };
	struct vlapic l;

	create(&l, 0);
	assert_true(vlapic_accept(&l, 0x31, false));
	assert_false(vlapic_accept(&l, 0x31, false));
	assert_true(vlapic_accept(&l, 0xf3, false));
	assert_int_equal(vlapic_pending(&l), 0xf3);
	vlapic_ack(&l, 0xf3);
	assert_int_equal(read(&l, VLAPIC_PPR), 0xf0);
	assert_int_equal(vlapic_pending(&l), -1);
	/* The same class is not higher. */
	assert_true(vlapic_accept(&l, 0xf9, false));
	assert_int_equal(vlapic_pending(&l), -1);
	vlapic_eoi(&l, &out);
	assert_int_equal(out.flags, VLAPIC_OUT_PENDING);
	assert_int_equal(vlapic_pending(&l), 0xf9);
	vlapic_ack(&l, 0xf9);
	vlapic_eoi(&l, &out);
	assert_int_equal(vlapic_pending(&l), 0x31);
	vlapic_ack(&l, 0x31);
	assert_int_equal(read(&l, VLAPIC_ISR + 16), 1 << 17);
	/* A vector in service may become pending again. */
	assert_true(vlapic_accept(&l, 0x31, false));
	assert_true(vlapic_accept(&l, 0x45, false));
	assert_int_equal(vlapic_pending(&l), 0x45);
	vlapic_ack(&l, 0x45);
	assert_int_equal(read(&l, VLAPIC_PPR), 0x40);
	vlapic_eoi(&l, &out); /* of 45 */
	assert_int_equal(read(&l, VLAPIC_PPR), 0x30);
	vlapic_eoi(&l, &out); /* of 31 */
	assert_int_equal(vlapic_pending(&l), 0x31);
}

/* SDM 3A 11.8.3.1: PPR for every task priority and every vector in service. */
static void computes_the_processor_priority(void **state)
{
	struct vlapic l;

	for (u32 tpr = 0; tpr < 256; tpr += 5)
		for (u32 vector = 16; vector < 256; vector++) {
			u32 expected = tpr >> 4 >= vector >> 4 ? tpr : vector & 0xf0;

			create(&l, 0);
			assert_true(vlapic_accept(&l, (u8)vector, false));
			vlapic_ack(&l, (u8)vector);
			write(&l, VLAPIC_TPR, tpr);
			assert_int_equal(read(&l, VLAPIC_PPR), expected);
		}
}

static void task_priority_and_cr8_hold_back(void **state)
{
	struct vlapic l;

	create(&l, 0);
	assert_true(vlapic_accept(&l, 0x55, false));
	write(&l, VLAPIC_TPR, 0x50);
	assert_int_equal(vlapic_cr8(&l), 5);
	assert_int_equal(vlapic_pending(&l), -1);
	vlapic_set_cr8(&l, 4);
	assert_int_equal(read(&l, VLAPIC_TPR), 0x40);
	assert_int_equal(vlapic_pending(&l), 0x55);
}

static void a_disabled_apic_takes_nothing(void **state)
{
	struct vlapic l;

	vlapic_create(&l, 0, true, ALL, 39);
	assert_false(vlapic_accept(&l, 0x31, false));
	write(&l, VLAPIC_SVR, 0x1ff);
	assert_true(vlapic_accept(&l, 0x31, false));
	write(&l, VLAPIC_LVT_LINT0, 0x700);
	assert_int_equal(read(&l, VLAPIC_LVT_LINT0), 0x700);
	/* By software: what is pending stays, and the local entries are masked. */
	write(&l, VLAPIC_SVR, 0xff);
	assert_int_equal(vlapic_pending(&l), 0x31);
	assert_false(vlapic_accept(&l, 0x41, false));
	assert_int_equal(read(&l, VLAPIC_LVT_LINT0), 0x10700);
	write(&l, VLAPIC_LVT_LINT0, 0x700);
	assert_int_equal(read(&l, VLAPIC_LVT_LINT0), 0x10700);
	/* By hardware: all is gone. */
	write(&l, VLAPIC_SVR, 0x1ff);
	assert_int_equal(set_base(&l, APIC_BASE_DEFAULT | APIC_BASE_BSP), 0);
	assert_int_equal(vlapic_pending(&l), -1);
	assert_false(vlapic_accept(&l, 0x41, false));
	assert_int_equal(set_base(&l, 0xfee00900), 0);
	assert_int_equal(read(&l, VLAPIC_SVR), 0xff);
}

static void the_end_of_a_level_interrupt_is_told(void **state)
{
	struct vlapic l;
	struct vlapic_out out = { 0 };

	create(&l, 0);
	assert_true(vlapic_accept(&l, 0x31, true));
	assert_int_equal(read(&l, VLAPIC_TMR + 16), 1 << 17);
	vlapic_ack(&l, 0x31);
	vlapic_eoi(&l, &out);
	assert_int_equal(out.flags, VLAPIC_OUT_PENDING | VLAPIC_OUT_EOI);
	assert_int_equal(out.eoi_vector, 0x31);
	/* As an edge the same vector ends silently. */
	out = (struct vlapic_out){ 0 };
	assert_true(vlapic_accept(&l, 0x31, false));
	assert_int_equal(read(&l, VLAPIC_TMR + 16), 0);
	vlapic_ack(&l, 0x31);
	vlapic_eoi(&l, &out);
	assert_int_equal(out.flags, VLAPIC_OUT_PENDING);
	/* Nothing is in service. */
	out = (struct vlapic_out){ 0 };
	vlapic_eoi(&l, &out);
	assert_int_equal(out.flags, 0);
}

/* --- messages --- */

static struct vlapic_ipi sent(struct vlapic *l, u32 icr, u32 dest)
{
	struct vlapic_time now = at(1000);
	struct vlapic_out out = { 0 };

	if (vlapic_mode(l) == VLAPIC_X2APIC) {
		assert_int_equal(vlapic_write_msr(l, 0x830, icr | (u64)dest << 32, &now, &out), 0);
	} else {
		vlapic_write(l, VLAPIC_ICR2, dest << 24, &now, &out);
		assert_int_equal(out.flags, 0);
		vlapic_write(l, VLAPIC_ICR, icr, &now, &out);
		assert_int_equal(read(l, VLAPIC_ICR) & BIT(12), 0);
		assert_int_equal(read(l, VLAPIC_ICR2), dest << 24);
	}
	assert_int_equal(out.flags, VLAPIC_OUT_IPI);
	return out.ipi;
}

static u32 destinations(struct vlapic *l, unsigned int nr, unsigned int from, u32 icr, u32 dest)
{
	struct vlapic_ipi ipi = sent(&l[from], icr, dest);
	u32 found = 0;

	for (unsigned int i = 0; i < nr; i++)
		if (vlapic_is_dest(&l[i], &l[from], &ipi))
			found |= 1U << i;
	return found;
}

static void physical_destinations(void **state)
{
	struct vlapic l[4];

	for (u32 i = 0; i < 4; i++)
		create(&l[i], i * 2);
	assert_int_equal(destinations(l, 4, 0, 0xf0, 2), 1 << 1);
	assert_int_equal(destinations(l, 4, 0, 0xf0, 0), 1 << 0);
	assert_int_equal(destinations(l, 4, 0, 0xf0, 3), 0);
	assert_int_equal(destinations(l, 4, 1, 0xf0, 0xff), 0xf);
	assert_int_equal(destinations(l, 4, 1, 0x400f0, 3), 1 << 1);
	assert_int_equal(destinations(l, 4, 1, 0x800f0, 3), 0xf);
	assert_int_equal(destinations(l, 4, 1, 0xc00f0, 3), 0xd);
}

static void flat_logical_destinations(void **state)
{
	struct vlapic l[4];

	for (u32 i = 0; i < 4; i++) {
		create(&l[i], i * 2);
		write(&l[i], VLAPIC_LDR, 1U << (24 + i));
	}
	assert_int_equal(destinations(l, 4, 0, 0x8f0, 0x0a), 0xa);
	assert_int_equal(destinations(l, 4, 0, 0x8f0, 0x80), 0);
	assert_int_equal(destinations(l, 4, 0, 0x8f0, 0xff), 0xf);
}

static void clustered_logical_destinations(void **state)
{
	struct vlapic l[8];

	for (u32 i = 0; i < 8; i++) {
		create(&l[i], i * 2);
		write(&l[i], VLAPIC_DFR, 0);
		assert_int_equal(read(&l[i], VLAPIC_DFR), 0x0fffffff);
		write(&l[i], VLAPIC_LDR, (i / 4) << 28 | 1U << (24 + i % 4));
	}
	assert_int_equal(destinations(l, 8, 0, 0x8f0, 0x05), 0x05);
	assert_int_equal(destinations(l, 8, 0, 0x8f0, 0x1a), 0xa0);
	assert_int_equal(destinations(l, 8, 0, 0x8f0, 0xf1), 0x11); /* in every cluster */
	assert_int_equal(destinations(l, 8, 0, 0x8f0, 0x21), 0);
	assert_int_equal(destinations(l, 8, 0, 0x8f0, 0xff), 0xff);
}

static void x2apic_destinations(void **state)
{
	struct vlapic l[20];

	for (u32 i = 0; i < 20; i++) {
		create_x2(&l[i], i);
		assert_int_equal(read(&l[i], VLAPIC_LDR), (i / 16) << 16 | 1U << (i % 16));
	}
	assert_int_equal(destinations(l, 20, 0, 0xf0, 17), 1 << 17);
	assert_int_equal(destinations(l, 20, 0, 0xf0, 0xff), 0);
	assert_int_equal(destinations(l, 20, 0, 0xf0, 0xffffffff), 0xfffff);
	assert_int_equal(destinations(l, 20, 0, 0x8f0, 0x10003), 0x30000);
	assert_int_equal(destinations(l, 20, 0, 0x8f0, 0x8001), 0x8001);
	assert_int_equal(destinations(l, 20, 0, 0x8f0, 0x20001), 0);
	assert_int_equal(destinations(l, 20, 0, 0x8f0, 0xffffffff), 0xfffff);
	/* From an APIC in xAPIC mode: its eight bits are cluster 0. */
	create(&l[1], 1);
	assert_int_equal(destinations(l, 20, 1, 0x8f0, 0x0c), 0x0c);
}

static void each_mode_of_delivery(void **state)
{
	struct vlapic_time now = at(1000);
	struct vlapic_out out;
	struct vlapic l;
	struct vlapic_ipi ipi;

	create(&l, 0);
	ipi = sent(&l, 0x00045, 2);
	assert_int_equal(ipi.mode, VLAPIC_FIXED);
	assert_int_equal(ipi.vector, 0x45);
	assert_int_equal(ipi.dest, 2);
	assert_int_equal(sent(&l, 0x00145, 2).mode, VLAPIC_LOWEST);
	assert_int_equal(sent(&l, 0x00400, 2).mode, VLAPIC_NMI);
	assert_int_equal(sent(&l, 0x0c500, 2).mode, VLAPIC_INIT);
	assert_int_equal(sent(&l, 0x00500, 2).mode, VLAPIC_INIT);
	ipi = sent(&l, 0x00608, 2);
	assert_int_equal(ipi.mode, VLAPIC_STARTUP);
	assert_int_equal(ipi.vector, 8);
	/* The end of INIT, SMI, reserved modes, INIT to oneself: nothing is sent. */
	static const u32 nothing[] = { 0x08500, 0x00200, 0x00345, 0x00745, 0x40500, 0x80400 };

	for (unsigned int i = 0; i < ARRAY_SIZE(nothing); i++) {
		out = (struct vlapic_out){ 0 };
		vlapic_write(&l, VLAPIC_ICR, nothing[i], &now, &out);
		assert_int_equal(out.flags, 0);
	}
	assert_int_equal(l.errors, 0);
}

static void lowest_priority_goes_by_the_task_priority(void **state)
{
	struct vlapic a, b;

	create(&a, 0);
	create(&b, 2);
	write(&a, VLAPIC_TPR, 0x30);
	write(&b, VLAPIC_TPR, 0x20);
	assert_true(vlapic_is_lower(&b, &a));
	assert_false(vlapic_is_lower(&a, &b));
	write(&b, VLAPIC_TPR, 0x3f);
	assert_false(vlapic_is_lower(&b, &a));
	assert_false(vlapic_is_lower(&a, &b));
}

/* --- errors --- */

static void errors_are_seen_after_a_write_of_esr(void **state)
{
	struct vlapic_time now = at(1000);
	struct vlapic_out out = { 0 };
	struct vlapic l;

	create(&l, 0);
	write(&l, VLAPIC_LVT_ERROR, 0xfe);
	vlapic_write(&l, VLAPIC_ICR, 0x0000f, &now, &out);
	assert_int_equal(out.flags, VLAPIC_OUT_PENDING);
	assert_int_equal(vlapic_pending(&l), 0xfe);
	assert_int_equal(read(&l, VLAPIC_ESR), 0);
	write(&l, VLAPIC_ESR, 0);
	assert_int_equal(read(&l, VLAPIC_ESR), 0x20);
	write(&l, VLAPIC_ESR, 0);
	assert_int_equal(read(&l, VLAPIC_ESR), 0);
	/* A register that does not exist. */
	assert_int_equal(read(&l, 0x3a0), 0);
	assert_int_equal(read(&l, 0x084), 0);
	write(&l, VLAPIC_ESR, 0);
	assert_int_equal(read(&l, VLAPIC_ESR), 0x80);
	/* A local entry, even the error's own, with an illegal vector. */
	write(&l, VLAPIC_LVT_ERROR, 3);
	write(&l, 0x3a0, 1);
	write(&l, VLAPIC_ESR, 0);
	assert_int_equal(read(&l, VLAPIC_ESR), 0xc0);
}

/* --- modes --- */

static void modes_change_as_allowed(void **state)
{
	struct vlapic l;
	const u64 off = 0xfee00000, x = 0xfee00800, bad = 0xfee00400, x2 = 0xfee00c00;

	vlapic_create(&l, 2, false, ALL, 39);
	assert_int_equal(set_base(&l, bad), -EINVAL);
	assert_int_equal(set_base(&l, x2), 0);
	assert_int_equal(set_base(&l, x), -EINVAL);
	assert_int_equal(set_base(&l, bad), -EINVAL);
	assert_int_equal(set_base(&l, x2), 0);
	assert_int_equal(set_base(&l, off), 0);
	assert_int_equal(set_base(&l, x2), -EINVAL);
	assert_int_equal(set_base(&l, x), 0);
	assert_int_equal(set_base(&l, off), 0);
	assert_int_equal(set_base(&l, off), 0);
	assert_int_equal(l.apic_base, off);
	/* Reserved bits, and addresses that the guest does not have. */
	assert_int_equal(set_base(&l, x | 1), -EINVAL);
	assert_int_equal(set_base(&l, x | BIT(9)), -EINVAL);
	assert_int_equal(set_base(&l, x | BIT(39)), -EINVAL);
	assert_int_equal(set_base(&l, x | BIT(38)), 0);
	vlapic_create(&l, 2, false, VLAPIC_HAS_DEADLINE, 39);
	assert_int_equal(set_base(&l, x2), -EINVAL);
}

/* SDM 3A table 11-6: which x2APIC registers can be read and written, and their reserved bits. */
static void the_x2apics_msrs_are_checked(void **state)
{
	static const struct {
		u32 msr;
		bool readable;
		s64 writable; /* -1: not at all */
	} row[] = {
		{ 0x802, true, -1 },	  { 0x803, true, -1 },	       { 0x808, true, 0xff },
		{ 0x80a, true, -1 },	  { 0x80b, false, 0 },	       { 0x80d, true, -1 },
		{ 0x80f, true, 0x3ff },	  { 0x810, true, -1 },	       { 0x817, true, -1 },
		{ 0x818, true, -1 },	  { 0x820, true, -1 },	       { 0x827, true, -1 },
		{ 0x828, true, 0 },	  { 0x832, true, 0x700ff },    { 0x833, true, 0x107ff },
		{ 0x834, true, 0x107ff }, { 0x835, true, 0x1a7ff },    { 0x836, true, 0x1a7ff },
		{ 0x837, true, 0x100ff }, { 0x838, true, 0xffffffff }, { 0x839, true, -1 },
		{ 0x83e, true, 0xb },	  { 0x83f, false, 0xff },      { 0x800, false, -1 },
		{ 0x804, false, -1 },	  { 0x809, false, -1 },	       { 0x80c, false, -1 },
		{ 0x80e, false, -1 },	  { 0x829, false, -1 },	       { 0x82f, false, -1 },
		{ 0x831, false, -1 },	  { 0x83a, false, -1 },	       { 0x840, false, -1 },
		{ 0x8ff, false, -1 },
	};
	struct vlapic_time now = at(1000);
	struct vlapic_out out;
	struct vlapic l;
	u64 value;

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		create_x2(&l, 3);
		assert_int_equal(vlapic_read_msr(&l, row[i].msr, &now, &value),
				 row[i].readable ? 0 : -EINVAL);
		for (unsigned int bit = 0; bit < 64; bit++)
			assert_int_equal(wrmsr_at(&l, row[i].msr, BIT(bit), 1000, &out),
					 row[i].writable >= 0 && (row[i].writable & BIT(bit)) ?
						 0 :
						 -EINVAL);
		assert_int_equal(wrmsr_at(&l, row[i].msr, 0, 1000, &out),
				 row[i].writable < 0 ? -EINVAL : 0);
	}
	/* ICR: 12, 13, 16, 17 and 20 to 31 are reserved; all of the upper half is the destination.
	 */
	for (unsigned int bit = 0; bit < 64; bit++)
		assert_int_equal(wrmsr_at(&l, 0x830, BIT(bit) | 0xf0, 1000, &out),
				 bit < 32 && !(0xccfffU & BIT(bit)) ? -EINVAL : 0);
	assert_int_equal(wrmsr_at(&l, 0x83f, 0x99, 1000, &out), 0);
	assert_int_equal(out.flags, VLAPIC_OUT_IPI);
	assert_int_equal(out.ipi.shorthand, VLAPIC_SELF);
	assert_int_equal(out.ipi.vector, 0x99);
	/* In xAPIC mode there is none of them. */
	create(&l, 3);
	assert_int_equal(vlapic_read_msr(&l, 0x802, &now, &value), -EINVAL);
	assert_int_equal(wrmsr_at(&l, 0x808, 0, 1000, &out), -EINVAL);
}

/* --- the timer --- */

static u64 next_at(const struct vlapic *l, u64 ns)
{
	struct vlapic_time now = at(ns);

	return vlapic_timer_next(l, &now);
}

static bool fires_at(struct vlapic *l, u64 ns)
{
	struct vlapic_time now = at(ns);
	struct vlapic_out out = { 0 };
	int vector;

	vlapic_timer_run(l, &now, &out);
	vector = vlapic_pending(l);
	if (vector < 0)
		return false;
	vlapic_ack(l, (u8)vector);
	vlapic_eoi(l, &out);
	return true;
}

static void one_shot(void **state)
{
	struct vlapic l;

	create(&l, 0);
	write(&l, VLAPIC_LVT_TIMER, 0xef);
	write(&l, VLAPIC_DIVIDE, 0xb); /* by 1: a count takes 10 ns */
	assert_int_equal(next_at(&l, 0), 0);
	write_at(&l, VLAPIC_TIMER_INIT, 1000, 5000);
	assert_int_equal(next_at(&l, 5000), 15000);
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 5000), 1000);
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 5010), 999);
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 14999), 1);
	assert_false(fires_at(&l, 14999));
	assert_true(fires_at(&l, 15000));
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 15000), 0);
	assert_int_equal(next_at(&l, 15000), 0);
	assert_false(fires_at(&l, 1000000));
	/* A count of 0 stops it. */
	write_at(&l, VLAPIC_TIMER_INIT, 1000, 20000);
	write_at(&l, VLAPIC_TIMER_INIT, 0, 21000);
	assert_int_equal(next_at(&l, 21000), 0);
	assert_false(fires_at(&l, 50000));
}

static void periodic(void **state)
{
	struct vlapic l;

	create(&l, 0);
	write(&l, VLAPIC_LVT_TIMER, 0x200ef);
	write(&l, VLAPIC_DIVIDE, 0xb);
	write_at(&l, VLAPIC_TIMER_INIT, 10000, 0);
	assert_int_equal(next_at(&l, 0), 100000);
	assert_true(fires_at(&l, 100000));
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 100000), 10000);
	assert_false(fires_at(&l, 199999));
	assert_true(fires_at(&l, 200005));
	assert_int_equal(next_at(&l, 200005), 300000);
	/* Periods that nobody took are one interrupt, and the phase stays. */
	assert_true(fires_at(&l, 1234567));
	assert_int_equal(next_at(&l, 1234567), 1300000);
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 1234570), 6543);
	/* To one-shot: this count is the last. */
	write_at(&l, VLAPIC_LVT_TIMER, 0xef, 1250000);
	assert_true(fires_at(&l, 1300000));
	assert_false(fires_at(&l, 9000000));
}

static void a_short_period_does_not_flood_the_host(void **state)
{
	struct vlapic l;

	create(&l, 0);
	write(&l, VLAPIC_LVT_TIMER, 0x200ef);
	write(&l, VLAPIC_DIVIDE, 0xb);
	write_at(&l, VLAPIC_TIMER_INIT, 1, 0);
	assert_int_equal(next_at(&l, 0), 50000);
	assert_true(fires_at(&l, 50000));
	assert_int_equal(next_at(&l, 50000), 100000);
}

static void divides_by_1_to_128(void **state)
{
	static const u32 code[8] = { 0xb, 0, 1, 2, 3, 8, 9, 0xa };
	struct vlapic l;

	for (unsigned int i = 0; i < 8; i++) {
		create(&l, 0);
		write(&l, VLAPIC_LVT_TIMER, 0xef);
		write(&l, VLAPIC_DIVIDE, code[i]);
		write_at(&l, VLAPIC_TIMER_INIT, 100, 0);
		assert_int_equal(next_at(&l, 0), 1000UL << i);
		/* With the largest count nothing overflows. */
		write_at(&l, VLAPIC_TIMER_INIT, 0xffffffff, 0);
		assert_int_equal(next_at(&l, 0), 42949672950UL << i);
		assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 0), 0xffffffff);
	}
	/* A new rate leaves the count. */
	write_at(&l, VLAPIC_TIMER_INIT, 1000, 0); /* by 128 */
	write_at(&l, VLAPIC_DIVIDE, 0xb, 640000);
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 640000), 500);
	assert_int_equal(next_at(&l, 640000), 645000);
}

static void tsc_deadline(void **state)
{
	struct vlapic_time now = at(1000);
	struct vlapic_out out = { 0 };
	struct vlapic l;
	u64 value;

	create(&l, 0);
	/* In another mode it is deaf. */
	assert_int_equal(vlapic_write_deadline(&l, 5000, &now, &out), 0);
	assert_int_equal(vlapic_read_deadline(&l, &now, &value), 0);
	assert_int_equal(value, 0);
	write(&l, VLAPIC_LVT_TIMER, 0x400ef);
	write(&l, VLAPIC_TIMER_INIT, 77); /* ignored in this mode */
	assert_int_equal(read(&l, VLAPIC_TIMER_INIT), 0);
	assert_int_equal(next_at(&l, 1000), 0);
	assert_int_equal(vlapic_write_deadline(&l, 5001, &now, &out), 0);
	assert_int_equal(out.flags, VLAPIC_OUT_TIMER);
	assert_int_equal(next_at(&l, 1000), 2501); /* never early */
	assert_int_equal(vlapic_read_deadline(&l, &now, &value), 0);
	assert_int_equal(value, 5001);
	assert_false(fires_at(&l, 2500));
	assert_true(fires_at(&l, 2501));
	assert_int_equal(vlapic_read_deadline(&l, &now, &value), 0);
	assert_int_equal(value, 0);
	assert_false(fires_at(&l, 9999));
	/* One that has passed fires at once. */
	now = at(10000);
	out = (struct vlapic_out){ 0 };
	assert_int_equal(vlapic_write_deadline(&l, 1, &now, &out), 0);
	assert_true(out.flags & VLAPIC_OUT_PENDING);
	assert_true(fires_at(&l, 10000));
	/* Far away: no overflow, no timer. */
	assert_int_equal(vlapic_write_deadline(&l, ~0UL, &now, &out), 0);
	assert_int_equal(next_at(&l, 10000), 0);
	/* Out of the mode: disarmed. */
	assert_int_equal(vlapic_write_deadline(&l, 30000, &now, &out), 0);
	write_at(&l, VLAPIC_LVT_TIMER, 0xef, 11000);
	assert_int_equal(next_at(&l, 11000), 0);
	assert_false(fires_at(&l, 20000));
	vlapic_create(&l, 0, true, 0, 39);
	assert_int_equal(vlapic_write_deadline(&l, 1, &now, &out), -EINVAL);
	assert_int_equal(vlapic_read_deadline(&l, &now, &value), -EINVAL);
	write(&l, VLAPIC_SVR, 0x1ff);
	write(&l, VLAPIC_LVT_TIMER, 0x400ef);
	assert_int_equal(read(&l, VLAPIC_LVT_TIMER), 0xef);
}

static void a_masked_timer_counts_in_silence(void **state)
{
	struct vlapic l;

	create(&l, 0);
	write(&l, VLAPIC_DIVIDE, 0xb);
	write(&l, VLAPIC_LVT_TIMER, 0x100ef);
	write_at(&l, VLAPIC_TIMER_INIT, 1000, 0);
	assert_int_equal(next_at(&l, 0), 0);
	assert_int_equal(read_at(&l, VLAPIC_TIMER_NOW, 5000), 500);
	/* Unmasked in time it fires, too late it does not. */
	write_at(&l, VLAPIC_LVT_TIMER, 0xef, 6000);
	assert_int_equal(next_at(&l, 6000), 10000);
	assert_true(fires_at(&l, 10000));
	write_at(&l, VLAPIC_LVT_TIMER, 0x100ef, 10000);
	write_at(&l, VLAPIC_TIMER_INIT, 1000, 20000);
	write_at(&l, VLAPIC_LVT_TIMER, 0xef, 40000);
	assert_false(fires_at(&l, 40000));
}

/* --- instructions on its page --- */

/* Runs the instruction, whose operand is at `offset`; its result is in *regs. */
static int execute(struct vlapic *l, const char *bytes, size_t len, unsigned int offset,
		   struct insn_regs *regs, struct vlapic_out *out)
{
	struct vlapic_time now = at(1000);
	struct insn insn;

	assert_int_equal(insn_decode(&insn, (const u8 *)bytes, len, INSN_MODE_64), 0);
	assert_int_equal(insn.length, len);
	*out = (struct vlapic_out){ 0 };
	return vlapic_execute(l, &insn, offset, &now, regs, out);
}
#define EXECUTE(text, offset) execute(&l, text, sizeof(text) - 1, offset, &regs, &out)

static void instructions_reach_the_page(void **state)
{
	struct insn_regs regs = { .rip = 0x1000 };
	struct vlapic_out out;
	struct vlapic l;

	create(&l, 6);
	/* mov (%rbx), %eax */
	regs.gpr[INSN_RAX] = ~0UL;
	assert_int_equal(EXECUTE("\x8b\x03", VLAPIC_ID), 0);
	assert_int_equal(regs.gpr[INSN_RAX], 0x06000000);
	assert_int_equal(regs.rip, 0x1002);
	/* movzbl 3(%rbx), %ecx: a part of the word */
	assert_int_equal(EXECUTE("\x0f\xb6\x4b\x03", VLAPIC_ID + 3), 0);
	assert_int_equal(regs.gpr[INSN_RCX], 6);
	/* mov %ecx, (%rbx); movl $0x30, (%rbx) */
	assert_int_equal(EXECUTE("\x89\x0b", VLAPIC_TPR), 0);
	assert_int_equal(out.flags, VLAPIC_OUT_PENDING);
	assert_int_equal(read(&l, VLAPIC_TPR), 6);
	assert_int_equal(EXECUTE("\xc7\x03\x30\x00\x00\x00", VLAPIC_TPR), 0);
	assert_int_equal(read(&l, VLAPIC_TPR), 0x30);
	/* orl $0xf, (%rbx); xchg %ecx, (%rbx); cmpl $6, (%rbx) */
	assert_int_equal(EXECUTE("\x83\x0b\x0f", VLAPIC_TPR), 0);
	assert_int_equal(read(&l, VLAPIC_TPR), 0x3f);
	assert_int_equal(EXECUTE("\x87\x0b", VLAPIC_TPR), 0);
	assert_int_equal(regs.gpr[INSN_RCX], 0x3f);
	assert_int_equal(EXECUTE("\x83\x3b\x06", VLAPIC_TPR), 0);
	assert_int_equal(regs.rflags & 0x40, 0x40);
	assert_int_equal(read(&l, VLAPIC_TPR), 6);
	/* A write of a byte, and one that is not aligned, are dropped. */
	assert_int_equal(EXECUTE("\x88\x0b", VLAPIC_TPR), 0);
	assert_int_equal(EXECUTE("\x89\x0b", VLAPIC_TPR + 2), 0);
	assert_int_equal(EXECUTE("\x48\x89\x0b", VLAPIC_TPR), 0);
	assert_int_equal(read(&l, VLAPIC_TPR), 6);
	/* ... and such a read gets nothing. */
	assert_int_equal(EXECUTE("\x48\x8b\x03", VLAPIC_ID), 0);
	assert_int_equal(regs.gpr[INSN_RAX], 0);
	/* A read of a register does not write it: EOI ends nothing. */
	assert_true(vlapic_accept(&l, 0x31, false));
	vlapic_ack(&l, 0x31);
	assert_int_equal(EXECUTE("\x8b\x03", VLAPIC_EOI), 0);
	assert_int_equal(vlapic_ppr(&l), 0x30);
	assert_int_equal(EXECUTE("\x89\x03", VLAPIC_EOI), 0);
	assert_int_equal(vlapic_ppr(&l), 6);
	/* INVLPG and a string instruction are none of these. */
	regs.rip = 0x1000;
	assert_int_equal(EXECUTE("\x0f\x01\x3b", VLAPIC_ID), -EOPNOTSUPP);
	assert_int_equal(EXECUTE("\xab", VLAPIC_ID), -EOPNOTSUPP);
	assert_int_equal(regs.rip, 0x1000);
}

/* --- saved state --- */

static void saved_state_comes_back(void **state)
{
	struct hvm_hw_lapic_regs regs, again;
	struct vlapic_time now = at(3000), later = at(900000);
	struct hvm_hw_lapic hw, hw_again;
	struct vlapic l, copy;

	create(&l, 4);
	write(&l, VLAPIC_LVT_TIMER, 0x200ef);
	write(&l, VLAPIC_DIVIDE, 3);
	write_at(&l, VLAPIC_TIMER_INIT, 1000, 0);
	assert_true(vlapic_accept(&l, 0x31, true));
	assert_true(vlapic_accept(&l, 0x51, false));
	vlapic_ack(&l, 0x51);
	vlapic_save(&l, &now, &hw, &regs);
	assert_int_equal(hw.timer_divisor, 16);
	vlapic_create(&copy, 4, false, ALL, 39);
	assert_int_equal(vlapic_check_saved(&copy, &hw, &regs), 0);
	vlapic_load(&copy, &later, &hw, &regs);
	assert_int_equal(copy.expires - later.ns, DIV_ROUND_UP(l.expires - now.ns, 160) * 160);
	vlapic_save(&copy, &later, &hw_again, &again);
	assert_memory_equal(&hw, &hw_again, sizeof(hw));
	assert_memory_equal(&regs, &again, sizeof(regs));
	assert_int_equal(read(&copy, VLAPIC_PPR), 0x50);
	/* Without a count, as Xen writes it, the timer begins anew. */
	memset(&regs.data[VLAPIC_TIMER_NOW], 0, 4);
	vlapic_load(&copy, &later, &hw, &regs);
	assert_int_equal(copy.expires, later.ns + 160000);
	/* And so does an x2APIC with a deadline. */
	create_x2(&l, 4);
	write(&l, VLAPIC_LVT_TIMER, 0x400ef);
	l.deadline = 123456;
	vlapic_save(&l, &now, &hw, &regs);
	assert_int_equal(vlapic_check_saved(&copy, &hw, &regs), 0);
	vlapic_load(&copy, &later, &hw, &regs);
	assert_memory_equal(&copy, &l, sizeof(l));
}

static void put(struct hvm_hw_lapic_regs *regs, unsigned int offset, u32 value)
{
	memcpy(&regs->data[offset], &value, sizeof(value));
}

static void saved_state_is_checked(void **state)
{
	static const struct {
		unsigned int offset;
		u32 value;
	} bad[] = {
		{ VLAPIC_ID, 0x05000000 },
		{ VLAPIC_ID, 4 },
		{ VLAPIC_LDR, 1 },
		{ VLAPIC_TPR, 0x100 },
		{ VLAPIC_SVR, 0x500 },
		{ VLAPIC_ISR, 1 },
		{ VLAPIC_IRR, 0x8000 },
		{ VLAPIC_ESR, 0x100 },
		{ VLAPIC_ICR, 0x100000 },
		{ VLAPIC_ICR2, 1 },
		{ VLAPIC_DFR, 0 },
		{ VLAPIC_LVT_TIMER, 0x600ef },
		{ VLAPIC_LVT_TIMER, 0x800ef },
		{ VLAPIC_LVT_THERM, 0x20000 },
		{ VLAPIC_LVT_PERF, 0x800 },
		{ VLAPIC_LVT_LINT0, 0x100000 },
		{ VLAPIC_LVT_LINT1, 0x800 },
		{ VLAPIC_LVT_ERROR, 0x400 },
		{ VLAPIC_DIVIDE, 4 },
	};
	struct hvm_hw_lapic_regs regs, broken;
	struct vlapic_time now = at(3000);
	struct hvm_hw_lapic hw, broken_hw;
	struct vlapic l;

	create(&l, 4);
	vlapic_save(&l, &now, &hw, &regs);
	assert_int_equal(vlapic_check_saved(&l, &hw, &regs), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		broken = regs;
		put(&broken, bad[i].offset, bad[i].value);
		assert_int_equal(vlapic_check_saved(&l, &hw, &broken), -EINVAL);
		assert_int_equal(vlapic_check_saved(&l, NULL, &broken), -EINVAL);
	}
	/* Entries that are not masked in an APIC that is disabled. */
	broken = regs;
	put(&broken, VLAPIC_LVT_TIMER, 0xef);
	assert_int_equal(vlapic_check_saved(&l, &hw, &broken), 0);
	put(&broken, VLAPIC_SVR, 0xff);
	assert_int_equal(vlapic_check_saved(&l, &hw, &broken), -EINVAL);
#define BAD_HW(field, v)                                                              \
	do {                                                                          \
		broken_hw = hw;                                                       \
		broken_hw.field = (v);                                                \
		assert_int_equal(vlapic_check_saved(&l, &broken_hw, &regs), -EINVAL); \
	} while (0)
	BAD_HW(apic_base_msr, 0xfee00801);
	BAD_HW(apic_base_msr, 0xfee00400);
	BAD_HW(apic_base_msr, 0xfee00c00); /* the registers are those of an xAPIC */
	BAD_HW(apic_base_msr, BIT(39) | 0x800);
	BAD_HW(disabled, 4);
	BAD_HW(timer_divisor, 3);
	BAD_HW(timer_divisor, 256);
	l.features = VLAPIC_HAS_X2APIC;
	BAD_HW(tdt_msr, 1);
	l.features = VLAPIC_HAS_DEADLINE;
	BAD_HW(apic_base_msr, 0xfee00c00);
	/* The mode cannot change without its registers. */
	l.features = ALL;
	broken_hw = hw;
	broken_hw.apic_base_msr = 0xfee00c00;
	assert_int_equal(vlapic_check_saved(&l, &broken_hw, NULL), -EINVAL);
	assert_int_equal(vlapic_check_saved(&l, &hw, NULL), 0);
	/* LDR of the vCPU's number, as from some versions of Xen. */
	create_x2(&l, 4);
	vlapic_save(&l, &now, &hw, &regs);
	put(&regs, VLAPIC_LDR, 1 << 2);
	assert_int_equal(vlapic_check_saved(&l, &hw, &regs), 0);
	put(&regs, VLAPIC_LDR, 1 << 3);
	assert_int_equal(vlapic_check_saved(&l, &hw, &regs), -EINVAL);
}

/* Whatever a guest writes: no fault, no impossible state, and what is saved can be loaded. */
static void random_writes_leave_a_sound_state(void **state)
{
	static const u32 interesting[] = { 0,	    1,	     0x1ff,   0xff,    0x200ef,
					   0x400ef, 0x600ef, 0x100ef, 0xc4500, 0xffffffff };
	uint64_t seed = UNIT_SEED;
	struct hvm_hw_lapic_regs regs;
	struct hvm_hw_lapic hw;
	struct vlapic l, copy;
	u64 ns = 1, value;
	int errors = 0;

	vlapic_create(&l, 6, false, ALL, 39);
	for (int i = 0; i < 300000; i++) {
		uint64_t r = unit_random(&seed), what = unit_random(&seed);
		struct vlapic_time now = at(ns += r >> 44);
		struct vlapic_out out = { 0 };
		u32 v = what & 1 ? interesting[r % ARRAY_SIZE(interesting)] : (u32)r;
		unsigned int offset = (what >> 8) % 64 * 16;

		switch ((what >> 1) % 16) {
		case 0:
			errors += !!vlapic_set_base(&l, (r & 0xd00) | APIC_BASE_DEFAULT, &out);
			break;
		case 1 ... 4:
			errors += !!vlapic_write_msr(&l, 0x800 + offset / 16, v, &now, &out);
			break;
		case 5:
			errors += !!vlapic_write_deadline(&l, now.tsc + (u32)r, &now, &out);
			break;
		case 6:
			vlapic_accept(&l, (u8)(r | 16), what >> 60 & 1);
			break;
		case 7:
			vlapic_timer_run(&l, &now, &out);
			break;
		case 8:
			errors += !!vlapic_read_msr(&l, 0x800 + offset / 16, &now, &value);
			break;
		case 9:
			if (vlapic_pending(&l) >= 0)
				vlapic_ack(&l, (u8)vlapic_pending(&l));
			break;
		case 10:
			vlapic_eoi(&l, &out);
			break;
		default:
			if (vlapic_mode(&l) == VLAPIC_XAPIC)
				vlapic_write(&l, offset, v, &now, &out);
			break;
		}
		assert_true(!vlapic_timer_next(&l, &now) ||
			    vlapic_timer_next(&l, &now) >= l.expires);
		vlapic_save(&l, &now, &hw, &regs);
		vlapic_create(&copy, 6, false, ALL, 39);
		if (vlapic_check_saved(&copy, &hw, &regs)) {
			printf("round %d, offset %x, value %x\n", i, offset, v);
			fail();
		}
	}
	/* Much was refused, and much was not. */
	assert_in_range(errors, 10000, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_as_after_power_up),
		cmocka_unit_test(init_keeps_only_the_id_and_the_base),
		cmocka_unit_test(takes_interrupts_by_priority),
		cmocka_unit_test(computes_the_processor_priority),
		cmocka_unit_test(task_priority_and_cr8_hold_back),
		cmocka_unit_test(a_disabled_apic_takes_nothing),
		cmocka_unit_test(the_end_of_a_level_interrupt_is_told),
		cmocka_unit_test(physical_destinations),
		cmocka_unit_test(flat_logical_destinations),
		cmocka_unit_test(clustered_logical_destinations),
		cmocka_unit_test(x2apic_destinations),
		cmocka_unit_test(each_mode_of_delivery),
		cmocka_unit_test(lowest_priority_goes_by_the_task_priority),
		cmocka_unit_test(errors_are_seen_after_a_write_of_esr),
		cmocka_unit_test(modes_change_as_allowed),
		cmocka_unit_test(the_x2apics_msrs_are_checked),
		cmocka_unit_test(one_shot),
		cmocka_unit_test(periodic),
		cmocka_unit_test(a_short_period_does_not_flood_the_host),
		cmocka_unit_test(divides_by_1_to_128),
		cmocka_unit_test(tsc_deadline),
		cmocka_unit_test(a_masked_timer_counts_in_silence),
		cmocka_unit_test(instructions_reach_the_page),
		cmocka_unit_test(saved_state_comes_back),
		cmocka_unit_test(saved_state_is_checked),
		cmocka_unit_test(random_writes_leave_a_sound_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
