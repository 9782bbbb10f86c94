/* SPDX-License-Identifier: MIT */
/* The tables of opcodes (Intel SDM volume 2, appendix A). */
#include "x86/emul/tables.h"

#define RM (F_MODRM | F_MEMORY)

/* An arithmetic operation with a register: r/m8, r8; r/m, r; r8, r/m8; r, r/m. */
#define ALU(opcode, operation)                                            \
	[opcode] = { INSN_##operation, RM | F_BYTE | F_LOCK, 0 },         \
	[(opcode) + 1] = { INSN_##operation, RM | F_LOCK, 0 },            \
	[(opcode) + 2] = { INSN_##operation, RM | F_BYTE | F_TO_REG, 0 }, \
	[(opcode) + 3] = { INSN_##operation, RM | F_TO_REG, 0 }

const struct insn_entry insn_one_byte[256] = {
	ALU(0x00, ADD),
	ALU(0x08, OR),
	ALU(0x10, ADC),
	ALU(0x18, SBB),
	ALU(0x20, AND),
	ALU(0x28, SUB),
	ALU(0x30, XOR),
	[0x38] = { INSN_CMP, RM | F_BYTE, 0 },
	[0x39] = { INSN_CMP, RM, 0 },
	[0x3a] = { INSN_CMP, RM | F_BYTE | F_TO_REG, 0 },
	[0x3b] = { INSN_CMP, RM | F_TO_REG, 0 },
	[0x6c] = { INSN_INS, F_STRING | F_BYTE, 0 },
	[0x6d] = { INSN_INS, F_STRING | F_IO, 0 },
	[0x6e] = { INSN_OUTS, F_STRING | F_BYTE, 0 },
	[0x6f] = { INSN_OUTS, F_STRING | F_IO, 0 },
	[0x80] = { GROUP_ALU, F_GROUP | RM | F_BYTE | F_IMM8, 0 },
	[0x81] = { GROUP_ALU, F_GROUP | RM | F_IMM, 0 },
	[0x83] = { GROUP_ALU, F_GROUP | RM | F_IMM8, 0 },
	[0x84] = { INSN_TEST, RM | F_BYTE, 0 },
	[0x85] = { INSN_TEST, RM, 0 },
	[0x86] = { INSN_XCHG, RM | F_BYTE | F_LOCK, 0 },
	[0x87] = { INSN_XCHG, RM | F_LOCK, 0 },
	[0x88] = { INSN_MOV, RM | F_BYTE, 0 },
	[0x89] = { INSN_MOV, RM, 0 },
	[0x8a] = { INSN_MOV, RM | F_BYTE | F_TO_REG, 0 },
	[0x8b] = { INSN_MOV, RM | F_TO_REG, 0 },
	[0xa0] = { INSN_MOV, F_OFFSET | F_BYTE | F_TO_REG, 0 },
	[0xa1] = { INSN_MOV, F_OFFSET | F_TO_REG, 0 },
	[0xa2] = { INSN_MOV, F_OFFSET | F_BYTE, 0 },
	[0xa3] = { INSN_MOV, F_OFFSET, 0 },
	[0xa4] = { INSN_MOVS, F_STRING | F_BYTE, 0 },
	[0xa5] = { INSN_MOVS, F_STRING, 0 },
	[0xaa] = { INSN_STOS, F_STRING | F_BYTE, 0 },
	[0xab] = { INSN_STOS, F_STRING, 0 },
	[0xc6] = { GROUP_MOV, F_GROUP | RM | F_BYTE | F_IMM8, 0 },
	[0xc7] = { GROUP_MOV, F_GROUP | RM | F_IMM, 0 },
	[0xcc] = { INSN_INT, 0, 3 },
	[0xcd] = { INSN_INT, F_IMM8U, 0 },
	[0xce] = { INSN_INT, F_ONLY_32, 4 },
	[0xcf] = { INSN_IRET, 0, 0 },
	[0xe4] = { INSN_IN, F_BYTE | F_IMM8U, 0 },
	[0xe5] = { INSN_IN, F_IO | F_IMM8U, 0 },
	[0xe6] = { INSN_OUT, F_BYTE | F_IMM8U, 0 },
	[0xe7] = { INSN_OUT, F_IO | F_IMM8U, 0 },
	[0xec] = { INSN_IN, F_BYTE, 0 },
	[0xed] = { INSN_IN, F_IO, 0 },
	[0xee] = { INSN_OUT, F_BYTE, 0 },
	[0xef] = { INSN_OUT, F_IO, 0 },
	[0xf1] = { INSN_INT, 0, 1 },
	[0xf4] = { INSN_HLT, 0, 0 },
	[0xf6] = { GROUP_UNARY, F_GROUP | RM | F_BYTE, 0 },
	[0xf7] = { GROUP_UNARY, F_GROUP | RM, 0 },
	[0xfa] = { INSN_CLI, 0, 0 },
	[0xfb] = { INSN_STI, 0, 0 },
	[0xfe] = { GROUP_INC, F_GROUP | RM | F_BYTE, 0 },
	[0xff] = { GROUP_INC, F_GROUP | RM, 0 },
};

const struct insn_entry insn_two_byte[256] = {
	[0x00] = { GROUP_LDT, F_GROUP | F_MODRM, 0 },
	[0x01] = { GROUP_GDT, F_GROUP | F_MODRM, 0 },
	[0x05] = { INSN_SYSCALL, 0, 0 },
	[0x06] = { INSN_CLTS, 0, 0 },
	[0x07] = { INSN_SYSRET, 0, 0 },
	[0x08] = { INSN_INVD, 0, 0 },
	[0x09] = { INSN_WBINVD, 0, 0 },
	[0x20] = { INSN_MOV_FROM_CR, F_MODRM | F_REGISTER | F_NATIVE, 0 },
	[0x21] = { INSN_MOV_FROM_DR, F_MODRM | F_REGISTER | F_NATIVE, 0 },
	[0x22] = { INSN_MOV_TO_CR, F_MODRM | F_REGISTER | F_NATIVE, 0 },
	[0x23] = { INSN_MOV_TO_DR, F_MODRM | F_REGISTER | F_NATIVE, 0 },
	[0x30] = { INSN_WRMSR, F_NO_PREFIX, 0 },
	[0x31] = { INSN_RDTSC, 0, 0 },
	[0x32] = { INSN_RDMSR, F_NO_PREFIX, 0 },
	[0x33] = { INSN_RDPMC, 0, 0 },
	[0x34] = { INSN_SYSENTER, 0, 0 },
	[0x35] = { INSN_SYSEXIT, 0, 0 },
	[0xa2] = { INSN_CPUID, 0, 0 },
	[0xa3] = { INSN_BT, RM, 0 },
	[0xab] = { INSN_BTS, RM | F_LOCK, 0 },
	[0xb0] = { INSN_CMPXCHG, RM | F_BYTE | F_LOCK, 0 },
	[0xb1] = { INSN_CMPXCHG, RM | F_LOCK, 0 },
	[0xb3] = { INSN_BTR, RM | F_LOCK, 0 },
	[0xb6] = { INSN_MOVZX, RM | F_BYTE | F_TO_REG, 0 },
	[0xb7] = { INSN_MOVZX, RM | F_TO_REG, 0 },
	[0xba] = { GROUP_BIT, F_GROUP | RM | F_IMM8U, 0 },
	[0xbb] = { INSN_BTC, RM | F_LOCK, 0 },
	[0xbe] = { INSN_MOVSX, RM | F_BYTE | F_TO_REG, 0 },
	[0xbf] = { INSN_MOVSX, RM | F_TO_REG, 0 },
	[0xc0] = { INSN_XADD, RM | F_BYTE | F_LOCK, 0 },
	[0xc1] = { INSN_XADD, RM | F_LOCK, 0 },
	[0xc3] = { INSN_MOV, RM | F_NO_PREFIX, 0 }, /* MOVNTI */
	[0xc7] = { GROUP_CX8, F_GROUP | RM, 0 },
};

const struct insn_entry insn_groups[GROUP_COUNT][8] =
	{
		[GROUP_ALU] =
			{
				[0] = {INSN_ADD, F_LOCK, 0},
				[1] = {INSN_OR, F_LOCK, 0},
				[2] = {INSN_ADC, F_LOCK, 0},
				[3] = {INSN_SBB, F_LOCK, 0},
				[4] = {INSN_AND, F_LOCK, 0},
				[5] = {INSN_SUB, F_LOCK, 0},
				[6] = {INSN_XOR, F_LOCK, 0},
				[7] = {INSN_CMP, 0, 0},
			},
		[GROUP_UNARY] =
			{
				[0] = {INSN_TEST, F_IMM, 0},
				[2] = {INSN_NOT, F_LOCK, 0},
				[3] = {INSN_NEG, F_LOCK, 0},
			},
		[GROUP_INC] =
			{
				[0] = {INSN_INC, F_LOCK, 0},
				[1] = {INSN_DEC, F_LOCK, 0},
			},
		[GROUP_MOV] =
			{
				[0] = {INSN_MOV, 0, 0},
			},
		[GROUP_LDT] =
			{
				[0] = {INSN_SLDT, 0, 0},
				[1] = {INSN_STR, 0, 0},
				[2] = {INSN_LLDT, 0, 0},
				[3] = {INSN_LTR, 0, 0},
			},
		[GROUP_GDT] =
			{
				[0] = {INSN_SGDT, F_MEMORY, 0},
				[1] = {INSN_SIDT, F_MEMORY, 0},
				[2] = {INSN_LGDT, F_MEMORY, 0},
				[3] = {INSN_LIDT, F_MEMORY, 0},
				[4] = {INSN_SMSW, 0, 0},
				[6] = {INSN_LMSW, 0, 0},
				[7] = {INSN_INVLPG, F_MEMORY, 0},
			},
		[GROUP_BIT] =
			{
				[4] = {INSN_BT, 0, 0},
				[5] = {INSN_BTS, F_LOCK, 0},
				[6] = {INSN_BTR, F_LOCK, 0},
				[7] = {INSN_BTC, F_LOCK, 0},
			},
		[GROUP_CX8] =
			{
				[1] = {INSN_CMPXCHG8B, F_LOCK, 0},
			},
};

const struct insn_fixed insn_fixed_0f01[] = {
	{ 0xc1, INSN_VMCALL }, { 0xd9, INSN_VMMCALL }, { 0xc8, INSN_MONITOR },
	{ 0xc9, INSN_MWAIT },  { 0xca, INSN_CLAC },    { 0xcb, INSN_STAC },
	{ 0xd0, INSN_XGETBV }, { 0xd1, INSN_XSETBV },  { 0xf8, INSN_SWAPGS },
	{ 0xf9, INSN_RDTSCP }, { 0, INSN_NONE },
};
