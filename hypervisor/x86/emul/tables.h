/* SPDX-License-Identifier: MIT */
/* Private to x86/emul: what each opcode means, and what follows it. */
#ifndef X86_EMUL_TABLES_H
#define X86_EMUL_TABLES_H

#include "x86/emul/decode.h"

enum insn_form {
	F_BYTE = 1 << 0,     /* operands of one byte */
	F_MODRM = 1 << 1,    /* a ModRM byte follows */
	F_MEMORY = 1 << 2,   /* ... which must name memory */
	F_REGISTER = 1 << 3, /* ... which names a register, whatever its mod field (MOV CR) */
	F_IMM8 = 1 << 4,     /* a byte follows, sign-extended */
	F_IMM8U = 1 << 5,    /* a byte follows, zero-extended */
	/* An immediate of the operand's size follows, at most four bytes, sign-extended. */
	F_IMM = 1 << 6,
	F_LOCK = 1 << 7,       /* may have LOCK */
	F_STRING = 1 << 8,     /* RSI or RDI */
	F_OFFSET = 1 << 9,     /* an absolute offset follows: memory */
	F_IO = 1 << 10,	       /* never an operand of eight bytes */
	F_NATIVE = 1 << 11,    /* the operand is as wide as the mode's registers */
	F_GROUP = 1 << 12,     /* `op` is an enum insn_group: ModRM.reg chooses */
	F_ONLY_32 = 1 << 13,   /* #UD in 64-bit mode */
	F_NO_PREFIX = 1 << 14, /* another instruction with 66, F2 or F3 */
	F_TO_REG = 1 << 15,    /* the register is the destination */
};

struct insn_entry {
	u8 op; /* enum insn_op or enum insn_group */
	u16 form;
	u8 imm; /* an implied immediate, as INT3's */
};

enum insn_group {
	GROUP_ALU,   /* 80, 81, 83 */
	GROUP_UNARY, /* F6, F7 */
	GROUP_INC,   /* FE, FF */
	GROUP_MOV,   /* C6, C7 */
	GROUP_LDT,   /* 0F 00 */
	GROUP_GDT,   /* 0F 01 with memory; LMSW and SMSW also with a register */
	GROUP_BIT,   /* 0F BA */
	GROUP_CX8,   /* 0F C7 */
	GROUP_COUNT,
};

extern const struct insn_entry insn_one_byte[256], insn_two_byte[256];
/* Their forms are ORed into the form of the entry that led here. */
extern const struct insn_entry insn_groups[GROUP_COUNT][8];
/* 0F 01 with mod 3, by the whole ModRM byte. INSN_NONE ends the table. */
struct insn_fixed {
	u8 modrm, op;
};
extern const struct insn_fixed insn_fixed_0f01[];

#endif
