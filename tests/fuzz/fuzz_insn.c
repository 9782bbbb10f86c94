/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an instruction. Decoding must stay in the buffer and say a plausible thing; what
 * writes memory is executed, too. Also run, with random bytes, by tests/unit/test_emul.c.
 */
/* links: hypervisor/x86/emul/decode.c hypervisor/x86/emul/execute.c hypervisor/x86/emul/tables.c */
#include "x86/emul/decode.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_decoded(const struct insn *insn, size_t size)
{
	check(insn->op != INSN_NONE && insn->length >= 1 && insn->length <= size &&
	      insn->length <= INSN_MAX_BYTES);
	check(insn->forced || insn->length <= INSN_MAX_LENGTH);
	check(insn->operand_bytes && insn->operand_bytes <= 16 &&
	      !(insn->operand_bytes & (insn->operand_bytes - 1)));
	check(insn->address_bytes == 2 || insn->address_bytes == 4 || insn->address_bytes == 8);
	check(insn->reg_bytes >= insn->operand_bytes);
	check(insn->reg < 16 && insn->rm < 16 && insn->base <= INSN_NO_REG &&
	      insn->index <= INSN_NO_REG);
	check(insn->segment <= INSN_NO_SEGMENT);
	check(!insn->lock || (insn->is_memory && insn_writes_memory(insn)));
}

static void execute(const struct insn *insn, const uint8_t *data, size_t size)
{
	struct insn_result result;
	struct insn_regs regs;
	u64 old[2] = { 0 };

	memset(&regs, 0xa5, sizeof(regs));
	memcpy(&regs, data, size < sizeof(regs) ? size : sizeof(regs));
	if (size >= sizeof(old))
		memcpy(old, data + size - sizeof(old), sizeof(old));
	(void)insn_effective_address(insn, &regs);
	(void)insn_source_address(insn, &regs);
	check(insn_execute(insn, &regs, old, &result) ==
	      (insn_is_executable(insn) ? 0 : -EOPNOTSUPP));
	check(!insn_is_executable(insn) || insn_writes_memory(insn) || !result.store);
	if (insn_writes_memory(insn) && insn->operand_bytes < 8)
		check(!(result.value[0] >> (insn->operand_bytes * 8)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int mode = INSN_MODE_64; mode <= INSN_MODE_16; mode++) {
		struct insn insn, again;
		int err = insn_decode(&insn, data, size, (enum insn_mode)mode);

		if (err) {
			check(err == -EOPNOTSUPP || err == -EINVAL || err == -ENODATA);
			check(err != -ENODATA || size < INSN_MAX_BYTES);
			check(insn.op == INSN_NONE && insn.length == 0);
			continue;
		}
		check_decoded(&insn, size);
		/* Its own bytes are enough, one less are not. */
		check(insn_decode(&again, data, insn.length, (enum insn_mode)mode) == 0);
		check(!memcmp(&insn, &again, sizeof(insn)));
		check(insn_decode(&again, data, insn.length - 1U, (enum insn_mode)mode) ==
		      -ENODATA);
		if (!insn.forced)
			check(insn_length(data, size, (enum insn_mode)mode,
					  (enum insn_op)insn.op) == insn.length);
		execute(&insn, data, size);
	}
	return 0;
}
