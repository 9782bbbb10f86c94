/* SPDX-License-Identifier: MIT */
/*
 * The library of the micro-guests in PVH form: kernels of a few kilobytes for guests under hardware
 * virtualization. Each is one file with a pvh_test(); `xl create` starts it, and its last console
 * line says RESULT success, or RESULT failure and why. Each must pass on our hypervisor and on
 * Debian's Xen. They run in 64-bit mode with the first 4 GiB mapped 1:1.
 */
#ifndef PVH_H
#define PVH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __XEN_INTERFACE_VERSION__ 0x00040d00
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/arch-x86/hvm/start_info.h>

#define PAGE_SIZE 4096UL

void pvh_test(void);

void pvh_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void pvh_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void pvh_done(void) __attribute__((noreturn));

#define EXPECT(cond)                                                                \
	do {                                                                        \
		if (!(cond))                                                        \
			pvh_fail("%s:%d: not true: %s", __FILE__, __LINE__, #cond); \
	} while (0)
#define EXPECT_EQ(expr, want)                                                                   \
	do {                                                                                    \
		long got_ = (long)(expr), want_ = (long)(want);                                 \
		if (got_ != want_)                                                              \
			pvh_fail("%s:%d: %s is %ld (%#lx), not %ld (%#lx)", __FILE__, __LINE__, \
				 #expr, got_, got_, want_, want_);                              \
	} while (0)

enum {
#define XEN_ERRNO(name, value) X##name = value,
#include <xen/errno.h>
};

/* --- hypercalls; by the other vendor's instruction if use_vmcall says so --- */
static inline long hypercall5(unsigned long nr, unsigned long a1, unsigned long a2,
			      unsigned long a3, unsigned long a4, unsigned long a5)
{
	register unsigned long r10 __asm__("r10") = a4;
	register unsigned long r8 __asm__("r8") = a5;
	long ret;

	__asm__ volatile("vmmcall"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 : "a"(nr)
			 : "memory");
	return ret;
}
#define hc1(nr, a)    hypercall5(nr, (unsigned long)(a), 0, 0, 0, 0)
#define hc2(nr, a, b) hypercall5(nr, (unsigned long)(a), (unsigned long)(b), 0, 0, 0)
#define hc3(nr, a, b, c) \
	hypercall5(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), 0, 0)

/* --- the processor --- */
struct cpuid_regs {
	uint32_t a, b, c, d;
};
static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}
static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (uint64_t)hi << 32;
}

/* As the assembler pushes it. */
struct frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
/*
 * Called for each exception and interrupt; a vector without a handler fails the test. *at sets one.
 */
typedef void handler_t(struct frame *f);
extern handler_t *pvh_handler[256];

/* 0, or 1 + the vector of the exception that the access raised; no exception handler is needed. */
int rdmsr_safe(uint32_t msr, uint64_t *value);
int wrmsr_safe(uint32_t msr, uint64_t value);
static inline uint64_t rdmsr(uint32_t msr)
{
	uint64_t v = 0;

	EXPECT_EQ(rdmsr_safe(msr, &v), 0);
	return v;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
	EXPECT_EQ(wrmsr_safe(msr, v), 0);
}

extern struct shared_info *shared_info; /* mapped before pvh_test */
extern const struct hvm_start_info *start_info;
uint64_t hvm_param(uint32_t index);
/* Events come by this vector, with interrupts on. */
void set_callback_vector(uint8_t vector);
/* 1 if the command line has the word. */
bool pvh_option(const char *word);

#endif
