/* SPDX-License-Identifier: MIT */
/* Prints backtraces and registers, with names from the image's table of symbols. */
#include "x86/cpu/backtrace.h"

#include "hv/arch/cpu.h"
#include "hv/console.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/regs.h"

/*
 * The first link of the image has an empty table; the table of the second and later links is right.
 */
extern const u32 symbol_count, symbol_offsets[], symbol_names[];
extern const char symbol_strings[], _start[], _etext[], _sinittext[], _einittext[];

#define MAX_DEPTH   32
#define MAX_GUESSES 24

#ifdef HV_DEBUG
#define HAVE_FRAMES true
#else
#define HAVE_FRAMES false
#endif

static bool init_is_gone;

void backtrace_init_gone(void)
{
	init_is_gone = true;
}

static bool is_code(unsigned long addr)
{
	const char *p = (const char *)addr;

	return (p >= _start && p < _etext) || (!init_is_gone && p >= _sinittext && p < _einittext);
}

const char *symbol_lookup(unsigned long addr, unsigned long *offset)
{
	u32 where, lo = 0, hi = symbol_count;

	if (!is_code(addr) || !symbol_count)
		return NULL;
	where = (u32)(addr - (unsigned long)_start);
	while (hi - lo > 1) {
		u32 mid = lo + (hi - lo) / 2;

		if (symbol_offsets[mid] <= where)
			lo = mid;
		else
			hi = mid;
	}
	if (symbol_offsets[lo] > where)
		return NULL;
	*offset = where - symbol_offsets[lo];
	return symbol_strings + symbol_names[lo];
}

static void print_code(unsigned long addr, const char *mark)
{
	unsigned long offset = 0;
	const char *name = symbol_lookup(addr, &offset);

	if (name)
		log_err("  %s%016lx %s+%#lx", mark, addr, name, offset);
	else
		log_err("  %s%016lx", mark, addr);
}

/*
 * The end of the run of stack pages that `sp` points into. A stack never leaves its pages, so
 * reading up to the end touches nothing unmapped.
 */
static unsigned long stack_end(unsigned long sp)
{
	unsigned long base = sp & ~(STACK_STRIDE - 1), page = (sp - base) / PAGE_SIZE;

	if (page >= STACK_PRIMARY_PAGE)
		return base + STACK_STRIDE - sizeof(struct cpu_info);
	return base + (page + 1) * PAGE_SIZE;
}

static bool is_our_stack(unsigned long sp)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return !(sp & 7) && (sp & ~(STACK_STRIDE - 1)) == (here & ~(STACK_STRIDE - 1));
}

static void walk_frames(unsigned long rbp)
{
	for (unsigned int depth = 0; depth < MAX_DEPTH && is_our_stack(rbp); depth++) {
		const unsigned long *frame = (const unsigned long *)rbp;

		if (rbp + 16 > stack_end(rbp) || !is_code(frame[1]))
			break;
		print_code(frame[1], "");
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

/* Is `addr` right behind a CALL: E8 rel32, or FF /2 of two to seven bytes? */
static bool follows_call(unsigned long addr)
{
	const u8 *p = (const u8 *)addr;

	if (!is_code(addr) || !is_code(addr - 7))
		return false;
	if (p[-5] == 0xe8)
		return true;
	for (int n = 2; n <= 7; n++)
		if (p[-n] == 0xff && (p[-n + 1] & 0x38) == 0x10)
			return true;
	return false;
}

static void scan_stack(unsigned long rsp)
{
	unsigned int found = 0;

	for (unsigned long end = stack_end(rsp); rsp + 8 <= end && found < MAX_GUESSES; rsp += 8) {
		unsigned long word = *(const unsigned long *)rsp;

		if (!follows_call(word))
			continue;
		print_code(word, "? ");
		found++;
	}
}

void backtrace_print(unsigned long rip, unsigned long rsp, unsigned long rbp)
{
	log_err("backtrace:");
	print_code(rip, "");
	if (!is_our_stack(rsp & ~7UL))
		return;
	if (HAVE_FRAMES)
		walk_frames(rbp);
	else
		scan_stack(ROUND_UP(rsp, 8UL));
}

void backtrace_regs(const struct cpu_user_regs *r)
{
	log_err("rip %04x:%016lx rsp %04x:%016lx rflags %08lx error %#x vector %#x", r->cs, r->rip,
		r->ss, r->rsp, r->rflags, r->error_code, r->entry_vector);
	log_err("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log_err("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log_err("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log_err("r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
	log_err("cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx", read_cr0(), read_cr2(), read_cr3(),
		read_cr4());
	if (!guest_mode(r))
		backtrace_print(r->rip, r->rsp, r->rbp);
}

void arch_backtrace(void)
{
	/*
	 * A function that takes its frame's address has a frame, which holds the caller's RBP and
	 * the return address.
	 */
	const unsigned long *frame = __builtin_frame_address(0);

	backtrace_print(frame[1], (unsigned long)(frame + 2), frame[0]);
}
