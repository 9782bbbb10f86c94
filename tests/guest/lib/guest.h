/* SPDX-License-Identifier: MIT */
/*
 * The library of the micro-guests. A micro-guest is a PV kernel of a few kilobytes that proves one
 * behaviour and prints the result.
 *
 * A test is one file that defines test_main(). It runs as Domain-0, alone on the hypervisor, and so
 * starts in a second. It must pass on our hypervisor and on Debian's Xen. It ends by returning
 * (success), or by guest_fail(), guest_skip() or guest_error().
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __XEN_INTERFACE_VERSION__ 0x00040d00
#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define PAGE_SIZE 4096UL

void test_main(void);

/* --- results --- */
void guest_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Ends the test: the hypervisor behaves wrongly. */
void guest_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Ends the test: this machine or hypervisor lacks what is tested. */
void guest_skip(const char *why) __attribute__((noreturn));
/* Ends the test: it could not be carried out. */
void guest_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#define EXPECT(cond)                                                                  \
	do {                                                                          \
		if (!(cond))                                                          \
			guest_fail("%s:%d: not true: %s", __FILE__, __LINE__, #cond); \
	} while (0)
/* Compares the expression with `want` as signed numbers. */
#define EXPECT_EQ(expr, want)                                                                     \
	do {                                                                                      \
		long got_ = (long)(expr), want_ = (long)(want);                                   \
		if (got_ != want_)                                                                \
			guest_fail("%s:%d: %s is %ld (%#lx), not %ld (%#lx)", __FILE__, __LINE__, \
				   #expr, got_, got_, want_, want_);                              \
	} while (0)

/* Error numbers of hypercalls. */
enum {
#define XEN_ERRNO(name, value) X##name = value,
#include <xen/errno.h>
};

/* --- hypercalls --- */
static inline long hypercall5(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
			      unsigned long a4, unsigned long a5)
{
	register unsigned long r10 __asm__("r10") = a4;
	register unsigned long r8 __asm__("r8") = a5;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 : "a"((unsigned long)nr)
			 : "rcx", "r11", "memory");
	return ret;
}
#define hc0(nr)	      hypercall5(nr, 0, 0, 0, 0, 0)
#define hc1(nr, a)    hypercall5(nr, (unsigned long)(a), 0, 0, 0, 0)
#define hc2(nr, a, b) hypercall5(nr, (unsigned long)(a), (unsigned long)(b), 0, 0, 0)
#define hc3(nr, a, b, c) \
	hypercall5(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), 0, 0)
#define hc4(nr, a, b, c, d)                                                        \
	hypercall5(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), \
		   (unsigned long)(d), 0)

/* --- this guest --- */
extern start_info_t *start_info;
extern shared_info_t *shared_info; /* mapped before test_main */

/* This domain's id, as other domains know it. */
domid_t own_domid(void);

/* Machine frames; va may be any address in the image's .bss. */
unsigned long virt_to_mfn(const void *va);
unsigned long pfn_to_mfn(unsigned long pfn);
/* The address, in the start-of-day mapping (read-only), of the table entry of this level (1 to 4)
 * that maps va. */
uint64_t *entry_of(const void *va, unsigned int level);
/* For mmu_update: the machine address of such an entry; of the L1 entry that maps va. */
uint64_t entry_maddr(const uint64_t *entry);
uint64_t l1_entry_maddr(const void *va);
/* Remaps va to read-only or back. */
void set_writable(void *va, bool writable);
/* An unused page, mapped read-write. There are GUEST_PAGES of them. */
#define GUEST_PAGES 64
void *page_take(void);

/* --- exceptions --- */
struct guest_regs {
	unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	unsigned long vector, error_code;
	unsigned long rip, cs, rflags, rsp, ss;
};
/*
 * Called for every exception; the test changes the registers to continue elsewhere. NULL: any
 * exception is an error of the test.
 */
extern void (*guest_exception)(struct guest_regs *regs);
/* The number after `name` ("seed=") in the command line; `otherwise` without one. */
unsigned long guest_option(const char *name, unsigned long otherwise);
/* Entry points for upcalls and failed returns (start.S). */
extern const char event_entry[], failsafe_entry[];
/* Installs the handlers. Done before test_main(); call it again after they were changed. */
void guest_install_traps(void);
/* Called for each upcall. Afterwards events are enabled again as they were before. */
extern void (*guest_event)(struct guest_regs *regs);

/* Runs one asm statement; its value is the vector of the exception that it raised, or -1. */
#define CATCH(asm_text, ...)                                                                 \
	({                                                                                   \
		catch_vector = -1;                                                           \
		__asm__ volatile(                                                            \
			"leaq 9f(%%rip), %%rcx\n\tmovq %%rcx, catch_rip(%%rip)\n\t" asm_text \
			"\n9:\n\tmovq $0, catch_rip(%%rip)"                                  \
			:                                                                    \
			: __VA_ARGS__                                                        \
			: "rax", "rcx", "rdx", "r11", "memory", "cc");                       \
		catch_vector;                                                                \
	})
extern unsigned long catch_rip, catch_error, catch_cr2;
extern long catch_vector;

/* --- small things --- */
void *memset(void *p, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (uint64_t)hi << 32;
}
/* Nanoseconds since the hypervisor booted, from vCPU 0's time record. */
uint64_t system_time(void);
void events_enable(void);
void events_disable(void);

#endif
