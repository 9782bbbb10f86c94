/* SPDX-License-Identifier: MIT */
/*
 * What a saved vCPU's registers may be. The rules are those of the processors for entering a guest,
 * whichever of AMD's and Intel's is stricter (APM 2 15.5.1, SDM 3C 27.3.1), so that no record can
 * make an entry fail.
 */
#include "x86/hvm/dev/record.h"

#include "lib/string.h"

#define CR0_PE	   BIT(0)
#define CR0_NW	   BIT(29)
#define CR0_CD	   BIT(30)
#define CR0_PG	   BIT(31)
#define CR0_KNOWN  0xe005003fUL
#define CR4_PAE	   BIT(5)
#define CR4_PCIDE  BIT(17)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define FLAGS_ONE  BIT(1)
#define FLAGS_VM   BIT(17)
#define FLAGS_BITS 0x3f7fd7UL
#define MXCSR_AT   24

/* Attributes as in a VMCB. */
#define TYPE	   0xfU
#define TYPE_CODE  8U
#define TYPE_WRITE 2U /* of data; of code: may be read */
#define ATTR_S	   BIT(4)
#define ATTR_P	   BIT(7)
#define ATTR_L	   BIT(9)
#define ATTR_DB	   BIT(10)
#define ATTR_G	   BIT(11)
#define ATTR_BITS  0xfffU

/* The types of event injection. */
enum { EVENT_INTERRUPT = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFTWARE = 4 };
#define VECTOR_NMI	2
#define EXCEPTIONS	0xf7dfbUL /* a bit for each that there is */
#define WITH_ERROR_CODE 0x27d00UL /* #DF, #TS, #NP, #SS, #GP, #PF, #AC */

static bool is_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

static bool in_long_mode(const struct hvm_hw_cpu *c)
{
	return c->msr_efer & EFER_LMA;
}

static const char *control_fault(const struct hvm_hw_cpu *c, const struct hvm_record_limits *may)
{
	bool paging = c->cr0 & CR0_PG;

	if ((c->cr0 & ~CR0_KNOWN) || (paging && !(c->cr0 & CR0_PE)) ||
	    ((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD)))
		return "CR0";
	if (c->cr3 >> may->phys_bits)
		return "CR3";
	if (c->cr4 & ~may->cr4)
		return "CR4";
	if (c->msr_efer & ~(may->efer | (may->efer & EFER_LME ? EFER_LMA : 0)))
		return "EFER";
	if (in_long_mode(c) != (paging && (c->msr_efer & EFER_LME)))
		return "EFER.LMA";
	if (in_long_mode(c) && !(c->cr4 & CR4_PAE))
		return "CR4.PAE";
	if (!in_long_mode(c) && (c->cr4 & CR4_PCIDE))
		return "CR4.PCIDE";
	return NULL;
}

struct segment {
	u32 selector, limit, attributes;
	u64 base;
};
#define SEGMENT(c, name)                                                                  \
	&(const struct segment)                                                           \
	{                                                                                 \
		(c)->name##_sel, (c)->name##_limit, (c)->name##_arbytes, (c)->name##_base \
	}

/* What holds for every segment register. */
static bool segment_ok(const struct segment *s)
{
	if ((s->attributes & ~ATTR_BITS) || s->selector > 0xffff)
		return false;
	if (!(s->attributes & ATTR_P))
		return true;
	/* The limit is that of the descriptor, in bytes. */
	return s->attributes & ATTR_G ? (s->limit & 0xfff) == 0xfff : !(s->limit >> 20);
}

/* In real mode, and until the first jump in protected mode, CS has the attributes of data. */
static bool cs_ok(const struct hvm_hw_cpu *c)
{
	const struct segment *s = SEGMENT(c, cs);
	u32 type = s->attributes & TYPE;

	if (!segment_ok(s) || !(s->attributes & ATTR_P) || !(s->attributes & ATTR_S) ||
	    s->base >> 32)
		return false;
	if (in_long_mode(c) && (s->attributes & ATTR_L) && (s->attributes & ATTR_DB))
		return false;
	return (type & TYPE_CODE) || (type == 3 && !(s->attributes & ATTR_L));
}

static bool data_ok(const struct segment *s, bool any_base)
{
	u32 type = s->attributes & TYPE;

	if (!segment_ok(s))
		return false;
	if (any_base ? !is_canonical(s->base) : s->base >> 32)
		return false;
	if (!(s->attributes & ATTR_P))
		return true;
	return (s->attributes & ATTR_S) && (!(type & TYPE_CODE) || (type & TYPE_WRITE));
}

static bool ss_ok(const struct segment *s)
{
	u32 type = s->attributes & TYPE;

	return data_ok(s, false) &&
	       (!(s->attributes & ATTR_P) || (!(type & TYPE_CODE) && (type & TYPE_WRITE)));
}

/*
 * TR: a task, of 32 or 64 bits or (not in long mode) of 16; busy, as LTR leaves it, but QEMU's LTR
 * keeps the type from before. LDTR: a table, or nothing.
 */
static bool tr_ok(const struct hvm_hw_cpu *c)
{
	const struct segment *s = SEGMENT(c, tr);
	u32 type = s->attributes & TYPE;

	return segment_ok(s) && (s->attributes & ATTR_P) && !(s->attributes & ATTR_S) &&
	       is_canonical(s->base) && ((type | 2) == 11 || ((type | 2) == 3 && !in_long_mode(c)));
}

static bool ldtr_ok(const struct segment *s)
{
	return segment_ok(s) && is_canonical(s->base) &&
	       (!(s->attributes & ATTR_P) || (s->attributes & (TYPE | ATTR_S)) == 2);
}

static const char *segment_fault(const struct hvm_hw_cpu *c)
{
	if (!cs_ok(c))
		return "CS";
	if (!ss_ok(SEGMENT(c, ss)))
		return "SS";
	if (!data_ok(SEGMENT(c, ds), false))
		return "DS";
	if (!data_ok(SEGMENT(c, es), false))
		return "ES";
	if (!data_ok(SEGMENT(c, fs), true))
		return "FS";
	if (!data_ok(SEGMENT(c, gs), true))
		return "GS";
	if (!tr_ok(c))
		return "TR";
	if (!ldtr_ok(SEGMENT(c, ldtr)))
		return "LDTR";
	if (!is_canonical(c->gdtr_base) || c->gdtr_limit > 0xffff)
		return "GDTR";
	return !is_canonical(c->idtr_base) || c->idtr_limit > 0xffff ? "IDTR" : NULL;
}

static bool rip_ok(const struct hvm_hw_cpu *c)
{
	return in_long_mode(c) && (c->cs_arbytes & ATTR_L) ? is_canonical(c->rip) : !(c->rip >> 32);
}

static bool rflags_ok(const struct hvm_hw_cpu *c)
{
	/* Bit 1, which is always set, is left out by libxc's builder. */
	if (c->rflags & ~(u64)(FLAGS_BITS | FLAGS_ONE))
		return false;
	return !(c->rflags & FLAGS_VM) || (!in_long_mode(c) && (c->cr0 & CR0_PE));
}

static const char *msr_fault(const struct hvm_hw_cpu *c)
{
	if (c->sysenter_cs >> 32 || !is_canonical(c->sysenter_esp) ||
	    !is_canonical(c->sysenter_eip))
		return "the MSRs of SYSENTER";
	if (!is_canonical(c->msr_lstar) || !is_canonical(c->msr_cstar) || c->msr_syscall_mask >> 32)
		return "the MSRs of SYSCALL";
	if (!is_canonical(c->shadow_gs))
		return "KERNEL_GS_BASE";
	return c->msr_tsc_aux >> 32 ? "TSC_AUX" : NULL;
}

/* In real mode no exception has an error code. */
static bool exception_ok(const struct hvm_hw_cpu *c)
{
	unsigned int vector = c->pending_vector;

	if (vector >= 32 || !(EXCEPTIONS >> vector & 1) ||
	    (c->pending_error_valid && c->error_code >> 16))
		return false;
	return c->pending_error_valid == ((WITH_ERROR_CODE >> vector & 1) && (c->cr0 & CR0_PE));
}

static bool event_ok(const struct hvm_hw_cpu *c)
{
	if (!c->pending_valid)
		return true;
	if (c->pending_reserved)
		return false;
	switch (c->pending_type) {
	case EVENT_INTERRUPT:
	case EVENT_SOFTWARE:
		return !c->pending_error_valid;
	case EVENT_NMI:
		return c->pending_vector == VECTOR_NMI && !c->pending_error_valid;
	case EVENT_EXCEPTION:
		return exception_ok(c);
	default:
		return false;
	}
}

static bool fpu_ok(const struct hvm_hw_cpu *c, const struct hvm_record_limits *may)
{
	u32 mxcsr;

	if ((c->flags & ~XEN_X86_FPU_INITIALISED) || c->pad0)
		return false;
	memcpy(&mxcsr, c->fpu_regs + MXCSR_AT, sizeof(mxcsr));
	return !(c->flags & XEN_X86_FPU_INITIALISED) || !(mxcsr & ~may->mxcsr);
}

const char *hvm_cpu_record_fault(const struct hvm_hw_cpu *c, const struct hvm_record_limits *may)
{
	const char *fault = control_fault(c, may) ?: segment_fault(c) ?: msr_fault(c);

	if (fault)
		return fault;
	if (!rip_ok(c))
		return "RIP";
	if (!rflags_ok(c))
		return "RFLAGS";
	if (c->dr6 >> 32 || c->dr7 >> 32)
		return "DR6 or DR7";
	if (!event_ok(c))
		return "the pending event";
	return fpu_ok(c, may) ? NULL : "the floating-point state";
}

const char *hvm_msr_record_fault(const struct hvm_msr *m)
{
	for (u32 i = 0; i < m->count; i++)
		if (m->msr[i]._rsvd || m->msr[i].val)
			return "an MSR that guests do not have here";
	return NULL;
}

#define MCG_CAP_BANKS 0xffUL
#define MCG_CAP_BITS  0x1001fffUL /* banks, CTL, EXT, CMCI, TES, SER */
#define MCI_CTL2_BITS 0x40007fffUL

const char *hvm_vmce_record_fault(const struct hvm_vmce_vcpu *m)
{
	if ((m->caps & ~(MCG_CAP_BITS | BIT(27))) || (m->caps & MCG_CAP_BANKS) > 32)
		return "MCG_CAP";
	if ((m->mci_ctl2_bank0 | m->mci_ctl2_bank1) & ~MCI_CTL2_BITS)
		return "MCI_CTL2";
	return m->mcg_ext_ctl & ~1UL ? "MCG_EXT_CTL" : NULL;
}
