/* SPDX-License-Identifier: MIT */
/*
 * A decoder and executor for the instructions that a hypervisor must emulate: privileged
 * instructions, which fault in ring 3 or make a guest exit, instructions that write at most 16
 * bytes of memory at a time (page tables, device registers), and the plain ones that read memory.
 * It refuses all others. Pure: it reads only its arguments. The source is the Intel SDM volume 2,
 * which also gives the names of the instructions.
 */
#ifndef X86_EMUL_DECODE_H
#define X86_EMUL_DECODE_H

#include "lib/types.h"

#define INSN_MAX_LENGTH 15
/*
 * The maximum with Xen's forced emulation prefix in front (xen/arch-x86/xen.h, XEN_EMULATE_PREFIX).
 */
#define INSN_MAX_BYTES 20

/* Of the code segment: L set; L clear and D set; both clear, and in real mode. */
enum insn_mode { INSN_MODE_64, INSN_MODE_32, INSN_MODE_16 };

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
	u64 rip; /* the instruction's own address until it is done */
	u64 rflags;
};

enum insn_op {
	INSN_NONE,

	/* Port I/O. The port is `imm` if has_imm, else DX. operand_bytes: 1, 2 or 4. */
	INSN_IN,
	INSN_OUT,
	INSN_INS,
	INSN_OUTS,

	/* Control and debug registers: `reg` is the number, `rm` the general register. */
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
	INSN_VMCALL,
	INSN_VMMCALL,

	/* Those that insn_execute() executes. Writers of memory, unless they are to_reg. */
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
	/* Readers of memory. */
	INSN_MOVZX,
	INSN_MOVSX,
	INSN_CMP,
	INSN_TEST,
	INSN_BT,
};

struct insn {
	u8 op;		  /* enum insn_op */
	u8 length;	  /* bytes, prefixes included */
	u8 operand_bytes; /* 1, 2, 4, 8, 16; of MOVZX and MOVSX: the source's */
	u8 reg_bytes; /* the register's: operand_bytes, or the destination's of MOVZX and MOVSX */
	u8 address_bytes; /* 2, 4 or 8 */
	u8 mode;	  /* enum insn_mode */
	bool rep;	  /* REP or REPNE, of a string instruction */
	bool lock;
	bool to_reg; /* the register is the destination, memory the source */
	bool forced; /* after Xen's forced emulation prefix */
	bool has_rex;

	bool has_modrm;
	u8 reg, rm;	/* with their REX bits; rm is a register only if !is_memory */
	bool is_memory; /* a memory operand given by ModRM or by an absolute offset */
	/* enum insn_segment: the memory operand's, or the source's of a string instruction. */
	u8 segment;
	bool rip_relative;
	u8 base, index;	  /* enum insn_gpr, INSN_NO_REG: none */
	u8 scale;	  /* 1, 2, 4, 8 */
	u64 displacement; /* sign-extended */

	bool has_imm;
	u64 imm; /* sign-extended, except for a port or a vector */
};

/* Can insn_execute() execute it? Does it write memory then? */
static inline bool insn_is_executable(const struct insn *insn)
{
	return insn->op >= INSN_MOV;
}
static inline bool insn_writes_memory(const struct insn *insn)
{
	return insn->op >= INSN_MOV && insn->op <= INSN_BTC && !insn->to_reg;
}

/*
 * Decodes the instruction at `bytes`. len: the bytes available, of which at most INSN_MAX_BYTES are
 * read. 0, or with *out zeroed:
 *   -EOPNOTSUPP  not one of these instructions
 *   -EINVAL      the processor would raise #UD (LOCK where not allowed, more than 15 bytes)
 *   -ENODATA     the instruction continues beyond `len`
 */
int __must_check insn_decode(struct insn *out, const u8 *bytes, size_t len, enum insn_mode mode);

/*
 * The length of the instruction at `bytes`, which the processor has found to be `op` and to be
 * valid: prefixes without effect do not matter. The errors are those of insn_decode(), and
 * -EOPNOTSUPP if it is another instruction (the guest has changed its code since).
 */
int __must_check insn_length(const u8 *bytes, size_t len, enum insn_mode mode, enum insn_op op);

/*
 * The memory operand's offset in its segment: the destination's (in ES) for INS, STOS and MOVS, the
 * source's for OUTS. The caller adds the segment's base.
 */
u64 insn_effective_address(const struct insn *insn, const struct insn_regs *regs);
/* MOVS: the source's offset in insn->segment. */
u64 insn_source_address(const struct insn *insn, const struct insn_regs *regs);

/*
 * Reads register `number` as an operand of `bytes` bytes. Without REX the one-byte registers 4 to 7
 * are AH, CH, DH and BH.
 */
u64 insn_reg_read(const struct insn *insn, const struct insn_regs *regs, unsigned int number,
		  unsigned int bytes);
/* Writes it likewise. Four bytes clear the upper half; one or two keep the other bytes. */
void insn_reg_write(const struct insn *insn, struct insn_regs *regs, unsigned int number,
		    unsigned int bytes, u64 value);

/* Advances RIP past the instruction. */
void insn_advance(const struct insn *insn, struct insn_regs *regs);

/* A string instruction with REP and count 0: only insn_advance() is left to do. */
bool insn_string_is_done(const struct insn *insn, const struct insn_regs *regs);
/*
 * Call after one iteration of INS, OUTS, STOS or MOVS: steps RSI and RDI (by DF), counts RCX down
 * (if REP), and advances RIP after the last iteration.
 */
void insn_string_step(const struct insn *insn, struct insn_regs *regs);

struct insn_result {
	u64 value[2]; /* the memory operand's new value, low half first */
	bool store;   /* false: memory is unchanged (a read, a failed CMPXCHG, REP with 0) */
	struct insn_regs regs; /* the new registers, RIP and flags included */
};

/*
 * Executes an instruction (insn_is_executable()). `old`: the memory operand's insn->operand_bytes
 * bytes, low half first; of MOVS the source's. For an instruction with LOCK the caller stores the
 * result only if memory still holds `old`, and else starts again. Flags that the manual leaves
 * undefined are unchanged. 0; -EOPNOTSUPP: not such an instruction.
 */
int __must_check insn_execute(const struct insn *insn, const struct insn_regs *regs,
			      const u64 old[2], struct insn_result *result);

#endif
