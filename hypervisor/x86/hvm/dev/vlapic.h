/* SPDX-License-Identifier: MIT */
/*
 * A virtual local APIC (SDM 3A 11): registers, priorities, the timer. Pure: a state machine over
 * (time, input). What must happen outside it tells by its results and by struct vlapic_out, and
 * x86/hvm/apic.c does it: interrupts for other vCPUs, the next time at which the timer wants to be
 * asked.
 *
 * Lock tags:
 *	[C] used by the CPU that runs the vCPU, or by any CPU while the vCPU is paused. Functions
 *	    that change such a field say "own vCPU".
 *	[R] [C], and other CPUs read it at any time, a word at a time: an interrupt that races with
 *	    the change may see either value, as on real hardware
 *	[A] atomic: any CPU may set bits
 *	[I] set at creation
 */
#ifndef X86_HVM_DEV_VLAPIC_H
#define X86_HVM_DEV_VLAPIC_H

#include "lib/types.h"

/* Offsets of the registers in the xAPIC's page; the x2APIC's MSR is 0x800 + offset / 16. */
#define VLAPIC_ID	  0x020
#define VLAPIC_VERSION	  0x030
#define VLAPIC_TPR	  0x080
#define VLAPIC_APR	  0x090
#define VLAPIC_PPR	  0x0a0
#define VLAPIC_EOI	  0x0b0
#define VLAPIC_RRD	  0x0c0
#define VLAPIC_LDR	  0x0d0
#define VLAPIC_DFR	  0x0e0
#define VLAPIC_SVR	  0x0f0
#define VLAPIC_ISR	  0x100 /* eight registers each */
#define VLAPIC_TMR	  0x180
#define VLAPIC_IRR	  0x200
#define VLAPIC_ESR	  0x280
#define VLAPIC_ICR	  0x300
#define VLAPIC_ICR2	  0x310
#define VLAPIC_LVT_TIMER  0x320
#define VLAPIC_LVT_THERM  0x330
#define VLAPIC_LVT_PERF	  0x340
#define VLAPIC_LVT_LINT0  0x350
#define VLAPIC_LVT_LINT1  0x360
#define VLAPIC_LVT_ERROR  0x370
#define VLAPIC_TIMER_INIT 0x380
#define VLAPIC_TIMER_NOW  0x390
#define VLAPIC_DIVIDE	  0x3e0
#define VLAPIC_SELF_IPI	  0x3f0

#define VLAPIC_SVR_ENABLE      BIT(8)
#define VLAPIC_LVT_MASKED      BIT(16)
#define VLAPIC_LVT_MODE	       (3UL << 17) /* of the timer */
#define VLAPIC_LVT_PERIODIC    BIT(17)
#define VLAPIC_LVT_DEADLINE    BIT(18)
#define VLAPIC_ESR_SEND_VECTOR BIT(5)
#define VLAPIC_ESR_RECV_VECTOR BIT(6)
#define VLAPIC_ESR_ADDRESS     BIT(7)

#define APIC_BASE_BSP	  BIT(8)
#define APIC_BASE_X2	  BIT(10)
#define APIC_BASE_ENABLE  BIT(11)
#define APIC_BASE_DEFAULT 0xfee00000UL

/* The timer counts a bus clock of 100 MHz, divided by VLAPIC_DIVIDE: as Xen's guests have it. */
#define VLAPIC_BUS_NS 10

enum vlapic_mode { VLAPIC_DISABLED, VLAPIC_XAPIC, VLAPIC_X2APIC };

/* What the guest's CPUID says it has. */
enum vlapic_features { VLAPIC_HAS_X2APIC = 1, VLAPIC_HAS_DEADLINE = 2 };

struct vlapic {
	/*
	 * The registers, by offset / 16; `pair` to scan two at once. IRR and TMR: [A]. ID, LDR,
	 * DFR, SVR, TPR: [R]. ISR, ESR, ICR, LVTs and the timer's: [C]. ISR, TMR and IRR hold
	 * vector v in bit v % 32 of register v / 32.
	 */
	union {
		u32 reg[64];
		u64 pair[32];
	};
	u64 apic_base; /* [R] the MSR */
	u64 deadline;  /* [C] the MSR, in ticks of the guest's TSC; 0: none */
	u64 expires;   /* [C] system time in ns when the count reaches 0; 0: it does not count */
	u32 errors;    /* [C] what the next write of ESR makes visible */
	u32 id;	       /* [I] the APIC ID */
	u32 features;  /* [C] enum vlapic_features */
	u8 phys_bits;  /* [C] width of the guest's physical addresses */
};

/* Now. tsc: the guest's; tsc_khz: its rate, not 0. */
struct vlapic_time {
	u64 ns, tsc;
	u32 tsc_khz;
};

enum vlapic_ipi_mode {
	VLAPIC_FIXED = 0,
	VLAPIC_LOWEST = 1,
	VLAPIC_SMI = 2,
	VLAPIC_NMI = 4,
	VLAPIC_INIT = 5,
	VLAPIC_STARTUP = 6,
	VLAPIC_EXTINT = 7,
};

enum vlapic_shorthand { VLAPIC_DEST, VLAPIC_SELF, VLAPIC_ALL, VLAPIC_OTHERS };

/* An interrupt message on its way to vCPUs of the domain. */
struct vlapic_ipi {
	u8 vector;    /* STARTUP: the page number */
	u8 mode;      /* enum vlapic_ipi_mode */
	u8 shorthand; /* enum vlapic_shorthand; but for VLAPIC_DEST, `dest` is meaningless */
	bool logical, broadcast;
	u32 dest;
};

enum vlapic_out_flags {
	VLAPIC_OUT_IPI = 1,	/* send `ipi` */
	VLAPIC_OUT_TIMER = 2,	/* the timer has changed: ask vlapic_timer_next */
	VLAPIC_OUT_EOI = 4,	/* a level-triggered interrupt, `eoi_vector`, has ended */
	VLAPIC_OUT_PENDING = 8, /* ask vlapic_pending again */
};

/* What follows from a write. Functions set flags; they clear none. */
struct vlapic_out {
	u32 flags;
	u8 eoi_vector;
	struct vlapic_ipi ipi;
};

/* --- life; own vCPU --- */
/* As after power-up. Enabled in xAPIC mode; bsp: the boot processor. phys_bits: 32 to 52. */
void vlapic_create(struct vlapic *l, u32 id, bool bsp, u32 features, u8 phys_bits);
/* What INIT does: all as after power-up, but for the ID and APIC_BASE (SDM 3A 11.4.7.3). */
void vlapic_init(struct vlapic *l);

static inline enum vlapic_mode vlapic_mode(const struct vlapic *l)
{
	u64 base = READ_ONCE(l->apic_base);

	if (!(base & APIC_BASE_ENABLE))
		return VLAPIC_DISABLED;
	return base & APIC_BASE_X2 ? VLAPIC_X2APIC : VLAPIC_XAPIC;
}

/* --- interrupts --- */
/*
 * An interrupt arrives. Any CPU. True: the vector was not pending before, so the vCPU has to hear
 * of it. False also when the APIC is disabled by hardware or software: it takes none then.
 */
bool vlapic_accept(struct vlapic *l, u8 vector, bool level);
/* An interrupt that is pending and has a higher priority than the processor, or -1. Own vCPU. */
int vlapic_pending(const struct vlapic *l);
/* The processor takes `vector`, which vlapic_pending returned. Own vCPU. */
void vlapic_ack(struct vlapic *l, u8 vector);
/* The end of the interrupt in service that has the highest priority. Own vCPU. */
void vlapic_eoi(struct vlapic *l, struct vlapic_out *out);
/* The processor's priority. Own vCPU. */
u8 vlapic_ppr(const struct vlapic *l);

/* CR8 is the upper half of TPR. value: at most 15. Own vCPU. */
static inline u64 vlapic_cr8(const struct vlapic *l)
{
	return l->reg[VLAPIC_TPR / 16] >> 4;
}
static inline void vlapic_set_cr8(struct vlapic *l, u64 value)
{
	WRITE_ONCE(l->reg[VLAPIC_TPR / 16], (u32)(value & 15) << 4);
}

/* --- registers; own vCPU --- */
/*
 * An access to the xAPIC's page, which exists in xAPIC mode only; offset: below 4096, with all
 * that is not said reserved (reads 0, writes dropped, ESR says so). The caller splits what is not
 * an aligned word.
 */
u32 vlapic_read(struct vlapic *l, unsigned int offset, const struct vlapic_time *now);
void vlapic_write(struct vlapic *l, unsigned int offset, u32 value, const struct vlapic_time *now,
		  struct vlapic_out *out);
/*
 * Executes an instruction whose memory operand lies at `offset` of the page (vlapic_mmio.c): the
 * registers of *regs afterwards, RIP included. 0, or -EOPNOTSUPP: none that the emulator has, or a
 * string instruction; nothing has changed.
 */
struct insn;
struct insn_regs;
int __must_check vlapic_execute(struct vlapic *l, const struct insn *insn, unsigned int offset,
				const struct vlapic_time *now, struct insn_regs *regs,
				struct vlapic_out *out);
/* MSRs 800h to 8FFh. 0, or -EINVAL: #GP. */
int __must_check vlapic_read_msr(struct vlapic *l, u32 msr, const struct vlapic_time *now,
				 u64 *value);
int __must_check vlapic_write_msr(struct vlapic *l, u32 msr, u64 value,
				  const struct vlapic_time *now, struct vlapic_out *out);
/* IA32_APIC_BASE; its value is l->apic_base. 0, or -EINVAL: #GP. */
int __must_check vlapic_set_base(struct vlapic *l, u64 value, struct vlapic_out *out);
/* IA32_TSC_DEADLINE. 0, or -EINVAL: #GP, the guest has none. */
int __must_check vlapic_read_deadline(struct vlapic *l, const struct vlapic_time *now, u64 *value);
int __must_check vlapic_write_deadline(struct vlapic *l, u64 value, const struct vlapic_time *now,
				       struct vlapic_out *out);

/* Of vlapic.c, for the others: the bits of an LVT entry that a guest may write; LDR in x2APIC mode;
 * is it a value for IA32_APIC_BASE, whatever the mode is now? */
u32 vlapic_lvt_writable(const struct vlapic *l, unsigned int offset);
u32 vlapic_x2apic_ldr(u32 id);
bool vlapic_base_is_valid(const struct vlapic *l, u64 value);

/* --- the timer (vlapic_timer.c); own vCPU --- */
/* Lets the timer catch up: sets its interrupt pending if the time for it has come. */
void vlapic_timer_run(struct vlapic *l, const struct vlapic_time *now, struct vlapic_out *out);
/* When vlapic_timer_run has something to do next, in ns of system time; 0: never. */
u64 vlapic_timer_next(const struct vlapic *l, const struct vlapic_time *now);
/* Used by vlapic.c: the current count, and writes that bear on the timer. */
u32 vlapic_timer_count(const struct vlapic *l, u64 now_ns);
u64 vlapic_timer_tick_ns(const struct vlapic *l);
void vlapic_timer_start(struct vlapic *l, u32 count, u64 now_ns);
void vlapic_timer_set_lvt(struct vlapic *l, u32 value);
void vlapic_timer_set_divide(struct vlapic *l, u32 value, u64 now_ns);
/* The interrupt of an entry of the local vector table. */
void vlapic_raise_lvt(struct vlapic *l, unsigned int offset, struct vlapic_out *out);

/* --- messages (vlapic_ipi.c) --- */
/* Is l one of the destinations of an interrupt that `from` sends? Any CPU. */
bool vlapic_is_dest(const struct vlapic *l, const struct vlapic *from,
		    const struct vlapic_ipi *ipi);
/* Does l take a lowest-priority interrupt rather than `other`? Any CPU. */
bool vlapic_is_lower(const struct vlapic *l, const struct vlapic *other);
/* What a write of ICR sends; dest: as written, in the form of the APIC's mode. */
void vlapic_send(struct vlapic *l, u32 icr, u32 dest, struct vlapic_out *out);

/* --- saved state (vlapic_save.c); the vCPU is paused --- */
struct hvm_hw_lapic;
struct hvm_hw_lapic_regs;
void vlapic_save(const struct vlapic *l, const struct vlapic_time *now, struct hvm_hw_lapic *hw,
		 struct hvm_hw_lapic_regs *regs);
/*
 * Can the two records be loaded into an APIC with l's ID and features? 0, or -EINVAL. Either may be
 * NULL: what it holds stays as it is.
 */
int __must_check vlapic_check_saved(const struct vlapic *l, const struct hvm_hw_lapic *hw,
				    const struct hvm_hw_lapic_regs *regs);
/* After that check. Ask vlapic_timer_next afterwards. */
void vlapic_load(struct vlapic *l, const struct vlapic_time *now, const struct hvm_hw_lapic *hw,
		 const struct hvm_hw_lapic_regs *regs);

#endif
