/* SPDX-License-Identifier: MIT */
/*
 * Guests under hardware virtualization: their part of domains and vCPUs. docs/design/hvm.md follows
 * one exit from the processor to its handler and back.
 *
 * What differs between AMD's SVM and Intel's VMX is behind struct hvm_ops (x86/hvm/backend.h).
 */
#ifndef X86_HVM_HVM_H
#define X86_HVM_HVM_H

#include "x86/arch_domain.h"
#include "x86/cpu/regs.h"
#include "hv/timer.h"
#include "x86/hvm/dev/vlapic.h"

#include <xen/arch-x86/hvm/save.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

struct cpu_user_regs;
struct svm_vcpu;

/* As hardware numbers them in instructions (SDM 2A 2.1.3), then the tables. */
enum hvm_segment_name {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_LDTR,
	SEG_TR,
	SEG_GDTR, /* base and limit alone */
	SEG_IDTR,
	SEG_COUNT
};

/* A segment register as hardware keeps it: limit in bytes, attributes as in a VMCB (APM 2 15.5). */
struct hvm_segment {
	u16 selector, attributes;
	u32 limit;
	u64 base;
};
#define SEG_ATTR_TYPE	  0x000f
#define SEG_ATTR_S	  0x0010 /* code or data */
#define SEG_ATTR_DPL(dpl) ((dpl) << 5)
#define SEG_ATTR_P	  0x0080
#define SEG_ATTR_L	  0x0200 /* 64-bit code */
#define SEG_ATTR_DB	  0x0400
#define SEG_ATTR_G	  0x0800

/* MSRs that the processor switches together with the guest. */
struct hvm_msrs {
	u64 star, lstar, cstar, syscall_mask, shadow_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 pat;
};

/* An event that the guest's next instruction takes, in a VMCB's form (APM 2 15.20). */
struct hvm_event {
	u8 vector, type; /* HVM_EVENT_* */
	bool valid, has_error_code;
	u32 error_code;
};
#define HVM_EVENT_INTERRUPT 0
#define HVM_EVENT_NMI	    2
#define HVM_EVENT_EXCEPTION 3
#define HVM_EVENT_SOFTWARE  4

#define HVM_SIGNAL_TIMER   1U /* its APIC's timer is due */
#define HVM_SIGNAL_INIT	   2U
#define HVM_SIGNAL_STARTUP 4U

struct hvm_vcpu {
	/* [C] What the guest has; read from the VMCB or VMCS at each exit. */
	u64 cr0, cr2, cr3, cr4, efer;
	u8 cpl;
	u64 tsc_offset;		/* [C] guest TSC = host TSC + this */
	struct hvm_event event; /* [C] */
	bool nmi_pending;	/* [A] */
	bool nmi_blocked;	/* [C] the guest's NMI handler runs */
	u8 upcall_vector;	/* [C] HVMOP_set_evtchn_upcall_vector; 0: none */
	bool hypercall_32;	/* [C] the hypercall that is under way has 32-bit arguments */
	u32 seen_generation;	/* [C] what the vCPU last saw of p2m.generation */
	u32 signals;		/* [A] HVM_SIGNAL_*: what others ask of the vCPU */
	u8 startup_vector;	/* [A] of HVM_SIGNAL_STARTUP */
	bool waits_for_startup; /* [A] since its creation, or since INIT */
	struct timer apic_timer;
	struct hvm_hw_mtrr mtrr;   /* [C] */
	struct hvm_vmce_vcpu vmce; /* [C] as loaded: a guest has no machine checks here */
	struct vlapic vlapic;	   /* dev/vlapic.h says who may use which field */
	union {
		struct svm_vcpu *svm; /* [I] x86/hvm/svm */
	};
};

struct hvm_domain {
	u64 *monitor_l4; /* [I] what the hypervisor runs on while a vCPU of the domain is current */
	u64 params[HVM_NR_PARAMS]; /* [D] */
	u8 callback_vector; /* [A] of all vCPUs' event upcalls, HVM_PARAM_CALLBACK_IRQ; 0: none */
};

static inline struct hvm_vcpu *hvm_of(const struct vcpu *v)
{
	return v->arch->hvm;
}

static inline bool hvm_in_long_mode(const struct vcpu *v)
{
	return hvm_of(v)->efer & EFER_LMA;
}

/* --- entry.c: events for the guest --- */
/* Queues an exception of the instruction that exited, with the rules for a double fault. */
void hvm_inject_exception(struct vcpu *v, unsigned int vector, u32 error_code);
void hvm_inject_page_fault(struct vcpu *v, u64 address, u32 error_code);
/*
 * On the way to the guest, interrupts off: softirqs, then the event for the next instruction. May
 * switch to another vCPU and not return.
 */
void hvm_prepare_entry(struct vcpu *v);
/* Does v have an interrupt or an NMI that it must not sleep over? Any CPU. */
bool hvm_has_interrupt(const struct vcpu *v);

/* --- exits.c, hypercall.c: what both vendors do when a guest exits. Interrupts are on. --- */
/* Goes past the instruction at RIP, which has `length` bytes and was completed. */
void hvm_advance(struct vcpu *v, struct cpu_user_regs *regs, unsigned int length);
void hvm_exit_cpuid(struct vcpu *v, struct cpu_user_regs *regs);
void hvm_exit_hlt(struct vcpu *v, struct cpu_user_regs *regs); /* RIP is past it */
void hvm_exit_pause(struct vcpu *v);
/* size: 1, 2, 4. */
void hvm_exit_io(struct vcpu *v, struct cpu_user_regs *regs, u16 port, unsigned int size, bool in);
void hvm_exit_nested_fault(struct vcpu *v, struct cpu_user_regs *regs, u64 gpa, bool write,
			   bool fetch);
/* An instruction that the processor has not, perhaps the other vendor's hypercall. */
void hvm_exit_invalid_opcode(struct vcpu *v, struct cpu_user_regs *regs);
/*
 * True: the instruction is completed. False: an exception is queued, or the hypercall continues
 * when the guest executes the instruction again.
 */
bool __must_check hvm_exit_rdmsr(struct vcpu *v, struct cpu_user_regs *regs);
bool __must_check hvm_exit_wrmsr(struct vcpu *v, struct cpu_user_regs *regs);
bool __must_check hvm_exit_xsetbv(struct vcpu *v, struct cpu_user_regs *regs);
bool __must_check hvm_exit_hypercall(struct vcpu *v, struct cpu_user_regs *regs);
u64 *hvm_hypercall_argument(unsigned int index);
void hvm_hypercall_page_init(void *page);

/* --- msr.c --- 0, or -EINVAL: #GP */
int __must_check hvm_read_msr(struct vcpu *v, u32 msr, u64 *value);
int __must_check hvm_write_msr(struct vcpu *v, u32 msr, u64 value);

/* --- state.c: registers in and out. v is paused or current. --- */
void hvm_get_cpu_record(struct vcpu *v, struct hvm_hw_cpu *c);
/* c was checked (dev/record.h). v has a context afterwards, and is up. */
void hvm_set_cpu_record(struct vcpu *v, const struct hvm_hw_cpu *c);
struct hvm_record_limits;
void hvm_record_limits(const struct vcpu *v, struct hvm_record_limits *may);
/* v is current: the state after INIT, waiting for SIPI; real mode at vector << 12. */
void hvm_reset_registers(struct vcpu *v);
void hvm_startup_registers(struct vcpu *v, u8 vector);

/* --- vcpu.c --- */
/* From another vCPU of the domain: v takes INIT, or STARTUP if it waits for that. */
void hvm_send_init(struct vcpu *v);
void hvm_send_startup(struct vcpu *v, u8 vector);
void hvm_send_nmi(struct vcpu *v);
/* What others have asked of v, which is current. Interrupts are off. */
void hvm_take_signals(struct vcpu *v);

#endif
