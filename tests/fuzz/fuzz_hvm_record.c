/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a list of saved records. Reading must stay in the list; each record that it finds is
 * checked, the APIC's are loaded if they pass. Also run by tests/unit/test_hvm_record.c.
 */
/* links: hypervisor/x86/hvm/dev/record_list.c hypervisor/x86/hvm/dev/record_cpu.c */
/* links: hypervisor/x86/hvm/dev/mtrr.c hypervisor/x86/hvm/dev/vlapic_save.c */
/* links: hypervisor/x86/hvm/dev/vlapic.c hypervisor/x86/hvm/dev/vlapic_timer.c */
/* links: hypervisor/x86/hvm/dev/vlapic_ipi.c */
#include "x86/hvm/dev/mtrr.h"
#include "x86/hvm/dev/record.h"
#include "x86/hvm/dev/vlapic.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* What passes the check must be sound once it is loaded: it can be saved and loaded again. */
static void load_lapic(const struct hvm_records *r)
{
	const struct vlapic_time now = { .ns = 1000, .tsc = 2000, .tsc_khz = 2000000 };
	struct hvm_hw_lapic_regs regs;
	struct hvm_hw_lapic hw;
	struct vlapic l;

	vlapic_create(&l, 0, true, VLAPIC_HAS_X2APIC | VLAPIC_HAS_DEADLINE, 39);
	if (vlapic_check_saved(&l, r->lapic, r->lapic_regs))
		return;
	vlapic_load(&l, &now, r->lapic, r->lapic_regs);
	(void)vlapic_timer_next(&l, &now);
	check(vlapic_pending(&l) < 256);
	vlapic_save(&l, &now, &hw, &regs);
	check(!vlapic_check_saved(&l, &hw, &regs));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hvm_record_limits may = {
		.cr4 = 0x3706ff, .efer = 0x901, .mxcsr = 0xffff, .phys_bits = 39
	};
	struct hvm_records vcpu[4];
	struct hvm_record_fault fault = { 0 };
	int err = hvm_records_read(data, size, vcpu, 4, &fault);

	check(!err || (err == -EINVAL && fault.reason));
	if (err)
		return 0;
	for (unsigned int i = 0; i < 4; i++) {
		const struct hvm_records *r = &vcpu[i];

		if (r->cpu)
			(void)hvm_cpu_record_fault(r->cpu, &may);
		if (r->mtrr)
			check(mtrr_check_saved(r->mtrr, 39) <= 0);
		if (r->msrs)
			(void)hvm_msr_record_fault(r->msrs);
		if (r->vmce)
			(void)hvm_vmce_record_fault(r->vmce);
		if (r->lapic || r->lapic_regs)
			load_lapic(r);
		check(!r->xsave || r->xsave_bytes >= 576);
	}
	return 0;
}
