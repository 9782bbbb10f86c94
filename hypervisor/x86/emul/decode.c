/* SPDX-License-Identifier: MIT */
/* The decoder: turns instruction bytes into struct insn, by the tables of tables.c. */
#include "x86/emul/decode.h"
#include "x86/emul/tables.h"
#include "lib/errno.h"
#include "lib/string.h"

enum rex_bits { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

/* The decoder's position. take() reads every byte and checks both limits. */
struct cursor {
	const u8 *bytes;
	size_t len, at;
	size_t limit; /* 15 bytes from the first prefix on */
};

struct prefixes {
	bool operand, address, rep, repne, lock;
	u8 segment, rex;
};

/* The next n <= 8 bytes, little-endian, zero-extended. */
static int take(struct cursor *c, unsigned int n, u64 *value)
{
	*value = 0;
	if (c->limit - c->at < n)
		return -EINVAL;
	if (c->len - c->at < n)
		return -ENODATA;
	memcpy(value, c->bytes + c->at, n);
	c->at += n;
	return 0;
}

static u64 sign_extend(u64 value, unsigned int bytes)
{
	unsigned int shift = 64 - bytes * 8;

	return (u64)((s64)(value << shift) >> shift);
}

/*
 * Reads the legacy prefixes, in any order, and in 64-bit mode the REX prefix, which counts only
 * right before the opcode.
 */
static int read_prefixes(struct cursor *c, struct prefixes *p, enum insn_mode mode, u8 *opcode)
{
	u64 byte;
	int err;

	*p = (struct prefixes){ .segment = INSN_NO_SEGMENT };
	for (;;) {
		err = take(c, 1, &byte);
		if (err)
			return err;
		if (mode == INSN_MODE_64 && (byte & 0xf0) == 0x40) {
			p->rex = (u8)byte;
			continue;
		}
		switch (byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			/* 64-bit mode ignores these four. */
			if (mode != INSN_MODE_64)
				p->segment = (u8)((byte >> 3) & 3);
			break;
		case 0x64:
			p->segment = INSN_FS;
			break;
		case 0x65:
			p->segment = INSN_GS;
			break;
		case 0x66:
			p->operand = true;
			break;
		case 0x67:
			p->address = true;
			break;
		case 0xf0:
			p->lock = true;
			break;
		case 0xf2:
			p->repne = true;
			break;
		case 0xf3:
			p->rep = true;
			break;
		default:
			*opcode = (u8)byte;
			return 0;
		}
		p->rex = 0;
	}
}

/*
 * The memory operand of a ModRM byte with 16-bit addresses (SDM volume 2, table 2-1): BX or BP, SI
 * or DI, or one of each. Returns how many bytes of displacement follow.
 */
static unsigned int address_16(struct insn *insn, u8 mod, u8 rm)
{
	static const u8 base[8] = { INSN_RBX, INSN_RBX, INSN_RBP, INSN_RBP,
				    INSN_RSI, INSN_RDI, INSN_RBP, INSN_RBX };

	if (rm == 6 && mod == 0)
		return 2;
	insn->base = base[rm];
	if (rm < 4)
		insn->index = rm & 1 ? INSN_RDI : INSN_RSI;
	return mod;
}

/*
 * Reads a SIB byte: scale, index, base. *disp_bytes: set if the SIB byte itself requires a
 * displacement. 0 or an error of take().
 */
static int read_sib(struct insn *insn, struct cursor *c, u8 rex, u8 mod, unsigned int *disp_bytes)
{
	u64 sib;
	int err = take(c, 1, &sib);

	if (err)
		return err;
	insn->scale = (u8)(1 << (sib >> 6));
	insn->index = (u8)((sib >> 3) & 7) | (rex & REX_X ? 8 : 0);
	if (insn->index == INSN_RSP)
		insn->index = INSN_NO_REG;
	insn->base = (u8)(sib & 7) | (rex & REX_B ? 8 : 0);
	if ((sib & 7) == INSN_RBP && mod == 0) {
		insn->base = INSN_NO_REG;
		*disp_bytes = 4;
	}
	return 0;
}

/* Reads the memory operand of a ModRM byte (SDM volume 2, tables 2-2 and 2-3). */
static int read_memory_operand(struct insn *insn, struct cursor *c, u8 rex, u8 mod, u8 rm)
{
	unsigned int disp_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	u64 disp;
	int err;

	insn->is_memory = true;
	insn->scale = 1;
	if (insn->address_bytes == 2) {
		disp_bytes = address_16(insn, mod, rm);
	} else if (rm == 4) {
		err = read_sib(insn, c, rex, mod, &disp_bytes);
		if (err)
			return err;
	} else if (rm == 5 && mod == 0) {
		insn->rip_relative = insn->mode == INSN_MODE_64;
		disp_bytes = 4;
	} else {
		insn->base = rm | (rex & REX_B ? 8 : 0);
	}
	err = take(c, disp_bytes, &disp);
	if (err)
		return err;
	insn->displacement = disp_bytes ? sign_extend(disp, disp_bytes) : 0;
	if (insn->segment == INSN_NO_SEGMENT)
		insn->segment =
			insn->base == INSN_RSP || insn->base == INSN_RBP ? INSN_SS : INSN_DS;
	return 0;
}

/* Looks up the ModRM byte in its group and merges that entry into *e. */
static void resolve_group(struct insn_entry *e, u8 modrm)
{
	const struct insn_entry *g = &insn_groups[e->op][(modrm >> 3) & 7];

	if (e->op == GROUP_GDT && modrm >> 6 == 3)
		for (const struct insn_fixed *f = insn_fixed_0f01; f->op != INSN_NONE; f++)
			if (f->modrm == modrm) {
				*e = (struct insn_entry){ f->op, F_NO_PREFIX, 0 };
				return;
			}
	e->op = g->op;
	e->form = (u16)((e->form & ~F_GROUP) | g->form);
}

static int read_modrm(struct insn *insn, struct cursor *c, struct insn_entry *e, u8 rex)
{
	u64 modrm;
	u8 mod;
	int err = take(c, 1, &modrm);

	if (err)
		return err;
	mod = (u8)(modrm >> 6);
	if (e->form & F_GROUP)
		resolve_group(e, (u8)modrm);
	if (e->op == INSN_NONE)
		return -EOPNOTSUPP;
	if (!(e->form & F_MODRM)) /* no operands: the ModRM byte is part of the opcode */
		return 0;
	insn->has_modrm = true;
	insn->reg = (u8)((modrm >> 3) & 7) | (rex & REX_R ? 8 : 0);
	insn->rm = (u8)(modrm & 7) | (rex & REX_B ? 8 : 0);
	if (mod == 3 || (e->form & F_REGISTER))
		return e->form & F_MEMORY ? -EOPNOTSUPP : 0;
	return read_memory_operand(insn, c, rex, mod, (u8)(modrm & 7));
}

/* Of an operand that has no width of its own. */
static u8 default_size(const struct insn *insn, const struct prefixes *p)
{
	if (p->rex & REX_W)
		return 8;
	return (insn->mode == INSN_MODE_16) == p->operand ? 4 : 2;
}

static u8 operand_size(const struct insn *insn, const struct insn_entry *e,
		       const struct prefixes *p)
{
	if (e->form & F_BYTE)
		return 1;
	if (e->op == INSN_MOVZX || e->op == INSN_MOVSX)
		return 2;
	if (e->form & F_NATIVE)
		return insn->mode == INSN_MODE_64 ? 8 : 4;
	if (e->op == INSN_CMPXCHG8B)
		return p->rex & REX_W ? 16 : 8;
	return e->form & F_IO ? min(default_size(insn, p), (u8)4) : default_size(insn, p);
}

static u8 address_size(const struct insn *insn, const struct prefixes *p)
{
	if (insn->mode == INSN_MODE_64)
		return p->address ? 4 : 8;
	return (insn->mode == INSN_MODE_16) == p->address ? 4 : 2;
}

static int read_immediate(struct insn *insn, struct cursor *c, const struct insn_entry *e)
{
	unsigned int bytes = e->form & (F_IMM8 | F_IMM8U) ? 1 : min(insn->operand_bytes, (u8)4);
	int err;

	if (e->imm) {
		insn->has_imm = true;
		insn->imm = e->imm;
	}
	if (!(e->form & (F_IMM | F_IMM8 | F_IMM8U)))
		return 0;
	insn->has_imm = true;
	err = take(c, bytes, &insn->imm);
	if (!err && !(e->form & F_IMM8U))
		insn->imm = sign_extend(insn->imm, bytes);
	return err;
}

/* Refuses prefixes that the processor refuses, and those that make another instruction. */
static int check_prefixes(const struct insn *insn, const struct insn_entry *e,
			  const struct prefixes *p)
{
	if (p->lock && (!(e->form & F_LOCK) || !insn->is_memory))
		return -EINVAL;
	if ((e->form & F_ONLY_32) && insn->mode == INSN_MODE_64)
		return -EINVAL;
	if ((e->form & F_NO_PREFIX) && (p->operand || p->rep || p->repne))
		return -EOPNOTSUPP;
	return 0;
}

static int decode_opcode(struct cursor *c, u8 opcode, struct insn_entry *e)
{
	u64 second;
	int err;

	if (opcode == 0x0f) {
		err = take(c, 1, &second);
		if (err)
			return err;
		*e = insn_two_byte[second];
	} else {
		*e = insn_one_byte[opcode];
	}
	return e->op == INSN_NONE && !(e->form & F_GROUP) ? -EOPNOTSUPP : 0;
}

static int decode(struct insn *insn, struct cursor *c, bool check)
{
	struct prefixes p;
	struct insn_entry e;
	u8 opcode;
	int err;

	err = read_prefixes(c, &p, insn->mode, &opcode);
	if (err)
		return err;
	err = decode_opcode(c, opcode, &e);
	if (err)
		return err;
	insn->base = insn->index = INSN_NO_REG;
	insn->segment = p.segment;
	insn->has_rex = p.rex != 0;
	insn->address_bytes = address_size(insn, &p);
	if (e.form & F_MODRM) {
		err = read_modrm(insn, c, &e, p.rex);
		if (err)
			return err;
	}
	if (e.form & F_OFFSET) {
		insn->is_memory = true;
		err = take(c, insn->address_bytes, &insn->displacement);
		if (err)
			return err;
	}
	if ((e.form & (F_OFFSET | F_STRING)) && insn->segment == INSN_NO_SEGMENT)
		insn->segment = INSN_DS;
	insn->op = e.op;
	insn->operand_bytes = operand_size(insn, &e, &p);
	insn->reg_bytes = e.op == INSN_MOVZX || e.op == INSN_MOVSX ? default_size(insn, &p) :
								     insn->operand_bytes;
	insn->to_reg = e.form & F_TO_REG;
	insn->rep = (e.form & F_STRING) && (p.rep || p.repne);
	insn->lock = p.lock;
	err = read_immediate(insn, c, &e);
	return err || !check ? err : check_prefixes(insn, &e, &p);
}

int insn_decode(struct insn *out, const u8 *bytes, size_t len, enum insn_mode mode)
{
	/*
	 * UD2 and "xen" before an instruction ask the hypervisor to emulate it
	 * (XEN_EMULATE_PREFIX).
	 */
	static const u8 forced[] = { 0x0f, 0x0b, 'x', 'e', 'n' };
	struct cursor c = { .bytes = bytes, .len = len, .limit = INSN_MAX_LENGTH };
	int err;

	*out = (struct insn){ .mode = (u8)mode };
	c.len = min(len, (size_t)INSN_MAX_BYTES);
	if (c.len > 1 && c.len < sizeof(forced) && !memcmp(bytes, forced, c.len))
		return -ENODATA;
	if (c.len >= sizeof(forced) && !memcmp(bytes, forced, sizeof(forced))) {
		out->forced = true;
		c.at = sizeof(forced);
		c.limit += sizeof(forced);
	}
	err = decode(out, &c, true);
	/* The prefix is defined for CPUID alone. */
	if (!err && out->forced && out->op != INSN_CPUID)
		err = -EOPNOTSUPP;
	if (err)
		*out = (struct insn){ 0 };
	else
		out->length = (u8)c.at;
	return err;
}

int insn_length(const u8 *bytes, size_t len, enum insn_mode mode, enum insn_op op)
{
	struct cursor c = { .bytes = bytes, .limit = INSN_MAX_LENGTH };
	struct insn insn = { .mode = (u8)mode };
	int err;

	c.len = min(len, (size_t)INSN_MAX_LENGTH);
	err = decode(&insn, &c, false);
	if (err)
		return err;
	return insn.op == op ? (int)c.at : -EOPNOTSUPP;
}
