/* SPDX-License-Identifier: MIT */
/*
 * One instruction on the page of an xAPIC. The registers are words, 16 bytes apart, and the manual
 * allows whole, aligned accesses only (SDM 3A 11.4.1). A smaller read gets its part of the word,
 * any other write is dropped.
 */
#include "x86/hvm/dev/vlapic.h"

#include "lib/errno.h"
#include "x86/emul/decode.h"

#define WORD 4U

static bool reads_memory(const struct insn *insn)
{
	return insn->op != INSN_MOV || insn->to_reg;
}

static u64 read_operand(struct vlapic *l, unsigned int offset, unsigned int bytes,
			const struct vlapic_time *now)
{
	unsigned int within = offset % WORD;

	if (within + bytes > WORD)
		return 0;
	return vlapic_read(l, offset - within, now) >> (within * 8);
}

int vlapic_execute(struct vlapic *l, const struct insn *insn, unsigned int offset,
		   const struct vlapic_time *now, struct insn_regs *regs, struct vlapic_out *out)
{
	struct insn_result result;
	u64 old[2] = { 0, 0 };
	int err;

	if (!insn->is_memory || !insn_is_executable(insn))
		return -EOPNOTSUPP;
	if (reads_memory(insn))
		old[0] = read_operand(l, offset, insn->operand_bytes, now);
	err = insn_execute(insn, regs, old, &result);
	if (err)
		return err;
	if (result.store && insn->operand_bytes == WORD && offset % WORD == 0)
		vlapic_write(l, offset, (u32)result.value[0], now, out);
	*regs = result.regs;
	return 0;
}
