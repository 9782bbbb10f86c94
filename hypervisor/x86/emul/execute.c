/* SPDX-License-Identifier: MIT */
/*
 * The executor: effective addresses, string steps, and the results and flags of instructions that
 * write or read memory.
 */
#include "x86/emul/decode.h"
#include "lib/errno.h"

/* SDM volume 1, 3.4.3 */
enum {
	FLAG_CF = 1 << 0,
	FLAG_PF = 1 << 2,
	FLAG_AF = 1 << 4,
	FLAG_ZF = 1 << 6,
	FLAG_SF = 1 << 7,
	FLAG_DF = 1 << 10,
	FLAG_OF = 1 << 11,
	FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

static u64 size_mask(unsigned int bytes)
{
	return bytes >= 8 ? ~0UL : (1UL << (bytes * 8)) - 1;
}

static u64 address_mask(const struct insn *insn)
{
	return size_mask(insn->address_bytes);
}

u64 insn_reg_read(const struct insn *insn, const struct insn_regs *regs, unsigned int number,
		  unsigned int bytes)
{
	if (bytes == 1 && !insn->has_rex && number >= 4 && number < 8)
		return (regs->gpr[number - 4] >> 8) & 0xff;
	return regs->gpr[number] & size_mask(bytes);
}

void insn_reg_write(const struct insn *insn, struct insn_regs *regs, unsigned int number,
		    unsigned int bytes, u64 value)
{
	u64 mask = size_mask(bytes);

	value &= mask;
	if (bytes >= 4)
		regs->gpr[number] = value;
	else if (bytes == 1 && !insn->has_rex && number >= 4 && number < 8)
		regs->gpr[number - 4] = (regs->gpr[number - 4] & ~0xff00UL) | value << 8;
	else
		regs->gpr[number] = (regs->gpr[number] & ~mask) | value;
}

/* Reads a register that addresses or counts, in the width of addresses. */
static u64 address_reg(const struct insn *insn, const struct insn_regs *regs, unsigned int number)
{
	return number == INSN_NO_REG ? 0 : regs->gpr[number] & address_mask(insn);
}

/*
 * BT, BTS, BTR and BTC with a register: the bit may lie outside of the operand, on either side (SDM
 * volume 2, 3.1.1.9, "Bit(BitBase, BitOffset)").
 */
static u64 bit_string_offset(const struct insn *insn, const struct insn_regs *regs)
{
	unsigned int bits = insn->operand_bytes * 8U, shift = 64 - bits;
	s64 bit;

	if ((insn->op != INSN_BTS && insn->op != INSN_BTR && insn->op != INSN_BTC &&
	     insn->op != INSN_BT) ||
	    insn->has_imm)
		return 0;
	bit = (s64)(regs->gpr[insn->reg] << shift) >> shift;
	return (u64)(bit >> __builtin_ctz(bits)) * insn->operand_bytes;
}

u64 insn_effective_address(const struct insn *insn, const struct insn_regs *regs)
{
	u64 address = insn->displacement;

	switch (insn->op) {
	case INSN_OUTS:
		return address_reg(insn, regs, INSN_RSI);
	case INSN_INS:
	case INSN_STOS:
	case INSN_MOVS:
		return address_reg(insn, regs, INSN_RDI);
	default:
		break;
	}
	if (insn->rip_relative)
		address += regs->rip + insn->length;
	address += address_reg(insn, regs, insn->base) +
		   address_reg(insn, regs, insn->index) * insn->scale;
	return (address + bit_string_offset(insn, regs)) & address_mask(insn);
}

u64 insn_source_address(const struct insn *insn, const struct insn_regs *regs)
{
	return address_reg(insn, regs, INSN_RSI);
}

void insn_advance(const struct insn *insn, struct insn_regs *regs)
{
	regs->rip += insn->length;
	if (insn->mode != INSN_MODE_64)
		regs->rip &= size_mask(insn->mode == INSN_MODE_32 ? 4 : 2);
}

bool insn_string_is_done(const struct insn *insn, const struct insn_regs *regs)
{
	return insn->rep && !address_reg(insn, regs, INSN_RCX);
}

static void address_reg_add(const struct insn *insn, struct insn_regs *regs, unsigned int number,
			    s64 n)
{
	insn_reg_write(insn, regs, number, insn->address_bytes, regs->gpr[number] + (u64)n);
}

void insn_string_step(const struct insn *insn, struct insn_regs *regs)
{
	s64 step = regs->rflags & FLAG_DF ? -(s64)insn->operand_bytes : (s64)insn->operand_bytes;

	if (insn->op == INSN_OUTS || insn->op == INSN_MOVS)
		address_reg_add(insn, regs, INSN_RSI, step);
	if (insn->op != INSN_OUTS)
		address_reg_add(insn, regs, INSN_RDI, step);
	if (insn->rep)
		address_reg_add(insn, regs, INSN_RCX, -1);
	if (!insn->rep || insn_string_is_done(insn, regs))
		insn_advance(insn, regs);
}

/* PF, ZF and SF of a result. PF is set if the low byte has an even number of ones. */
static u64 result_flags(u64 value, unsigned int bytes)
{
	u64 flags = 0;
	u64 parity = value & 0xff;

	parity ^= parity >> 4;
	parity ^= parity >> 2;
	parity ^= parity >> 1;
	if (!(parity & 1))
		flags |= FLAG_PF;
	if (!(value & size_mask(bytes)))
		flags |= FLAG_ZF;
	if (value >> (bytes * 8 - 1) & 1)
		flags |= FLAG_SF;
	return flags;
}

static void set_flags(struct insn_regs *regs, u64 which, u64 flags)
{
	regs->rflags = (regs->rflags & ~which) | (flags & which);
}

/*
 * a + b + carry, or a - b - borrow, with the flags. A bit carries out where both operands have it,
 * or where one has it and the sum does not. An overflow: both operands of the addition have one
 * sign and the sum has the other.
 */
static u64 add_with_flags(struct insn_regs *regs, u64 a, u64 b, bool carry, unsigned int bytes,
			  u64 which)
{
	u64 sum = (a + b + carry) & size_mask(bytes), top = 1UL << (bytes * 8 - 1);
	u64 carries = (a & b) | ((a | b) & ~sum);
	u64 flags = result_flags(sum, bytes);

	if (carries & top)
		flags |= FLAG_CF;
	if ((a ^ b ^ sum) & 0x10)
		flags |= FLAG_AF;
	if (~(a ^ b) & (a ^ sum) & top)
		flags |= FLAG_OF;
	set_flags(regs, which, flags);
	return sum;
}

static u64 sub_with_flags(struct insn_regs *regs, u64 a, u64 b, bool borrow, unsigned int bytes,
			  u64 which)
{
	u64 diff = (a - b - borrow) & size_mask(bytes), top = 1UL << (bytes * 8 - 1);
	u64 borrows = (~a & b) | ((~a | b) & diff);
	u64 flags = result_flags(diff, bytes);

	if (borrows & top)
		flags |= FLAG_CF;
	if ((a ^ b ^ diff) & 0x10)
		flags |= FLAG_AF;
	if ((a ^ b) & (a ^ diff) & top)
		flags |= FLAG_OF;
	set_flags(regs, which, flags);
	return diff;
}

/* AND, OR, XOR: CF and OF clear, AF undefined. */
static u64 logic_with_flags(struct insn_regs *regs, u64 value, unsigned int bytes)
{
	set_flags(regs, FLAGS_ARITH & ~FLAG_AF, result_flags(value, bytes));
	return value;
}

static u64 execute_alu(const struct insn *insn, struct insn_regs *regs, u64 old, u64 operand)
{
	unsigned int bytes = insn->operand_bytes;
	bool carry = regs->rflags & FLAG_CF;

	switch (insn->op) {
	case INSN_ADD:
	case INSN_XADD:
		return add_with_flags(regs, old, operand, false, bytes, FLAGS_ARITH);
	case INSN_ADC:
		return add_with_flags(regs, old, operand, carry, bytes, FLAGS_ARITH);
	case INSN_SUB:
		return sub_with_flags(regs, old, operand, false, bytes, FLAGS_ARITH);
	case INSN_SBB:
		return sub_with_flags(regs, old, operand, carry, bytes, FLAGS_ARITH);
	case INSN_INC:
		return add_with_flags(regs, old, 1, false, bytes, FLAGS_ARITH & ~FLAG_CF);
	case INSN_DEC:
		return sub_with_flags(regs, old, 1, false, bytes, FLAGS_ARITH & ~FLAG_CF);
	case INSN_NEG:
		return sub_with_flags(regs, 0, old, false, bytes, FLAGS_ARITH);
	case INSN_NOT:
		return ~old;
	case INSN_OR:
		return logic_with_flags(regs, old | operand, bytes);
	case INSN_AND:
		return logic_with_flags(regs, old & operand, bytes);
	default: /* XOR: the callers pass no other */
		return logic_with_flags(regs, old ^ operand, bytes);
	}
}

/* BT, BTS, BTR, BTC: CF is the old bit. */
static u64 execute_bit(const struct insn *insn, struct insn_regs *regs, u64 old, u64 operand)
{
	u64 bit = 1UL << (operand & (insn->operand_bytes * 8U - 1));

	set_flags(regs, FLAG_CF, old & bit ? FLAG_CF : 0);
	if (insn->op == INSN_BTS)
		return old | bit;
	if (insn->op == INSN_BT)
		return old;
	return insn->op == INSN_BTR ? old & ~bit : old ^ bit;
}

static void execute_cmpxchg(const struct insn *insn, struct insn_result *r, u64 old, u64 operand)
{
	unsigned int bytes = insn->operand_bytes;
	u64 accumulator = r->regs.gpr[INSN_RAX] & size_mask(bytes);

	sub_with_flags(&r->regs, accumulator, old, false, bytes, FLAGS_ARITH);
	r->store = accumulator == old;
	r->value[0] = operand;
	if (!r->store)
		insn_reg_write(insn, &r->regs, INSN_RAX, bytes, old);
}

static void execute_cmpxchg8b(const struct insn *insn, struct insn_result *r, const u64 old[2])
{
	struct insn_regs *regs = &r->regs;
	u64 low = regs->gpr[INSN_RAX], high = regs->gpr[INSN_RDX];

	if (insn->operand_bytes == 16) {
		r->store = low == old[0] && high == old[1];
		r->value[0] = regs->gpr[INSN_RBX];
		r->value[1] = regs->gpr[INSN_RCX];
	} else {
		r->store = ((low & size_mask(4)) | high << 32) == old[0];
		r->value[0] = (regs->gpr[INSN_RBX] & size_mask(4)) | regs->gpr[INSN_RCX] << 32;
	}
	set_flags(regs, FLAG_ZF, r->store ? FLAG_ZF : 0);
	if (r->store)
		return;
	regs->gpr[INSN_RAX] = insn->operand_bytes == 16 ? old[0] : old[0] & size_mask(4);
	regs->gpr[INSN_RDX] = insn->operand_bytes == 16 ? old[1] : old[0] >> 32;
}

static void execute_string(const struct insn *insn, struct insn_result *r, u64 source)
{
	if (insn_string_is_done(insn, &r->regs)) {
		r->store = false;
		insn_advance(insn, &r->regs);
		return;
	}
	r->value[0] = source;
	insn_string_step(insn, &r->regs);
}

/* MOVZX and MOVSX; MOV with both sizes alike. */
static u64 execute_load(const struct insn *insn, u64 value)
{
	unsigned int shift = 64 - insn->operand_bytes * 8U;

	return insn->op == INSN_MOVSX ? (u64)((s64)(value << shift) >> shift) : value;
}

/* With a register as the destination, or none: memory is read. second: the other operand. */
static void execute_read(const struct insn *insn, struct insn_result *r, u64 memory, u64 second)
{
	unsigned int bytes = insn->operand_bytes;
	u64 value;

	r->store = false;
	switch (insn->op) {
	case INSN_CMP:
		sub_with_flags(&r->regs, insn->to_reg ? second : memory,
			       insn->to_reg ? memory : second, false, bytes, FLAGS_ARITH);
		return;
	case INSN_TEST:
		logic_with_flags(&r->regs, memory & second, bytes);
		return;
	case INSN_BT:
		execute_bit(insn, &r->regs, memory, second);
		return;
	case INSN_MOV:
	case INSN_MOVZX:
	case INSN_MOVSX:
		value = execute_load(insn, memory);
		break;
	default:
		value = execute_alu(insn, &r->regs, second, memory);
		break;
	}
	insn_reg_write(insn, &r->regs, insn->reg, insn->reg_bytes, value);
}

static void execute_write(const struct insn *insn, struct insn_result *r, const u64 old[2],
			  u64 before, u64 operand)
{
	unsigned int bytes = insn->operand_bytes;

	switch (insn->op) {
	case INSN_MOV:
		r->value[0] = operand;
		break;
	case INSN_XCHG:
		r->value[0] = operand;
		insn_reg_write(insn, &r->regs, insn->reg, bytes, before);
		break;
	case INSN_XADD:
		r->value[0] = execute_alu(insn, &r->regs, before, operand);
		insn_reg_write(insn, &r->regs, insn->reg, bytes, before);
		break;
	case INSN_CMPXCHG:
		execute_cmpxchg(insn, r, before, operand);
		break;
	case INSN_CMPXCHG8B:
		execute_cmpxchg8b(insn, r, old);
		break;
	case INSN_BTS:
	case INSN_BTR:
	case INSN_BTC:
		r->value[0] = execute_bit(insn, &r->regs, before, operand);
		break;
	default:
		r->value[0] = execute_alu(insn, &r->regs, before, operand);
		break;
	}
	r->value[0] &= size_mask(bytes);
}

int insn_execute(const struct insn *insn, const struct insn_regs *regs, const u64 old[2],
		 struct insn_result *result)
{
	unsigned int bytes = insn->operand_bytes;
	u64 before = old[0] & size_mask(bytes), operand;

	*result = (struct insn_result){ .store = true, .regs = *regs };
	if (!insn_is_executable(insn))
		return -EOPNOTSUPP;
	if (insn->op == INSN_STOS || insn->op == INSN_MOVS) {
		execute_string(insn, result,
			       insn->op == INSN_STOS ? regs->gpr[INSN_RAX] & size_mask(bytes) :
						       before);
		return 0;
	}
	/* Without ModRM (MOV with an absolute offset) the register is RAX, number 0. */
	operand = insn->has_imm ? insn->imm & size_mask(bytes) :
				  insn_reg_read(insn, regs, insn->reg, bytes);
	if (insn_writes_memory(insn))
		execute_write(insn, result, old, before, operand);
	else
		execute_read(insn, result, before, operand);
	insn_advance(insn, &result->regs);
	return 0;
}
