/* SPDX-License-Identifier: MIT */
/*
 * Saved records: each field of a vCPU's registers that is out of range is refused, and so is each
 * list that is not whole.
 */
/* links: hypervisor/x86/hvm/dev/record_list.c hypervisor/x86/hvm/dev/record_cpu.c */
/* links: tests/fuzz/fuzz_hvm_record.c hypervisor/x86/hvm/dev/mtrr.c hypervisor/x86/hvm/dev/vlapic.c */
/* links: hypervisor/x86/hvm/dev/vlapic_timer.c hypervisor/x86/hvm/dev/vlapic_ipi.c */
/* links: hypervisor/x86/hvm/dev/vlapic_save.c */
#include "x86/hvm/dev/mtrr.h"
#include "x86/hvm/dev/vlapic.h"
#include "x86/hvm/dev/record.h"
#include "lib/errno.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hvm_record_limits may = {
	.cr4 = 0x3706ff, .efer = 0x901, .mxcsr = 0xffff, .phys_bits = 39
};

static void assert_good(const struct hvm_hw_cpu *c)
{
	const char *fault = hvm_cpu_record_fault(c, &may);

	if (fault)
		fail_msg("refused for %s", fault);
}

/* What libxl 4.17 gives the first vCPU of a PVH guest: 32-bit flat, no paging. */
static struct hvm_hw_cpu as_started(void)
{
	return (struct hvm_hw_cpu){
		.rip = 0x1000000,
		.rbx = 0xfeff8000,
		.rflags = 2,
		.cr0 = 0x11,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.cs_limit = 0xffffffff,
		.ds_limit = 0xffffffff,
		.es_limit = 0xffffffff,
		.ss_limit = 0xffffffff,
		.tr_limit = 0x67,
		.cs_arbytes = 0xc9b,
		.ds_arbytes = 0xc93,
		.es_arbytes = 0xc93,
		.ss_arbytes = 0xc93,
		.tr_arbytes = 0x8b,
	};
}

/* A 64-bit kernel, as Linux runs. */
static struct hvm_hw_cpu as_linux(void)
{
	struct hvm_hw_cpu c = {
		.rip = 0xffffffff81000000,
		.rsp = 0xffffc90000000000,
		.rflags = 0x246,
		.cr0 = 0x80050033,
		.cr3 = 0x2a10000,
		.cr4 = 0x3606f0,
		.msr_efer = 0xd01,
		.cs_sel = 0x10,
		.ss_sel = 0x18,
		.tr_sel = 0x40,
		.cs_limit = 0xffffffff,
		.ss_limit = 0xffffffff,
		.ds_limit = 0xffffffff,
		.es_limit = 0xffffffff,
		.fs_limit = 0xffffffff,
		.gs_limit = 0xffffffff,
		.tr_limit = 0x206f,
		.gdtr_limit = 0x7f,
		.idtr_limit = 0xfff,
		.cs_arbytes = 0xa9b,
		.ss_arbytes = 0xc93,
		.tr_arbytes = 0x8b,
		.fs_base = 0x7f1234567000,
		.gs_base = 0xffff88800f000000,
		.shadow_gs = 0x7f0000000000,
		.tr_base = 0xfffffe0000003000,
		.gdtr_base = 0xfffffe0000001000,
		.idtr_base = 0xfffffe0000000000,
		.sysenter_cs = 0x10,
		.sysenter_esp = 0xfffffe0000003000,
		.sysenter_eip = 0xffffffff81a00000,
		.msr_lstar = 0xffffffff81a00080,
		.msr_cstar = 0xffffffff81a01000,
		.msr_star = 0x23001000000000,
		.msr_syscall_mask = 0x257fd5,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.flags = XEN_X86_FPU_INITIALISED,
	};
	u32 mxcsr = 0x1f80;

	memcpy(c.fpu_regs + 24, &mxcsr, sizeof(mxcsr));
	return c;
}

/* A processor at the first instruction of its start-up page. */
static struct hvm_hw_cpu as_in_real_mode(void)
{
	return (struct hvm_hw_cpu){
		.rflags = 2,
		.cr0 = 0x10,
		.cs_sel = 0x9a00,
		.cs_base = 0x9a000,
		.cs_limit = 0xffff,
		.ds_limit = 0xffff,
		.es_limit = 0xffff,
		.fs_limit = 0xffff,
		.gs_limit = 0xffff,
		.ss_limit = 0xffff,
		.tr_limit = 0xffff,
		.ldtr_limit = 0xffff,
		.cs_arbytes = 0x93,
		.ds_arbytes = 0x93,
		.es_arbytes = 0x93,
		.fs_arbytes = 0x93,
		.gs_arbytes = 0x93,
		.ss_arbytes = 0x93,
		.tr_arbytes = 0x8b,
		.ldtr_arbytes = 0x82,
	};
}

static void takes_what_guests_have(void **state)
{
	struct hvm_hw_cpu c;

	c = as_started();
	assert_good(&c);
	c = as_linux();
	assert_good(&c);
	c = as_in_real_mode();
	assert_good(&c);
	/* A jump to protected mode is under way: CS still has the attributes of data. */
	c.cr0 |= 1;
	assert_good(&c);
	/* A 32-bit program under a 64-bit kernel; a user's null selectors. */
	c = as_linux();
	c.cs_arbytes = 0xcfb;
	c.rip = 0x8048000;
	c.ss_arbytes = 0xcf3;
	c.ds_arbytes = 0xcf3;
	c.fs_base = 0xf7f00000;
	assert_good(&c);
}

#define FIELD(f) offsetof(struct hvm_hw_cpu, f), sizeof(((struct hvm_hw_cpu *)0)->f), #f

static void refuses_each_field_out_of_range(void **state)
{
	static const struct {
		size_t at, size;
		const char *name;
		u64 value;
	} bad[] = {
		{ FIELD(cr0), 0x180050033 },
		{ FIELD(cr0), 0x80050032 }, /* PG without PE */
		{ FIELD(cr0), 0xa0050033 }, /* NW without CD */
		{ FIELD(cr0), 0x80050073 },
		{ FIELD(cr0), 0x50033 }, /* LMA without PG */
		{ FIELD(cr3), BIT(39) },
		{ FIELD(cr3), BIT(63) },
		{ FIELD(cr4), 0x3606d0 }, /* no PAE */
		{ FIELD(cr4), 0x3626f0 }, /* VMXE */
		{ FIELD(cr4), BIT(32) | 0x20 },
		{ FIELD(msr_efer), 0x901 }, /* LMA missing */
		{ FIELD(msr_efer), 0x1d01 },
		{ FIELD(msr_efer), 0xc01 }, /* LME missing */
		{ FIELD(msr_efer), BIT(40) | 0xd01 },
		{ FIELD(rip), BIT(47) },
		{ FIELD(rflags), 0x24e },   /* bit 3 is always clear */
		{ FIELD(rflags), 0x20246 }, /* VM in long mode */
		{ FIELD(rflags), 0x8246 },
		{ FIELD(rflags), BIT(22) | 2 },
		{ FIELD(rflags), BIT(32) | 2 },
		{ FIELD(dr6), BIT(32) },
		{ FIELD(dr7), BIT(32) },
		{ FIELD(cs_sel), 0x10010 },
		{ FIELD(ds_sel), 0x10000 },
		{ FIELD(es_sel), 0x10000 },
		{ FIELD(fs_sel), 0x10000 },
		{ FIELD(gs_sel), 0x10000 },
		{ FIELD(ss_sel), 0x10000 },
		{ FIELD(tr_sel), 0x10000 },
		{ FIELD(ldtr_sel), 0x10000 },
		{ FIELD(cs_arbytes), 0xe9b }, /* L and D */
		{ FIELD(cs_arbytes), 0xa1b },
		{ FIELD(cs_arbytes), 0xa8b },
		{ FIELD(cs_arbytes), 0xa91 },
		{ FIELD(cs_arbytes), 0x10a9b },
		{ FIELD(cs_arbytes), 0x29b }, /* the limit needs G */
		{ FIELD(cs_arbytes), 0xa93 },
		{ FIELD(ss_arbytes), 0xc9b },
		{ FIELD(ss_arbytes), 0xc91 },
		{ FIELD(ss_arbytes), 0xc83 },
		{ FIELD(ss_arbytes), 0x1c93 },
		{ FIELD(ds_arbytes), 0xc99 },
		{ FIELD(ds_arbytes), 0xc83 },
		{ FIELD(es_arbytes), 0xc99 },
		{ FIELD(fs_arbytes), 0xc99 },
		{ FIELD(gs_arbytes), 0x10000 },
		{ FIELD(tr_arbytes), 0x83 },
		{ FIELD(tr_arbytes), 0x82 },
		{ FIELD(tr_arbytes), 0x9b },
		{ FIELD(tr_arbytes), 0xb },
		{ FIELD(ldtr_arbytes), 0x83 },
		{ FIELD(ldtr_arbytes), 0x92 },
		{ FIELD(cs_limit), 0xffff0000 },
		{ FIELD(ss_limit), 0x12345 },
		{ FIELD(tr_limit), 0x100000 },
		{ FIELD(gdtr_limit), 0x10000 },
		{ FIELD(idtr_limit), 0x10000 },
		{ FIELD(cs_base), BIT(32) },
		{ FIELD(ds_base), BIT(32) },
		{ FIELD(es_base), BIT(63) },
		{ FIELD(ss_base), BIT(32) },
		{ FIELD(fs_base), BIT(47) },
		{ FIELD(gs_base), BIT(63) },
		{ FIELD(tr_base), BIT(48) },
		{ FIELD(ldtr_base), BIT(47) },
		{ FIELD(gdtr_base), BIT(47) },
		{ FIELD(idtr_base), BIT(47) },
		{ FIELD(sysenter_cs), BIT(32) },
		{ FIELD(sysenter_esp), BIT(47) },
		{ FIELD(sysenter_eip), BIT(47) },
		{ FIELD(shadow_gs), BIT(47) },
		{ FIELD(msr_lstar), BIT(47) },
		{ FIELD(msr_cstar), BIT(47) },
		{ FIELD(msr_syscall_mask), BIT(32) },
		{ FIELD(msr_tsc_aux), BIT(32) },
		{ FIELD(flags), 3 },
		{ FIELD(pad0), 1 },
		/* Events: valid is bit 31, reserved 12 to 30, an error code 11, the type 8 to 10.
		 */
		{ FIELD(pending_event), 0x80001030 },
		{ FIELD(pending_event), 0x80000130 },
		{ FIELD(pending_event), 0x80000830 },
		{ FIELD(pending_event), 0x80000203 },
		{ FIELD(pending_event), 0x80000a02 },
		{ FIELD(pending_event), 0x80000302 },
		{ FIELD(pending_event), 0x80000320 },
		{ FIELD(pending_event), 0x8000030f },
		{ FIELD(pending_event), 0x8000030d }, /* #GP has an error code */
		{ FIELD(pending_event), 0x80000b06 }, /* #UD has none */
		{ FIELD(pending_event), 0x80000580 },
		{ FIELD(pending_event), 0x80000680 },
		{ FIELD(pending_event), 0x80000780 },
		{ FIELD(pending_event), 0x80000c80 },
	};
	struct hvm_hw_cpu c;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		c = as_linux();
		memcpy((u8 *)&c + bad[i].at, &bad[i].value, bad[i].size);
		if (!hvm_cpu_record_fault(&c, &may))
			fail_msg("%s %lx was taken", bad[i].name, bad[i].value);
	}
	/* MXCSR counts only if there is a floating-point state. */
	c = as_linux();
	c.fpu_regs[26] = 1;
	assert_string_equal(hvm_cpu_record_fault(&c, &may), "the floating-point state");
	c.flags = 0;
	assert_good(&c);
	/* An error code is 16 bits wide. */
	c = as_linux();
	c.pending_event = 0x80000b0e;
	c.error_code = 2;
	assert_good(&c);
	c.error_code = 0x10000;
	assert_string_equal(hvm_cpu_record_fault(&c, &may), "the pending event");
	/* Outside of long mode: RIP of 32 bits, no PCIDs. In real mode no error codes. */
	c = as_started();
	c.rip = BIT(32);
	assert_string_equal(hvm_cpu_record_fault(&c, &may), "RIP");
	c = as_started();
	c.cr4 = BIT(17);
	assert_string_equal(hvm_cpu_record_fault(&c, &may), "CR4.PCIDE");
	c = as_in_real_mode();
	c.pending_event = 0x8000030d;
	assert_good(&c);
	c.pending_event = 0x80000b0d;
	assert_string_equal(hvm_cpu_record_fault(&c, &may), "the pending event");
}

static void takes_pending_events(void **state)
{
	/* An interrupt, INT n, NMI, #UD, #PF with its code. */
	static const u32 good[] = { 0x80000030, 0x80000480, 0x80000202, 0x80000306, 0x80000b0e };
	struct hvm_hw_cpu c = as_linux();

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		c.pending_event = good[i];
		assert_good(&c);
	}
}

/* A guest that may have less: its own limits count. */
static void limits_are_the_guests_own(void **state)
{
	struct hvm_record_limits less = may;
	struct hvm_hw_cpu c = as_linux();

	less.cr4 &= ~BIT(21);
	assert_string_equal(hvm_cpu_record_fault(&c, &less), "CR4");
	less = may;
	less.efer &= ~BIT(11);
	c.msr_efer |= BIT(11);
	assert_string_equal(hvm_cpu_record_fault(&c, &less), "EFER");
	less = may;
	less.phys_bits = 24;
	assert_string_equal(hvm_cpu_record_fault(&c, &less), "CR3");
}

static void checks_the_smaller_records(void **state)
{
	struct hvm_vmce_vcpu vmce = { .caps = 0x9000802 };
	struct hvm_msr *m = calloc(1, sizeof(*m) + 2 * sizeof(m->msr[0]));

	m->count = 2;
	assert_null(hvm_msr_record_fault(m));
	m->msr[1].val = 1;
	assert_non_null(hvm_msr_record_fault(m));
	m->msr[1].val = 0;
	m->msr[1]._rsvd = 1;
	assert_non_null(hvm_msr_record_fault(m));
	free(m);
	vmce.caps = 0x1000802;
	assert_null(hvm_vmce_record_fault(&vmce));
	vmce.caps = BIT(40);
	assert_non_null(hvm_vmce_record_fault(&vmce));
	vmce.caps = 33;
	assert_non_null(hvm_vmce_record_fault(&vmce));
	vmce = (struct hvm_vmce_vcpu){ .mci_ctl2_bank1 = BIT(31) };
	assert_non_null(hvm_vmce_record_fault(&vmce));
	vmce = (struct hvm_vmce_vcpu){ .mcg_ext_ctl = 2 };
	assert_non_null(hvm_vmce_record_fault(&vmce));
}

/* --- lists --- */

enum { VCPUS = 3, LIST = 32768 };
static u8 list[LIST] __attribute__((aligned(8)));
static size_t used;

static void add(u16 code, u16 instance, const void *data, u32 length)
{
	struct hvm_save_descriptor desc = { code, instance, length };

	assert_true(used + sizeof(desc) + length <= LIST);
	memcpy(list + used, &desc, sizeof(desc));
	used += sizeof(desc);
	if (data)
		memcpy(list + used, data, length);
	else
		memset(list + used, 0, length);
	used += length;
}

static void begin(void)
{
	struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };

	used = 0;
	add(HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
}

static struct hvm_records got[VCPUS];
static struct hvm_record_fault fault;

static int end_and_read(void)
{
	add(HVM_SAVE_CODE(END), 0, NULL, 0);
	return hvm_records_read(list, used, got, VCPUS, &fault);
}

static void add_all(u16 instance)
{
	struct hvm_hw_cpu cpu = as_linux();

	add(HVM_SAVE_CODE(CPU), instance, &cpu, sizeof(cpu));
	add(HVM_SAVE_CODE(LAPIC), instance, NULL, sizeof(struct hvm_hw_lapic));
	add(HVM_SAVE_CODE(LAPIC_REGS), instance, NULL, sizeof(struct hvm_hw_lapic_regs));
	add(HVM_SAVE_CODE(MTRR), instance, NULL, sizeof(struct hvm_hw_mtrr));
	add(CPU_XSAVE_CODE, instance, NULL, HVM_XSAVE_HEADER + 832);
	add(CPU_MSR_CODE, instance, NULL, 8);
	add(HVM_SAVE_CODE(TSC_ADJUST), instance, NULL, 8);
	add(HVM_SAVE_CODE(VMCE_VCPU), instance, NULL, sizeof(struct hvm_vmce_vcpu));
}

static void reads_a_whole_list(void **state)
{
	begin();
	assert_int_equal(end_and_read(), 0);
	assert_null(got[0].cpu);
	begin();
	for (u16 i = 0; i < VCPUS; i++)
		add_all(i);
	assert_int_equal(end_and_read(), 0);
	for (u16 i = 0; i < VCPUS; i++) {
		assert_true(got[i].cpu && got[i].lapic && got[i].lapic_regs && got[i].mtrr &&
			    got[i].xsave && got[i].msrs && got[i].tsc_adjust && got[i].vmce);
		assert_int_equal(got[i].cpu->rip, 0xffffffff81000000);
		assert_int_equal(got[i].xsave_bytes, 832);
	}
	/* Bytes after the end are not its business. */
	assert_int_equal(hvm_records_read(list, used + 8, got, VCPUS, &fault), 0);
}

static void refuses_every_part_of_a_list(void **state)
{
	begin();
	add_all(0);
	assert_int_equal(end_and_read(), 0);
	for (size_t size = 0; size < used; size++) {
		u8 *part = malloc(size);

		memcpy(part, list, size);
		assert_int_equal(hvm_records_read(part, size, got, VCPUS, &fault), -EINVAL);
		free(part);
	}
}

static void refuses_wrong_lists(void **state)
{
	static const u16 kinds[] = { 2, 5, 6, 14, 16, 18, 19, 20 };
	static const u16 unknown[] = { 3, 4, 10, 11, 12, 13, 15, 17, 21, 0xffff };
	struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		begin();
		add_all(0);
		add_all(1);
		/* Twice: as a record of vCPU 0 that is moved over to vCPU 1. */
		for (size_t at = 0; at < used;) {
			struct hvm_save_descriptor *d = (void *)(list + at);

			if (d->typecode == kinds[i] && d->instance == 0)
				d->instance = 1;
			at += sizeof(*d) + d->length;
		}
		assert_int_equal(end_and_read(), -EINVAL);
		assert_int_equal(fault.code, kinds[i]);
		assert_int_equal(fault.instance, 1);
		assert_string_equal(fault.reason, "is there twice");
		/* Too short by a word, too long by one. */
		for (int more = -8; more <= 8; more += 16) {
			begin();
			add(kinds[i], 0, NULL,
			    (u32)((kinds[i] == 2  ? sizeof(struct hvm_hw_cpu) :
				   kinds[i] == 5  ? sizeof(struct hvm_hw_lapic) :
				   kinds[i] == 6  ? 1024 :
				   kinds[i] == 14 ? sizeof(struct hvm_hw_mtrr) :
				   kinds[i] == 16 ? (more < 0 ? sizeof(struct hvm_hw_cpu_xsave) :
								KiB(16)) :
				   kinds[i] == 18 ? sizeof(struct hvm_vmce_vcpu) :
						    8) +
				  (size_t)more));
			assert_int_equal(end_and_read(), -EINVAL);
			assert_int_equal(fault.code, kinds[i]);
		}
		begin();
		add(kinds[i], VCPUS, NULL, 8);
		assert_int_equal(end_and_read(), -EINVAL);
		assert_int_equal(fault.instance, VCPUS);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		begin();
		add(unknown[i], 0, NULL, 8);
		assert_int_equal(end_and_read(), -EINVAL);
		assert_int_equal(fault.code, unknown[i]);
	}
	/* A second header, none, a wrong one; an end with data. */
	begin();
	add(HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
	assert_int_equal(end_and_read(), -EINVAL);
	used = 0;
	assert_int_equal(end_and_read(), -EINVAL);
	used = 0;
	header.magic++;
	add(HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
	assert_int_equal(end_and_read(), -EINVAL);
	begin();
	add(HVM_SAVE_CODE(END), 0, NULL, 8);
	assert_int_equal(hvm_records_read(list, used, got, VCPUS, &fault), -EINVAL);
	/* A length that is no multiple of eight would leave the next record unaligned. */
	begin();
	add(CPU_XSAVE_CODE, 0, NULL, HVM_XSAVE_HEADER + 836);
	assert_int_equal(end_and_read(), -EINVAL);
	/* MSRs: their count says how many there are. */
	begin();
	add(CPU_MSR_CODE, 0, NULL, 8 + 16);
	assert_int_equal(end_and_read(), -EINVAL);
}

static void takes_idle_wires_alone(void **state)
{
	static const struct {
		u16 code;
		u32 length;
	} wires[] = { { HVM_SAVE_CODE(PCI_IRQ), sizeof(struct hvm_hw_pci_irqs) },
		      { HVM_SAVE_CODE(ISA_IRQ), sizeof(struct hvm_hw_isa_irqs) },
		      { HVM_SAVE_CODE(PCI_LINK), sizeof(struct hvm_hw_pci_link) } };
	u8 data[16] = { 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(wires); i++)
		for (unsigned int set = 0; set <= wires[i].length; set++) {
			begin();
			memset(data, 0, sizeof(data));
			if (set)
				data[set - 1] = 1;
			add(wires[i].code, 0, data, wires[i].length);
			assert_int_equal(end_and_read(), set ? -EINVAL : 0);
		}
}

/*
 * What Debian's Xen 4.17 (4.17.7, QEMU's -cpu max) saved of a PVH guest with Linux 6.1 and two
 * vCPUs: everything passes, and each APIC comes back as it was.
 */
static void takes_what_xen_saved(void **state)
{
	const struct hvm_record_limits xen = {
		.cr4 = 0x770fff, .efer = 0x901, .mxcsr = 0x2ffff, .phys_bits = 40
	};
	const struct vlapic_time now = { .ns = 1000, .tsc = 1000, .tsc_khz = 2000000 };
	FILE *file = fopen("tests/fuzz/corpus/hvm_record/xen-4.17-pvh-2-vcpus", "r");
	struct hvm_hw_lapic_regs regs;
	struct hvm_hw_lapic hw;
	struct vlapic l;

	assert_non_null(file);
	used = fread(list, 1, LIST, file);
	fclose(file);
	assert_int_equal(hvm_records_read(list, used, got, VCPUS, &fault), 0);
	for (u32 i = 0; i < 2; i++) {
		assert_null(hvm_cpu_record_fault(got[i].cpu, &xen));
		assert_int_equal(mtrr_check_saved(got[i].mtrr, 40), 0);
		assert_null(hvm_vmce_record_fault(got[i].vmce));
		assert_int_equal(got[i].xsave_bytes, 2696);
		assert_non_null(got[i].tsc_adjust);
		assert_null(got[i].msrs);
		vlapic_create(&l, i * 2, i == 0, VLAPIC_HAS_X2APIC, 40);
		assert_int_equal(vlapic_check_saved(&l, got[i].lapic, got[i].lapic_regs), 0);
		vlapic_load(&l, &now, got[i].lapic, got[i].lapic_regs);
		assert_int_equal(vlapic_mode(&l), VLAPIC_X2APIC);
		vlapic_save(&l, &now, &hw, &regs);
		assert_memory_equal(&hw, got[i].lapic, sizeof(hw));
		/* PPR is what follows from TPR; Xen's record leaves it out. */
		assert_int_equal(regs.data[VLAPIC_PPR], 0x10);
		regs.data[VLAPIC_PPR] = 0;
		assert_memory_equal(&regs, got[i].lapic_regs, sizeof(regs));
	}
	assert_null(got[2].cpu);
}

static void random_changes_do_no_harm(void **state)
{
	uint64_t seed = UNIT_SEED;

	for (int round = 0; round < 20000; round++) {
		size_t size;
		u8 *copy;

		begin();
		add_all(0);
		add_all(1);
		add(HVM_SAVE_CODE(END), 0, NULL, 0);
		for (u64 n = unit_random(&seed) % 4; n; n--)
			list[unit_random(&seed) % used] ^= (u8)unit_random(&seed);
		size = unit_random(&seed) % 8 ? used : unit_random(&seed) % used;
		copy = malloc(size);
		memcpy(copy, list, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_guests_have),
		cmocka_unit_test(refuses_each_field_out_of_range),
		cmocka_unit_test(takes_pending_events),
		cmocka_unit_test(limits_are_the_guests_own),
		cmocka_unit_test(checks_the_smaller_records),
		cmocka_unit_test(reads_a_whole_list),
		cmocka_unit_test(refuses_every_part_of_a_list),
		cmocka_unit_test(refuses_wrong_lists),
		cmocka_unit_test(takes_idle_wires_alone),
		cmocka_unit_test(takes_what_xen_saved),
		cmocka_unit_test(random_changes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
