/* SPDX-License-Identifier: MIT */
/* The virtual machine control block, and its constants (AMD APM 2, appendix B and chapter 15). */
#ifndef X86_HVM_SVM_VMCB_H
#define X86_HVM_SVM_VMCB_H

#include "hv/config.h"
#include "lib/types.h"
#include "x86/hvm/hvm.h"

struct vmcb {
	u16 cr_read, cr_write, dr_read, dr_write;
	u32 exceptions, intercepts1, intercepts2, intercepts3;
	u8 reserved_18[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 iopm, msrpm, tsc_offset;
	u32 asid;
	u8 tlb_control, reserved_5d[3];
	u32 v_intr, v_intr_vector;
	u64 interrupt_state;
	u64 exit_code, exit_info1, exit_info2, exit_event;
	u64 nested, avic_bar, ghcb;
	u64 event;
	u64 nested_cr3, virtual_ext;
	u32 clean, reserved_c4;
	u64 next_rip;
	u8 insn_bytes, insn[15];
	u8 reserved_e0[0x400 - 0xe0];

	struct hvm_segment seg[SEG_FS + 2]; /* ES to GS */
	struct hvm_segment gdtr, ldtr, idtr, tr;
	u8 reserved_4a0[0xcb - 0xa0], cpl;
	u32 reserved_4cc;
	u64 efer;
	u8 reserved_4d8[0x148 - 0xd8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved_580[0x1d8 - 0x180];
	u64 rsp, s_cet, ssp, isst_addr;
	u64 rax, star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 reserved_648[0x268 - 0x248];
	u64 pat, debugctl;
	u8 reserved_678[PAGE_SIZE - 0x678];
};
_Static_assert(offsetof(struct vmcb, pause_threshold) == 0x3c, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, iopm) == 0x40, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, asid) == 0x58, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, v_intr) == 0x60, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, event) == 0xa8, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, clean) == 0xc0, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, insn) == 0xd1, "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, seg) == 0x400, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, gdtr) == 0x460, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "APM 2 B.2");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "APM 2 B.2");
_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "APM 2 15.5");

/* intercepts1 */
#define INTERCEPT_INTR	   BIT(0)
#define INTERCEPT_NMI	   BIT(1)
#define INTERCEPT_INIT	   BIT(3)
#define INTERCEPT_VINTR	   BIT(4)
#define INTERCEPT_RDPMC	   BIT(15)
#define INTERCEPT_CPUID	   BIT(18)
#define INTERCEPT_IRET	   BIT(20)
#define INTERCEPT_INVD	   BIT(22)
#define INTERCEPT_PAUSE	   BIT(23)
#define INTERCEPT_HLT	   BIT(24)
#define INTERCEPT_INVLPGA  BIT(26)
#define INTERCEPT_IOIO	   BIT(27)
#define INTERCEPT_MSR	   BIT(28)
#define INTERCEPT_FERR	   BIT(30)
#define INTERCEPT_SHUTDOWN BIT(31)
/* intercepts2: VMRUN to SKINIT, WBINVD, MONITOR, MWAIT (both), XSETBV, RDPRU */
#define INTERCEPT_SVM	  0x007f
#define INTERCEPT_WBINVD  BIT(9)
#define INTERCEPT_MONITOR BIT(10)
#define INTERCEPT_MWAIT	  (BIT(11) | BIT(12))
#define INTERCEPT_XSETBV  BIT(13)
#define INTERCEPT_RDPRU	  BIT(14)

#define TLB_FLUSH_ALL 1

#define V_TPR_MASK     0x0fU
#define V_IRQ	       BIT(8)
#define V_INTR_PRIO    (0xfU << 16)
#define V_IGN_TPR      BIT(20)
#define V_INTR_MASKING BIT(24)

#define INTERRUPT_SHADOW 1

#define NESTED_PAGING 1

/* EVENTINJ and EXITINTINFO */
#define EVENT_VECTOR	 0xff
#define EVENT_TYPE_SHIFT 8
#define EVENT_TYPE	 7
#define EVENT_ERROR	 BIT(11)
#define EVENT_VALID	 BIT(31)

#define EXIT_EXCEPTION	0x40 /* + vector */
#define EXIT_INTR	0x60
#define EXIT_NMI	0x61
#define EXIT_INIT	0x63
#define EXIT_VINTR	0x64
#define EXIT_RDPMC	0x6f
#define EXIT_CPUID	0x72
#define EXIT_IRET	0x74
#define EXIT_INVD	0x76
#define EXIT_PAUSE	0x77
#define EXIT_HLT	0x78
#define EXIT_INVLPGA	0x7a
#define EXIT_IOIO	0x7b
#define EXIT_MSR	0x7c
#define EXIT_FERR	0x7e
#define EXIT_SHUTDOWN	0x7f
#define EXIT_VMRUN	0x80
#define EXIT_VMMCALL	0x81
#define EXIT_VMLOAD	0x82
#define EXIT_VMSAVE	0x83
#define EXIT_STGI	0x84
#define EXIT_CLGI	0x85
#define EXIT_SKINIT	0x86
#define EXIT_WBINVD	0x89
#define EXIT_MONITOR	0x8a
#define EXIT_MWAIT	0x8b
#define EXIT_MWAIT_COND 0x8c
#define EXIT_XSETBV	0x8d
#define EXIT_RDPRU	0x8e
#define EXIT_NPF	0x400
#define EXIT_CODES	0x401

/* exit_info1 of EXIT_IOIO */
#define IOIO_IN		BIT(0)
#define IOIO_STRING	BIT(2)
#define IOIO_SIZE(info) (((info) >> 4) & 7) /* bytes */
#define IOIO_PORT(info) ((u16)((info) >> 16))

#endif
