/* SPDX-License-Identifier: MIT */
/*
 * Guests' debug registers (SDM 3B chapter 17), checked so that no guest sets a breakpoint on the
 * hypervisor's addresses.
 */
#include "x86/pv/bounce.h"

#include "lib/errno.h"

#define DR6_RESET	 0xffff0ff0UL
#define DR6_WRITABLE	 0x0000e00fUL /* B0 to B3, BD, BS, BT */
#define DR7_RESET	 0x00000400UL
#define DR7_ENABLES	 0x000000ffUL
#define DR7_GD		 BIT(13)
#define DR7_WRITABLE	 0xffff03ffUL
#define DR7_TYPE(dr7, n) (((dr7) >> (16 + 4 * (n))) & 3)
#define DR7_TYPE_IO	 2

static void write_dr_address(unsigned int n, unsigned long value)
{
	switch (n) {
	case 0:
		write_dr0(value);
		break;
	case 1:
		write_dr1(value);
		break;
	case 2:
		write_dr2(value);
		break;
	default:
		write_dr3(value);
		break;
	}
}

static bool breakpoints_are_on(const struct vcpu *v)
{
	return v->arch->debugreg[7] & DR7_ENABLES;
}

void pv_load_debugregs(const struct vcpu *v)
{
	if (likely(!breakpoints_are_on(v)))
		return;
	for (unsigned int i = 0; i < 4; i++)
		write_dr_address(i, v->arch->debugreg[i]);
	write_dr6(DR6_RESET);
	write_dr7(v->arch->debugreg[7]);
}

void pv_unload_debugregs(const struct vcpu *v)
{
	if (unlikely(breakpoints_are_on(v)))
		write_dr7(DR7_RESET);
}

/* B0 to B3, BD, BS and BT accumulate until the guest clears them (SDM 3B 17.2.3). */
void pv_note_dr6(unsigned long dr6)
{
	struct arch_vcpu *a = current->arch;

	a->debugreg[6] = ((a->debugreg[6] | dr6) & DR6_WRITABLE) | DR6_RESET;
}

static int check_dr7(unsigned long value, unsigned long *checked)
{
	if (value >> 32)
		return -EINVAL;
	/*
	 * General detect would trap each MOV DR of the hypervisor; an I/O breakpoint would trap its
	 * port accesses.
	 */
	if (value & DR7_GD)
		return -EPERM;
	for (unsigned int i = 0; i < 4; i++)
		if (DR7_TYPE(value, i) == DR7_TYPE_IO)
			return -EPERM;
	*checked = (value & DR7_WRITABLE) | DR7_RESET;
	return 0;
}

int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long value)
{
	bool live = v == current;
	unsigned long *dr = v->arch->debugreg;
	int err;

	switch (reg) {
	case 0 ... 3:
		if (!is_canonical(value) || is_hypervisor_address(value))
			return -EPERM;
		dr[reg] = value;
		if (live && breakpoints_are_on(v))
			write_dr_address(reg, value);
		return 0;
	case 4:
	case 6:
		if (value >> 32)
			return -EINVAL;
		dr[6] = (value & DR6_WRITABLE) | DR6_RESET;
		return 0;
	case 5:
	case 7:
		err = check_dr7(value, &value);
		if (err)
			return err;
		if (live)
			pv_unload_debugregs(v);
		dr[7] = value;
		if (live)
			pv_load_debugregs(v);
		return 0;
	default:
		return -EINVAL;
	}
}
