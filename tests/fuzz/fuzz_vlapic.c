/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what a guest, the clock and other vCPUs do to a local APIC. No state may come of it
 * that could not be saved, and the timer never asks for a time that has passed.
 */
/* links: hypervisor/x86/hvm/dev/vlapic.c hypervisor/x86/hvm/dev/vlapic_timer.c */
/* links: hypervisor/x86/hvm/dev/vlapic_ipi.c hypervisor/x86/hvm/dev/vlapic_save.c */
/* links: hypervisor/x86/hvm/dev/vlapic_mmio.c hypervisor/x86/emul/decode.c */
/* links: hypervisor/x86/emul/execute.c hypervisor/x86/emul/tables.c */
#include "x86/hvm/dev/vlapic.h"
#include "x86/emul/decode.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/hvm/save.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One step: what happens, to which register, with which value, after how long. */
struct step {
	u8 what, offset;
	u16 delay;
	u32 value;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_result(int err)
{
	check(err == 0 || err == -EINVAL || err == -EOPNOTSUPP);
}

static void take_interrupt(struct vlapic *l)
{
	int vector = vlapic_pending(l);

	if (vector < 0)
		return;
	check(vector >= 16 && vector < 256 && vector > vlapic_ppr(l));
	vlapic_ack(l, (u8)vector);
	check(vlapic_ppr(l) >= (vector & 0xf0));
	check((vlapic_pending(l) & 0xf0) > (vector & 0xf0) || vlapic_pending(l) < 0);
}

/* An instruction of the value's bytes and what follows them, on the page. */
static void execute(struct vlapic *l, const struct step *s, const struct vlapic_time *now,
		    struct vlapic_out *out)
{
	struct insn_regs regs = { .gpr = { s->value, s->delay, s->what } };
	struct insn insn;

	if (!insn_decode(&insn, (const u8 *)s, sizeof(*s), INSN_MODE_64))
		check_result(vlapic_execute(l, &insn, s->offset * 16U, now, &regs, out));
}

static void run_step(struct vlapic *l, const struct step *s, const struct vlapic_time *now,
		     struct vlapic_out *out)
{
	unsigned int offset = (s->offset & 63) * 16;
	u64 value;

	switch (s->what % 12) {
	case 0:
		check_result(vlapic_set_base(l, APIC_BASE_DEFAULT | (s->value & 0xfff), out));
		break;
	case 1:
		check_result(vlapic_write_msr(l, 0x800 + s->offset, s->value, now, out));
		break;
	case 2:
		check_result(vlapic_read_msr(l, 0x800 + s->offset, now, &value));
		break;
	case 3:
		check_result(vlapic_write_deadline(l, now->tsc + s->value - 1000, now, out));
		break;
	case 4:
		vlapic_accept(l, (u8)(s->value | 16), s->offset & 1);
		break;
	case 5:
		take_interrupt(l);
		break;
	case 6:
		vlapic_eoi(l, out);
		break;
	case 7:
		vlapic_timer_run(l, now, out);
		check(!vlapic_timer_next(l, now) || vlapic_timer_next(l, now) > now->ns);
		break;
	case 8:
		vlapic_set_cr8(l, s->value & 15);
		break;
	case 9:
		if (vlapic_mode(l) == VLAPIC_XAPIC)
			execute(l, s, now, out);
		break;
	case 10:
		if (s->value == 0)
			vlapic_init(l);
		break;
	default:
		if (vlapic_mode(l) == VLAPIC_XAPIC)
			vlapic_write(l, offset, s->value, now, out);
		break;
	}
}

static void check_saved(const struct vlapic *l, const struct vlapic_time *now)
{
	struct hvm_hw_lapic_regs regs;
	struct hvm_hw_lapic hw;
	struct vlapic other;

	vlapic_save(l, now, &hw, &regs);
	vlapic_create(&other, l->id, false, l->features, l->phys_bits);
	check(!vlapic_check_saved(&other, &hw, &regs));
	vlapic_load(&other, now, &hw, &regs);
	check(vlapic_pending(&other) == vlapic_pending(l));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vlapic_time now = { .ns = 1, .tsc = 1, .tsc_khz = 3000000 };
	struct vlapic l, from;
	struct step s;

	vlapic_create(&from, 2, false, VLAPIC_HAS_X2APIC, 39);
	vlapic_create(&l, 6, false, VLAPIC_HAS_X2APIC | VLAPIC_HAS_DEADLINE, 39);
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		struct vlapic_out out = { 0 };

		memcpy(&s, data, sizeof(s));
		now.ns += (u64)s.delay << (s.delay & 15);
		now.tsc = now.ns * 3;
		run_step(&l, &s, &now, &out);
		if (out.flags & VLAPIC_OUT_IPI) {
			check(out.ipi.mode != VLAPIC_SMI && out.ipi.mode != VLAPIC_EXTINT);
			(void)vlapic_is_dest(&l, &l, &out.ipi);
			(void)vlapic_is_dest(&from, &l, &out.ipi);
		}
		check_saved(&l, &now);
	}
	return 0;
}
