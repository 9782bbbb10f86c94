/* SPDX-License-Identifier: MIT */
/*
 * A decoder and executor for the instructions that a hypervisor of paravirtualized guests must
 * emulate: the privileged ones that fault in ring 3, and those that write memory in units of at
 * most 16 bytes (to page tables). All others are refused. Pure: it looks at nothing but its
 * arguments. Intel SDM volume 2 is the source; instructions are named as there.
 */
#ifndef X86_EMUL_DECODE_H
#define X86_EMUL_DECODE_H

#include "lib/types.h"

#define INSN_MAX_LENGTH 15
/* With Xen's forced emulation prefix (xen/arch-x86/xen.h, XEN_EMULATE_PREFIX) before it. */
#define INSN_MAX_BYTES 20

enum insn_mode { INSN_MODE_64, INSN_MODE_32 }; /* of the code segment: L set; L clear and D set */

/* Numbers of registers as in the encoding. */
enum insn_gpr {
	INSN_RAX,
	INSN_RCX,
	INSN_RDX,
	INSN_RBX,
	INSN_RSP,
	INSN_RBP,
	INSN_RSI,
	INSN_RDI,
	INSN_R8,
	INSN_R9,
	INSN_R10,
	INSN_R11,
	INSN_R12,
	INSN_R13,
	INSN_R14,
	INSN_R15,
	INSN_NO_REG,
};

enum insn_segment { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_NO_SEGMENT };

struct insn_regs {
	u64 gpr[16];
	u64 rip; /* of the instruction, until it is done */
	u64 rflags;
};

enum insn_op {
	INSN_NONE,

	/* Input and output. The port is `imm` if has_imm, else DX; operand_bytes 1, 2 or 4. */
	INSN_IN,
	INSN_OUT,
	INSN_INS,
	INSN_OUTS,

	/* Control and debug registers: number `reg`; the general register is `rm`. */
	INSN_MOV_FROM_CR,
	INSN_MOV_TO_CR,
	INSN_MOV_FROM_DR,
	INSN_MOV_TO_DR,

	INSN_CLTS,
	INSN_LMSW,
	INSN_SMSW, /* operand: memory, or register `rm` */
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_RDTSC,
	INSN_RDTSCP,
	INSN_RDPMC,
	INSN_CPUID,
	INSN_XGETBV,
	INSN_XSETBV,
	INSN_INVD,
	INSN_WBINVD,
	INSN_INVLPG,
	INSN_HLT,
	INSN_CLI,
	INSN_STI,
	INSN_CLAC,
	INSN_STAC,
	INSN_SWAPGS,
	INSN_MONITOR,
	INSN_MWAIT,
	INSN_SGDT,
	INSN_SIDT,
	INSN_LGDT,
	INSN_LIDT,
	INSN_SLDT,
	INSN_STR,
	INSN_LLDT,
	INSN_LTR,
	INSN_INT, /* vector `imm`; INT3, INT1 and INTO too */
	INSN_IRET,
	INSN_SYSCALL,
	INSN_SYSRET,
	INSN_SYSENTER,
	INSN_SYSEXIT,

	/* Writers of memory, for insn_execute(). */
	INSN_MOV,
	INSN_STOS,
	INSN_MOVS,
	INSN_XCHG,
	INSN_CMPXCHG,
	INSN_CMPXCHG8B, /* 16 bytes with REX.W */
	INSN_XADD,
	INSN_ADD,
	INSN_OR,
	INSN_ADC,
	INSN_SBB,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_INC,
	INSN_DEC,
	INSN_NOT,
	INSN_NEG,
	INSN_BTS,
	INSN_BTR,
	INSN_BTC,
};

static inline bool insn_op_writes_memory(enum insn_op op)
{
	return op >= INSN_MOV;
}

struct insn {
	u8 op;		  /* enum insn_op */
	u8 length;	  /* bytes, prefixes included */
	u8 operand_bytes; /* 1, 2, 4, 8, 16 */
	u8 address_bytes; /* 4 or 8 */
	u8 mode;	  /* enum insn_mode */
	bool rep;	  /* REP or REPNE, of a string instruction */
	bool lock;
	bool forced; /* after Xen's forced emulation prefix */
	bool has_rex;

	bool has_modrm;
	u8 reg, rm;	/* with their REX bits; rm is a register only if !is_memory */
	bool is_memory; /* a memory operand given by ModRM or by an absolute offset */
	u8 segment; /* enum insn_segment: of the memory operand, or of a string instruction's source
		     */
	bool rip_relative;
	u8 base, index;	  /* enum insn_gpr, INSN_NO_REG: none */
	u8 scale;	  /* 1, 2, 4, 8 */
	u64 displacement; /* sign-extended */

	bool has_imm;
	u64 imm; /* sign-extended, but a port or a vector */
};

/*
 * Decodes the instruction that `bytes` begin with, of which `len` are there (more than
 * INSN_MAX_BYTES are not looked at). 0, or *out zeroed and -EOPNOTSUPP: not one of ours; -EINVAL:
 * the processor would raise #UD (LOCK where it may not be, over 15 bytes); -ENODATA: it goes on
 * behind `len`.
 */
int __must_check insn_decode(struct insn *out, const u8 *bytes, size_t len, enum insn_mode mode);

/*
 * Offset in its segment of the memory operand: of the destination (in ES) for INS, STOS and MOVS,
 * of the source for OUTS. The caller adds the segment's base.
 */
u64 insn_effective_address(const struct insn *insn, const struct insn_regs *regs);
/* MOVS: offset of the source in insn->segment. */
u64 insn_source_address(const struct insn *insn, const struct insn_regs *regs);

/* Register `number` as an operand of `bytes` bytes; without REX the one-byte registers 4 to 7 are
 * AH, CH, DH and BH. */
u64 insn_reg_read(const struct insn *insn, const struct insn_regs *regs, unsigned int number,
		  unsigned int bytes);
/* Likewise; four bytes clear the upper half, one or two leave the rest as it is. */
void insn_reg_write(const struct insn *insn, struct insn_regs *regs, unsigned int number,
		    unsigned int bytes, u64 value);

/* Moves the instruction pointer behind the instruction. */
void insn_advance(const struct insn *insn, struct insn_regs *regs);

/* A string instruction with REP whose count is zero: nothing is to be done but insn_advance(). */
bool insn_string_is_done(const struct insn *insn, const struct insn_regs *regs);
/*
 * After one iteration of INS, OUTS, STOS or MOVS: moves RSI, RDI (by DF) and RCX (if REP), and the
 * instruction pointer if it was the last.
 */
void insn_string_step(const struct insn *insn, struct insn_regs *regs);

struct insn_result {
	u64 value[2]; /* what the memory operand becomes, low half first */
	bool store;   /* false: memory stays as it is (CMPXCHG that failed, REP with count zero) */
	struct insn_regs regs; /* what the registers become, RIP and flags included */
};

/*
 * Executes an instruction that writes memory (insn_op_writes_memory()). For one with LOCK the
 * caller stores the result only if memory still holds `old`, and starts again otherwise. `old`:
 * insn->operand_bytes bytes, low half first. Flags that the manual leaves undefined stay as they
 * were. -EOPNOTSUPP: not such an instruction.
 */
int __must_check insn_execute(const struct insn *insn, const struct insn_regs *regs,
			      const u64 old[2], struct insn_result *result);

#endif
