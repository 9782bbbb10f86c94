/* SPDX-License-Identifier: MIT */
/* Reading a list of saved records. */
#include "x86/hvm/dev/record.h"

#include "lib/errno.h"
#include "lib/string.h"

#define MSRS_MAX 64

/* Each kind of record: the lengths that it may have, and where its pointer goes. */
static const struct kind {
	u16 code;
	u32 min, max;
	size_t slot;
} kinds[] = {
#define KIND(type, field)                                                          \
	{                                                                          \
		HVM_SAVE_CODE(type), HVM_SAVE_LENGTH(type), HVM_SAVE_LENGTH(type), \
			offsetof(struct hvm_records, field)                        \
	}
	KIND(CPU, cpu),
	KIND(LAPIC, lapic),
	KIND(LAPIC_REGS, lapic_regs),
	KIND(MTRR, mtrr),
	KIND(TSC_ADJUST, tsc_adjust),
	KIND(VMCE_VCPU, vmce),
	{ CPU_XSAVE_CODE, sizeof(struct hvm_hw_cpu_xsave), KiB(16),
	  offsetof(struct hvm_records, xsave) },
	{ CPU_MSR_CODE, offsetof(struct hvm_msr, msr),
	  offsetof(struct hvm_msr, msr) + MSRS_MAX * sizeof(struct hvm_one_msr),
	  offsetof(struct hvm_records, msrs) },
#undef KIND
};

/*
 * Xen saves the state of interrupt wires for every guest. One without devices has none, and all of
 * it is 0.
 */
static bool is_idle_wiring(const struct hvm_save_descriptor *desc, const u8 *data)
{
	if (desc->instance ||
	    (desc->typecode != HVM_SAVE_CODE(PCI_IRQ) && desc->typecode != HVM_SAVE_CODE(ISA_IRQ) &&
	     desc->typecode != HVM_SAVE_CODE(PCI_LINK)))
		return false;
	for (u32 i = 0; i < desc->length; i++)
		if (data[i])
			return false;
	return true;
}

static const struct kind *find(u16 code)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].code == code)
			return &kinds[i];
	return NULL;
}

static int bad(struct hvm_record_fault *fault, const struct hvm_save_descriptor *desc,
	       const char *reason)
{
	*fault = (struct hvm_record_fault){ desc->typecode, desc->instance, reason };
	return -EINVAL;
}

static int read_vcpu_record(const struct hvm_save_descriptor *desc, const u8 *data,
			    struct hvm_records *vcpu, unsigned int nr,
			    struct hvm_record_fault *fault)
{
	const struct kind *kind = find(desc->typecode);
	const void **slot;

	if (is_idle_wiring(desc, data))
		return 0;
	if (!kind)
		return bad(fault, desc, "is of a kind that such a guest does not have");
	if (desc->instance >= nr)
		return bad(fault, desc, "is of a vCPU that the domain does not have");
	if (desc->length < kind->min || desc->length > kind->max)
		return bad(fault, desc, "has the wrong length");
	slot = (const void **)((u8 *)&vcpu[desc->instance] + kind->slot);
	if (*slot)
		return bad(fault, desc, "is there twice");
	*slot = data;
	if (desc->typecode == CPU_XSAVE_CODE)
		vcpu[desc->instance].xsave_bytes = desc->length - (u32)HVM_XSAVE_HEADER;
	if (desc->typecode == CPU_MSR_CODE &&
	    vcpu[desc->instance].msrs->count * (u64)sizeof(struct hvm_one_msr) !=
		    desc->length - offsetof(struct hvm_msr, msr))
		return bad(fault, desc, "has another length than its count says");
	return 0;
}

static int check_header(const struct hvm_save_descriptor *desc, const u8 *data,
			struct hvm_record_fault *fault)
{
	struct hvm_save_header header;

	if (desc->typecode != HVM_SAVE_CODE(HEADER) || desc->instance ||
	    desc->length != sizeof(header))
		return bad(fault, desc, "is not the header that comes first");
	memcpy(&header, data, sizeof(header));
	if (header.magic != HVM_FILE_MAGIC || header.version != HVM_FILE_VERSION)
		return bad(fault, desc, "has another magic number or version");
	return 0;
}

int hvm_records_read(const u8 *list, size_t size, struct hvm_records *vcpu, unsigned int nr,
		     struct hvm_record_fault *fault)
{
	struct hvm_save_descriptor desc = { 0 };
	size_t at = 0;
	int err;

	memset(vcpu, 0, nr * sizeof(*vcpu));
	for (bool first = true;; first = false) {
		if (size - at < sizeof(desc))
			return bad(fault, &desc, "is the last, and not the end of the list");
		memcpy(&desc, list + at, sizeof(desc));
		at += sizeof(desc);
		/* The lengths of all records are multiples of eight, so all data is aligned. */
		if (desc.length > size - at || desc.length % 8)
			return bad(fault, &desc, "has the wrong length");
		if (first) {
			err = check_header(&desc, list + at, fault);
		} else if (desc.typecode == HVM_SAVE_CODE(END)) {
			return desc.length ? bad(fault, &desc, "has the wrong length") : 0;
		} else {
			err = read_vcpu_record(&desc, list + at, vcpu, nr, fault);
		}
		if (err)
			return err;
		at += desc.length;
	}
}
