/* SPDX-License-Identifier: MIT */
/*
 * The decoder is tested against the assembler's output, the executor against the processor that
 * runs the test: both execute each instruction with the same registers, flags and memory.
 */
/* links: hypervisor/x86/emul/decode.c hypervisor/x86/emul/execute.c hypervisor/x86/emul/tables.c */
/* links: tests/fuzz/fuzz_insn.c */
#include "x86/emul/decode.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct code {
	const u8 *start, *end;
};

/* The assembler's bytes for `text`. */
#define CODE(text)                                                                \
	({                                                                        \
		struct code c_;                                                   \
		__asm__(".pushsection .rodata\n771: " text "\n772: .popsection\n" \
			"lea 771b(%%rip), %0\n\tlea 772b(%%rip), %1"              \
			: "=r"(c_.start), "=r"(c_.end));                          \
		c_;                                                               \
	})
#define CODE32(text) CODE(".code32\n" text "\n.code64\n")
#define CODE16(text) CODE(".code16\n" text "\n.code64\n")

static struct insn decoded(struct code c, enum insn_mode mode)
{
	struct insn insn;

	assert_int_equal(insn_decode(&insn, c.start, (size_t)(c.end - c.start), mode), 0);
	assert_int_equal(insn.length, c.end - c.start);
	return insn;
}

#define D64(text) decoded(CODE(text), INSN_MODE_64)
#define D32(text) decoded(CODE32(text), INSN_MODE_32)
#define D16(text) decoded(CODE16(text), INSN_MODE_16)

static void assert_io(struct insn i, enum insn_op op, unsigned int bytes, int port)
{
	assert_int_equal(i.op, op);
	assert_int_equal(i.operand_bytes, bytes);
	assert_int_equal(i.has_imm, port >= 0);
	if (port >= 0)
		assert_int_equal(i.imm, port);
}

static void decodes_input_and_output(void **state)
{
	struct insn i;

	assert_io(D64("in $0x71, %%al"), INSN_IN, 1, 0x71);
	assert_io(D64("in $0xf1, %%ax"), INSN_IN, 2, 0xf1);
	assert_io(D64("in $0xf1, %%eax"), INSN_IN, 4, 0xf1);
	assert_io(D64("in %%dx, %%al"), INSN_IN, 1, -1);
	assert_io(D64("in %%dx, %%ax"), INSN_IN, 2, -1);
	assert_io(D64("in %%dx, %%eax"), INSN_IN, 4, -1);
	assert_io(D64(".byte 0x48; in %%dx, %%eax"), INSN_IN, 4, -1);
	assert_io(D64("out %%al, $0x80"), INSN_OUT, 1, 0x80);
	assert_io(D64("out %%eax, $0x80"), INSN_OUT, 4, 0x80);
	assert_io(D64("out %%ax, %%dx"), INSN_OUT, 2, -1);
	assert_io(D32("out %%ax, %%dx"), INSN_OUT, 2, -1);
	assert_io(D64("insb"), INSN_INS, 1, -1);
	assert_io(D64("insl"), INSN_INS, 4, -1);
	assert_io(D64("outsw"), INSN_OUTS, 2, -1);
	i = D64("rep outsl %%gs:(%%rsi), %%dx");
	assert_true(i.rep && i.segment == INSN_GS && i.address_bytes == 8);
	i = D64("outsl %%ds:(%%esi), %%dx");
	assert_true(!i.rep && i.segment == INSN_DS && i.address_bytes == 4);
	i = D32("outsb %%es:(%%esi), %%dx");
	assert_true(i.segment == INSN_ES && i.address_bytes == 4);
}

static void assert_reg(struct insn i, enum insn_op op, unsigned int reg, unsigned int rm)
{
	assert_int_equal(i.op, op);
	assert_int_equal(i.reg, reg);
	assert_int_equal(i.rm, rm);
	assert_int_equal(i.operand_bytes, i.mode == INSN_MODE_64 ? 8 : 4);
	assert_false(i.is_memory);
}

static void decodes_control_and_debug_registers(void **state)
{
	assert_reg(D64("mov %%cr0, %%rax"), INSN_MOV_FROM_CR, 0, INSN_RAX);
	assert_reg(D64("mov %%cr2, %%r15"), INSN_MOV_FROM_CR, 2, INSN_R15);
	assert_reg(D64("mov %%rdi, %%cr3"), INSN_MOV_TO_CR, 3, INSN_RDI);
	assert_reg(D64("mov %%rbx, %%cr4"), INSN_MOV_TO_CR, 4, INSN_RBX);
	assert_reg(D64("mov %%cr8, %%r9"), INSN_MOV_FROM_CR, 8, INSN_R9);
	assert_reg(D64("mov %%db7, %%rcx"), INSN_MOV_FROM_DR, 7, INSN_RCX);
	assert_reg(D64("mov %%rsp, %%db0"), INSN_MOV_TO_DR, 0, INSN_RSP);
	assert_reg(D32("mov %%cr4, %%esi"), INSN_MOV_FROM_CR, 4, INSN_RSI);
	/* The mod field does not matter: 0f 20 with mod 0, rm 5 has no displacement. */
	assert_reg(D64(".byte 0x0f, 0x20, 0x05"), INSN_MOV_FROM_CR, 0, INSN_RBP);
}

static void decodes_the_other_privileged_ones(void **state)
{
	struct insn i;

#define IS(text, operation) assert_int_equal(D64(text).op, INSN_##operation)
	IS("clts", CLTS);
	IS("rdmsr", RDMSR);
	IS("wrmsr", WRMSR);
	IS("rdtsc", RDTSC);
	IS("rdtscp", RDTSCP);
	IS("rdpmc", RDPMC);
	IS("cpuid", CPUID);
	IS("xgetbv", XGETBV);
	IS("xsetbv", XSETBV);
	IS("invd", INVD);
	IS("wbinvd", WBINVD);
	IS("hlt", HLT);
	IS("cli", CLI);
	IS("sti", STI);
	IS("clac", CLAC);
	IS("stac", STAC);
	IS("swapgs", SWAPGS);
	IS("monitor", MONITOR);
	IS("mwait", MWAIT);
	IS("sldt %%eax", SLDT);
	IS("str %%eax", STR);
	IS("lldt %%ax", LLDT);
	IS("ltr %%ax", LTR);
	IS("sgdt (%%rax)", SGDT);
	IS("sidt 8(%%rsp)", SIDT);
	IS("lgdt 0x1234(%%rip)", LGDT);
	IS("lidt (%%r12, %%r13, 8)", LIDT);
	IS("smsw %%eax", SMSW);
	IS("lmsw (%%rbx)", LMSW);
	IS("iretq", IRET);
	IS("syscall", SYSCALL);
	IS("sysretq", SYSRET);
	IS("sysenter", SYSENTER);
	IS("sysexitl", SYSEXIT);
	IS("vmcall", VMCALL);
	IS("vmmcall", VMMCALL);
#undef IS
	i = D64("invlpg -8(%%rbx, %%rcx, 4)");
	assert_true(i.op == INSN_INVLPG && i.base == INSN_RBX && i.index == INSN_RCX &&
		    i.scale == 4);
	assert_int_equal(i.displacement, -8);
	i = D64("int $0x82");
	assert_true(i.op == INSN_INT && i.imm == 0x82);
	assert_int_equal(D64("int3").imm, 3);
	assert_int_equal(D64(".byte 0xf1").imm, 1);
	assert_int_equal(D32("into").imm, 4);
}

static void decodes_the_forced_emulation_prefix(void **state)
{
	struct insn i = D64("ud2a; .ascii \"xen\"; cpuid");

	assert_true(i.forced && i.op == INSN_CPUID && i.length == 7);
	assert_false(D64("cpuid").forced);
	assert_int_equal(insn_decode(&i, (const u8 *)"\x0f\x0bxen\x0f\x30", 7, INSN_MODE_64),
			 -EOPNOTSUPP);
	assert_int_equal(insn_decode(&i, (const u8 *)"\x0f\x0bxeN\x0f\xa2", 7, INSN_MODE_64),
			 -EOPNOTSUPP);
	for (size_t len = 0; len < 7; len++)
		assert_int_equal(insn_decode(&i, (const u8 *)"\x0f\x0bxen\x0f\xa2", len,
					     INSN_MODE_64),
				 -ENODATA);
}

static void computes_effective_addresses(void **state)
{
	struct insn_regs regs = { .rip = 0xffffffff81000000UL };
	struct insn i;

	for (u64 n = 0; n < 16; n++)
		regs.gpr[n] = (n + 1) << 32 | n << 8;
#define EA(text) (i = D64(text), insn_effective_address(&i, &regs))
	assert_int_equal(EA("movq %%rax, (%%rbx)"), 0x400000300);
	assert_int_equal(EA("movq %%rax, -1(%%r13)"), 0xe00000cff);
	assert_int_equal(EA("movq %%rax, 0x12345678(%%rsp)"), 0x500000400 + 0x12345678);
	assert_int_equal(EA("movq %%rax, (%%r12, %%r12, 2)"), 3 * 0xd00000c00);
	assert_int_equal(EA("movq %%rax, 4(, %%rcx, 8)"), 8 * 0x200000100 + 4);
	assert_int_equal(EA("movq %%rax, 0x1000(%%rip)"), 0xffffffff81001000UL + 7);
	assert_int_equal(EA("movl $5, 0x1000(%%rip)"), 0xffffffff81001000UL + 10);
	assert_int_equal(EA("movl %%eax, (%%ebx, %%ecx)"), 0x400);
	assert_int_equal(EA("movq %%rax, -0x80000000"), 0xffffffff80000000UL);
	assert_int_equal(EA("movabs %%rax, 0x123456789abcdef0"), 0x123456789abcdef0UL);
	assert_int_equal(EA("stosb"), 0x800000700);
	assert_int_equal(EA("outsb"), 0x700000600);
#undef EA
	assert_int_equal(D64("movl %%eax, 8(%%rbp)").segment, INSN_SS);
	assert_int_equal(D64("movl %%eax, 8(%%rcx)").segment, INSN_DS);
	assert_int_equal(D64("movl %%eax, %%fs:8(%%rcx)").segment, INSN_FS);
	assert_int_equal(D64(".byte 0x2e; movl %%eax, 8(%%rcx)").segment, INSN_DS);
	assert_int_equal(D32("movl %%eax, %%cs:8(%%ecx)").segment, INSN_CS);
	i = D32("movl %%eax, 0x12345678");
	assert_true(!i.rip_relative && i.displacement == 0x12345678);
}

static void computes_16_bit_addresses(void **state)
{
	struct insn_regs regs = { .gpr = { [INSN_RBX] = 0x1000b0000,
					   [INSN_RBP] = 0xb000,
					   [INSN_RSI] = 0x50010,
					   [INSN_RDI] = 0xd0 } };
	struct insn i;

	regs.gpr[INSN_RBX] |= 0xb000;
#define EA(text) (i = D16(text), insn_effective_address(&i, &regs))
	assert_int_equal(EA("movw %%ax, (%%bx, %%si)"), 0xb010);
	assert_int_equal(i.segment, INSN_DS);
	assert_int_equal(EA("movw %%ax, (%%bx, %%di)"), 0xb0d0);
	assert_int_equal(EA("movw %%ax, (%%bp, %%si)"), 0xb010);
	assert_int_equal(i.segment, INSN_SS);
	assert_int_equal(EA("movw %%ax, 5(%%bp, %%di)"), 0xb0d5);
	assert_int_equal(EA("movw %%ax, (%%si)"), 0x10);
	assert_int_equal(EA("movw %%ax, -0x20(%%si)"), 0xfff0);
	assert_int_equal(EA("movw %%ax, (%%di)"), 0xd0);
	assert_int_equal(i.segment, INSN_DS);
	assert_int_equal(EA("movb %%al, 0x1234(%%bp)"), 0xc234);
	assert_int_equal(i.segment, INSN_SS);
	assert_int_equal(EA("movl %%eax, 0x6000(%%bx)"), 0x1000);
	assert_int_equal(EA("movw %%ax, 0x1234"), 0x1234);
	assert_int_equal(EA("movw %%cx, 0x1234"), 0x1234);
	assert_int_equal(EA("movw $7, %%es:0x1234"), 0x1234);
	assert_int_equal(i.segment, INSN_ES);
	assert_int_equal(i.operand_bytes, 2);
	assert_int_equal(i.imm, 7);
	assert_int_equal(EA("movl $0x12345678, (%%ebx, %%edi, 2)"), 0xbb1a0);
	assert_int_equal(i.operand_bytes, 4);
#undef EA
	i = D32("movl %%eax, (%%bx, %%si)");
	assert_int_equal(insn_effective_address(&i, &regs), 0xb010);
	/* A string in real mode: only the lower halves of the registers move. */
	regs = (struct insn_regs){ .rip = 0xffff };
	regs.gpr[INSN_RDI] = 0xabcdfffe;
	regs.gpr[INSN_RCX] = 0x70001;
	i = D16("rep stosw");
	insn_string_step(&i, &regs);
	assert_int_equal(regs.gpr[INSN_RDI], 0xabcd0000);
	assert_int_equal(regs.gpr[INSN_RCX], 0x70000);
	assert_int_equal(regs.rip, 1);
}

/* The instructions that make a guest exit, in each mode and with prefixes that mean nothing. */
static void measures_instructions_that_exit(void **state)
{
	static const struct {
		u8 op, nr;
		const char *bytes;
	} insn[] = {
		{ INSN_CPUID, 2, "\x0f\xa2" },
		{ INSN_RDMSR, 2, "\x0f\x32" },
		{ INSN_WRMSR, 2, "\x0f\x30" },
		{ INSN_RDTSC, 2, "\x0f\x31" },
		{ INSN_RDTSCP, 3, "\x0f\x01\xf9" },
		{ INSN_RDPMC, 2, "\x0f\x33" },
		{ INSN_HLT, 1, "\xf4" },
		{ INSN_VMMCALL, 3, "\x0f\x01\xd9" },
		{ INSN_VMCALL, 3, "\x0f\x01\xc1" },
		{ INSN_XSETBV, 3, "\x0f\x01\xd1" },
		{ INSN_INVD, 2, "\x0f\x08" },
		{ INSN_WBINVD, 2, "\x0f\x09" },
		{ INSN_MOV_TO_CR, 3, "\x0f\x22\xc0" },
		{ INSN_MOV_FROM_CR, 3, "\x0f\x20\xdf" },
		{ INSN_MOV_TO_DR, 3, "\x0f\x23\xff" },
		{ INSN_MOV_FROM_DR, 3, "\x0f\x21\xc7" },
		{ INSN_CLTS, 2, "\x0f\x06" },
		{ INSN_MONITOR, 3, "\x0f\x01\xc8" },
		{ INSN_MWAIT, 3, "\x0f\x01\xc9" },
		{ INSN_INVLPG, 3, "\x0f\x01\x3f" },
		{ INSN_LMSW, 3, "\x0f\x01\xf0" },
	};
	static const char *const prefixes[] = { "",	"\x66",		"\xf3",	   "\xf2",
						"\x2e", "\x66\x66\xf3", "\x3e\x67" };
	u8 bytes[INSN_MAX_LENGTH];

	for (unsigned int i = 0; i < ARRAY_SIZE(insn); i++)
		for (unsigned int p = 0; p < ARRAY_SIZE(prefixes); p++)
			for (int mode = INSN_MODE_64; mode <= INSN_MODE_16; mode++) {
				size_t before = strlen(prefixes[p]);
				int length = (int)before + insn[i].nr;

				memset(bytes, 0x90, sizeof(bytes));
				memcpy(bytes, prefixes[p], before);
				memcpy(bytes + before, insn[i].bytes, insn[i].nr);
				for (int len = 0; len <= length + 1; len++)
					assert_int_equal(insn_length(bytes, (size_t)len,
								     (enum insn_mode)mode,
								     (enum insn_op)insn[i].op),
							 len < length ? -ENODATA : length);
				assert_int_equal(insn_length(bytes, sizeof(bytes),
							     (enum insn_mode)mode, INSN_SWAPGS),
						 -EOPNOTSUPP);
			}
	/* AMD's other form of MOV to CR8, and REX. */
	assert_int_equal(insn_length((const u8 *)"\xf0\x0f\x22\xc0", 4, INSN_MODE_32,
				     INSN_MOV_TO_CR),
			 4);
	assert_int_equal(insn_length((const u8 *)"\x44\x0f\x22\xc0", 4, INSN_MODE_64,
				     INSN_MOV_TO_CR),
			 4);
	assert_int_equal(insn_length((const u8 *)"\x48\x0f\xa2", 3, INSN_MODE_64, INSN_CPUID), 3);
	/* In 32-bit mode 48 is DEC EAX. */
	assert_int_equal(insn_length((const u8 *)"\x48\x0f\xa2", 3, INSN_MODE_32, INSN_CPUID),
			 -EOPNOTSUPP);
	assert_int_equal(D16("movl %%eax, %%cr0").length, 3);
	assert_int_equal(D16("movl %%cr0, %%eax").operand_bytes, 4);
	assert_int_equal(D16("lgdtl 0x1234").length, 6);
}

static void refuses(struct code c, enum insn_mode mode, int err)
{
	struct insn i;

	assert_int_equal(insn_decode(&i, c.start, (size_t)(c.end - c.start), mode), err);
	assert_int_equal(i.op, INSN_NONE);
}

static void refuses_what_is_not_in_the_table(void **state)
{
	refuses(CODE("nop"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("ret"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("mov %%rax, %%rbx"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("xchg %%rcx, %%rbx"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("cmp %%rax, %%rbx"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("testl $1, %%ebx"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("movzx %%al, %%ebx"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("mulq (%%rbx)"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("call *(%%rbx)"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("ud2"), INSN_MODE_64, -ENODATA); /* it might be the forced emulation prefix */
	refuses(CODE("ud2; ud2; ud2"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("movups %%xmm0, (%%rax)"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("rdrand %%eax"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("rdpid %%rax"), INSN_MODE_64, -EOPNOTSUPP);
	refuses(CODE("vmovdqu %%ymm0, (%%rax)"), INSN_MODE_64, -EOPNOTSUPP);
}

static void refuses_what_the_processor_refuses(void **state)
{
	refuses(CODE(".byte 0xf0; mov %%rax, (%%rbx)"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".byte 0xf0; cpuid"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".byte 0xf0; add (%%rbx), %%rax"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".byte 0xf0; cmp %%rax, (%%rbx)"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".byte 0xf0; btq $1, (%%rbx)"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".byte 0xf0; stosb"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".byte 0xce"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".fill 15, 1, 0x66; hlt"), INSN_MODE_64, -EINVAL);
	refuses(CODE(".fill 9, 1, 0x66; movl $5, 0x1000(%%rbx)"), INSN_MODE_64, -EINVAL);
	assert_int_equal(D64(".fill 14, 1, 0x66; hlt").length, 15);
}

static void every_truncation_asks_for_more(void **state)
{
	struct code c = CODE("lock addq $0x12345678, %%gs:0x1000(%%r12, %%r13, 8)");
	struct insn i;

	for (size_t len = 0; len < (size_t)(c.end - c.start); len++) {
		u8 *copy = malloc(len);

		memcpy(copy, c.start, len);
		assert_int_equal(insn_decode(&i, copy, len, INSN_MODE_64), -ENODATA);
		free(copy);
	}
}

/* --- the processor's own opinion --- */

enum {
	FLAG_CF = 1,
	FLAG_PF = 4,
	FLAG_AF = 0x10,
	FLAG_ZF = 0x40,
	FLAG_SF = 0x80,
	FLAG_DF = 0x400,
	FLAG_OF = 0x800
};
enum { FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF };

struct native_state {
	u64 gpr[16], rflags, host_rsp;
	const u8 *code;
};
struct native_state native_state __attribute__((used));
void native_run(void);
void native_return(void);

#define SLOT(n)	   "native_state+8*" #n "(%rip)"
#define LOAD(n, r) "movq " SLOT(n) ", %" #r "\n"
#define SAVE(n, r) "movq %" #r ", " SLOT(n) "\n"
#define REGISTERS(op)                                                                             \
	op(0, rax) op(1, rcx) op(2, rdx) op(3, rbx) op(5, rbp) op(6, rsi) op(7, rdi) op(8, r8)    \
		op(9, r9) op(10, r10) op(11, r11) op(12, r12) op(13, r13) op(14, r14) op(15, r15) \
			op(4, rsp)

__asm__(".pushsection .text\n.globl native_run, native_return\nnative_run:\n"
	"push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n" SAVE(
		17,
		rsp) "pushq " SLOT(16) "\n popfq\n" REGISTERS(LOAD) "jmp *" SLOT(18) "\n"
										     "native_"
										     "return:"
										     "\n" REGISTERS(
											     SAVE)
											     LOAD(17, rsp) "pushfq\n popq " SLOT(
												     16) "\n cld\n"
													 "pop %r15\n pop %r14\n pop "
													 "%r13\n pop %r12\n pop %rbp\n "
													 "pop %rbx\n ret\n.popsection");

/* Memory for the instructions' writes, between unmapped neighbours. It is below 4 GiB, so that
 * 32-bit addresses reach it. */
enum { AREA = 4096, WINDOW = 256 };
static u8 *area, *code_page;

static int make_areas(void **state)
{
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
		    0);
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return area == MAP_FAILED || code_page == MAP_FAILED;
}

/* Runs the instruction on the processor, with *regs and the area's memory. */
static void run_native(const u8 *bytes, size_t len, struct insn_regs *regs)
{
	static const u8 jump_next[] = {
		0xff, 0x25, 0, 0, 0, 0
	}; /* jmp *0(%rip): to the address that follows */
	u64 back = (u64)native_return;

	memcpy(code_page, bytes, len);
	memcpy(code_page + len, jump_next, sizeof(jump_next));
	memcpy(code_page + len + sizeof(jump_next), &back, 8);
	memcpy(native_state.gpr, regs->gpr, sizeof(regs->gpr));
	native_state.rflags = regs->rflags;
	native_state.code = code_page;
	native_run();
	memcpy(regs->gpr, native_state.gpr, sizeof(regs->gpr));
	regs->rflags = native_state.rflags;
	regs->rip += len;
}

/* Runs the instruction by insn_execute() with the area's bytes in `memory`; for a string
 * instruction, all iterations. */
static void run_emulated(const struct insn *insn, struct insn_regs *regs, u8 *memory)
{
	u64 rip = regs->rip;

	while (regs->rip == rip) {
		u64 dst = insn_effective_address(insn, regs) - (u64)area, old[2] = { 0 };
		u64 src = insn->op == INSN_MOVS ? insn_source_address(insn, regs) - (u64)area : dst;
		struct insn_result result;

		assert_true(dst <= AREA - (u64)insn->operand_bytes &&
			    src <= AREA - (u64)insn->operand_bytes);
		memcpy(old, memory + src, insn->operand_bytes);
		assert_int_equal(insn_execute(insn, regs, old, &result), 0);
		if (result.store)
			memcpy(memory + dst, result.value, insn->operand_bytes);
		*regs = result.regs;
	}
}

static u64 undefined_flags(enum insn_op op)
{
	switch (op) {
	case INSN_AND:
	case INSN_OR:
	case INSN_XOR:
	case INSN_TEST:
		return FLAG_AF;
	case INSN_BT:
	case INSN_BTS:
	case INSN_BTR:
	case INSN_BTC:
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	default:
		return 0;
	}
}

static void print_insn(const u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		print_error("%02x ", bytes[i]);
	print_error("\n");
}

static void compare(const u8 *bytes, const struct insn *insn, const struct insn_regs *start)
{
	struct insn_regs want = *start, got = *start;
	u64 defined = (FLAGS_ARITH | FLAG_DF) & ~undefined_flags(insn->op);
	u8 memory[AREA];

	memcpy(memory, area, AREA);
	run_native(bytes, insn->length, &want);
	run_emulated(insn, &got, memory);
	if (memcmp(want.gpr, got.gpr, sizeof(want.gpr)) || memcmp(memory, area, AREA) ||
	    want.rip != got.rip || ((want.rflags ^ got.rflags) & defined)) {
		print_insn(bytes, insn->length);
		for (int n = 0; n < 16; n++)
			print_error("reg %d: before %lx processor %lx emulated %lx\n", n,
				    start->gpr[n], want.gpr[n], got.gpr[n]);
		print_error("flags before %lx processor %lx emulated %lx\n", start->rflags,
			    want.rflags, got.rflags);
		fail();
	}
}

/* A random register value, often one at which carries and signs change. */
static u64 interesting(uint64_t *seed)
{
	static const u64 values[] = { 0,	   1,	       2,	   0x7f,
				      0x80,	   0xff,       0x7fff,	   0x8000,
				      0xffff,	   0x7fffffff, 0x80000000, 0xffffffff,
				      0x100000000, ~0UL >> 1,  1UL << 63,  ~0UL };
	u64 r = unit_random(seed);

	return r % 3 ? unit_random(seed) : values[(r >> 8) % ARRAY_SIZE(values)];
}

/* A random encoding of an instruction that accesses memory; true if it decodes. */
static bool random_insn(uint64_t *seed, u8 *bytes, struct insn *insn)
{
	static const u8 one[] = { 0x00, 0x01, 0x08, 0x09, 0x10, 0x11, 0x18, 0x19, 0x20, 0x21, 0x28,
				  0x29, 0x30, 0x31, 0x80, 0x81, 0x83, 0x86, 0x87, 0x88, 0x89, 0xa4,
				  0xa5, 0xaa, 0xab, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff, 0x02, 0x03,
				  0x0a, 0x0b, 0x12, 0x13, 0x1a, 0x1b, 0x22, 0x23, 0x2a, 0x2b, 0x32,
				  0x33, 0x38, 0x39, 0x3a, 0x3b, 0x84, 0x85, 0x8a, 0x8b };
	static const u8 two[] = { 0xa3, 0xab, 0xb0, 0xb1, 0xb3, 0xb6, 0xb7, 0xba,
				  0xbb, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xc7 };
	u64 r = unit_random(seed);
	size_t n = 0;

	if (r & 1)
		bytes[n++] = 0x66;
	if ((r & 6) == 6)
		bytes[n++] = 0x67;
	if ((r & 0x18) == 0x18)
		bytes[n++] = 0xf0;
	else if (r & 0x10)
		bytes[n++] = 0xf3;
	if (r & 0x20)
		bytes[n++] = 0x40 | (u8)(r >> 8 & 15);
	if (r & 0xc0) {
		bytes[n++] = one[(r >> 16) % ARRAY_SIZE(one)];
	} else {
		bytes[n++] = 0x0f;
		bytes[n++] = two[(r >> 16) % ARRAY_SIZE(two)];
	}
	for (; n < INSN_MAX_BYTES; n++)
		bytes[n] = (u8)unit_random(seed);
	return !insn_decode(insn, bytes, INSN_MAX_BYTES, INSN_MODE_64) && insn_is_executable(insn);
}

/* Sets one register so that the operand lies in the middle of the area; false if no single register
 * can do that. */
static bool aim(const struct insn *insn, struct insn_regs *regs, uint64_t *seed)
{
	u64 target = (u64)area + AREA / 2 + unit_random(seed) % WINDOW;

	if (insn->op == INSN_STOS || insn->op == INSN_MOVS) {
		regs->gpr[INSN_RDI] = target;
		regs->gpr[INSN_RSI] = (u64)area + AREA / 2 + unit_random(seed) % WINDOW;
		regs->gpr[INSN_RCX] = unit_random(seed) % 9;
		return true;
	}
	if (insn->operand_bytes == 16)
		target &= ~15UL;
	if (insn->base == INSN_NO_REG)
		return false;
	regs->gpr[insn->base] += target - insn_effective_address(insn, regs);
	return insn_effective_address(insn, regs) == target;
}

static void executes_as_the_processor_does(void **state)
{
	uint64_t seed = UNIT_SEED;
	unsigned int seen[256] = { 0 }, seen_to_reg[256] = { 0 };
	u8 bytes[INSN_MAX_BYTES];
	struct insn insn;

	for (unsigned int done = 0; done < 250000;) {
		struct insn_regs regs = { .rip = 0x1000 };

		if (!random_insn(&seed, bytes, &insn))
			continue;
		for (int n = 0; n < 16; n++)
			regs.gpr[n] = interesting(&seed);
		regs.rflags = 0x202 | (unit_random(&seed) & FLAGS_ARITH);
		if (insn.op == INSN_STOS || insn.op == INSN_MOVS)
			regs.rflags |= unit_random(&seed) & FLAG_DF;
		if (!aim(&insn, &regs, &seed))
			continue;
		for (int i = 0; i < AREA; i += 8) {
			/* Now and then a value with which a compare-exchange succeeds. */
			u64 v = unit_random(&seed) % 4 ? interesting(&seed) :
							 regs.gpr[i & 8 ? INSN_RDX : INSN_RAX];

			memcpy(area + i, &v, 8);
		}
		if (insn.op == INSN_CMPXCHG || insn.op == INSN_CMPXCHG8B) {
			u8 *operand = (u8 *)insn_effective_address(&insn, &regs);

			if (unit_random(&seed) & 1)
				memcpy(operand, &regs.gpr[INSN_RAX],
				       insn.op == INSN_CMPXCHG || insn.operand_bytes == 16 ? 8 : 4);
			if (insn.op == INSN_CMPXCHG8B && unit_random(&seed) % 4)
				memcpy(operand + insn.operand_bytes / 2, &regs.gpr[INSN_RDX],
				       insn.operand_bytes / 2);
		}
		compare(bytes, &insn, &regs);
		(insn.to_reg ? seen_to_reg : seen)[insn.op]++;
		done++;
	}
	for (int op = INSN_MOV; op <= INSN_BT; op++) {
		bool loads = op == INSN_MOVZX || op == INSN_MOVSX;
		bool both = op == INSN_MOV || op == INSN_CMP || (op >= INSN_ADD && op <= INSN_XOR);

		if (!loads && seen[op] < 50)
			fail_msg("operation %d was tried %u times only", op, seen[op]);
		if ((loads || both) && seen_to_reg[op] < 50)
			fail_msg("operation %d to a register was tried %u times only", op,
				 seen_to_reg[op]);
	}
}

static void string_input_moves_its_registers(void **state)
{
	struct insn_regs regs = {
		.rip = 0x100, .gpr = { [INSN_RCX] = 2, [INSN_RSI] = 0x1000, [INSN_RDI] = 0x2000 }
	};
	struct insn i = D64("rep insw");

	assert_false(insn_string_is_done(&i, &regs));
	insn_string_step(&i, &regs);
	assert_true(regs.gpr[INSN_RDI] == 0x2002 && regs.gpr[INSN_RSI] == 0x1000 &&
		    regs.gpr[INSN_RCX] == 1);
	assert_int_equal(regs.rip, 0x100);
	insn_string_step(&i, &regs);
	assert_int_equal(regs.rip, 0x100 + i.length);
	assert_true(insn_string_is_done(&i, &regs));
	regs.rflags = FLAG_DF;
	i = D64("outsb");
	insn_string_step(&i, &regs);
	assert_int_equal(regs.gpr[INSN_RSI], 0xfff);
}

static void bit_strings_reach_around_their_operand(void **state)
{
	struct insn_regs regs = { .gpr = { [INSN_RBX] = 0x1000 } };
	struct insn i = D64("btsq %%rax, (%%rbx)");

	regs.gpr[INSN_RAX] = 64 * 3 + 5;
	assert_int_equal(insn_effective_address(&i, &regs), 0x1018);
	regs.gpr[INSN_RAX] = (u64)-1;
	assert_int_equal(insn_effective_address(&i, &regs), 0xff8);
	i = D64("btsl %%eax, (%%rbx)");
	regs.gpr[INSN_RAX] = 0xffffffff;
	assert_int_equal(insn_effective_address(&i, &regs), 0xffc);
	i = D64("btsl $35, (%%rbx)");
	assert_int_equal(insn_effective_address(&i, &regs), 0x1000);
}

static void random_bytes_do_no_harm(void **state)
{
	uint64_t seed = UNIT_SEED;

	for (int round = 0; round < 400000; round++) {
		size_t size = unit_random(&seed) % 40;
		u8 *bytes = malloc(size);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (u8)unit_random(&seed);
		if (size && round % 2)
			bytes[0] = 0x0f;
		if (size > 1 && round % 4 == 2)
			bytes[0] = 0x66 + (u8)(round / 4 % 2);
		LLVMFuzzerTestOneInput(bytes, size);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_input_and_output),
		cmocka_unit_test(decodes_control_and_debug_registers),
		cmocka_unit_test(decodes_the_other_privileged_ones),
		cmocka_unit_test(decodes_the_forced_emulation_prefix),
		cmocka_unit_test(computes_effective_addresses),
		cmocka_unit_test(computes_16_bit_addresses),
		cmocka_unit_test(measures_instructions_that_exit),
		cmocka_unit_test(refuses_what_is_not_in_the_table),
		cmocka_unit_test(refuses_what_the_processor_refuses),
		cmocka_unit_test(every_truncation_asks_for_more),
		cmocka_unit_test(executes_as_the_processor_does),
		cmocka_unit_test(string_input_moves_its_registers),
		cmocka_unit_test(bit_strings_reach_around_their_operand),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, make_areas, NULL);
}
