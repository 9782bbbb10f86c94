/* SPDX-License-Identifier: MIT */
/*
 * How a hypercall reaches its handler. hypercalls.tbl is the one table: the build makes
 * hypercall_table.h of it. Sub-operations of a hypercall have a table of struct subop;
 * subop_dispatch copies the argument in, checks who may call, calls the handler and copies the
 * result back, so that a handler does only its work.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include "hv/domain.h"
#include "lib/types.h"

/* Every handler: up to six argument registers; returns a value or -errno, or -ERESTART to be called
 * again. */
typedef long (*hypercall_fn)(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			     unsigned long a4, unsigned long a5);

/*
 * Continuation. A long operation that finds hypercall_preempt_check() true stores how far it came
 * with hypercall_set_arg (or in the guest's own argument struct) and returns -ERESTART: the guest
 * runs the same hypercall again with these arguments. Inside a multicall the entry's arguments are
 * rewritten and the multicall itself continues.
 */
void hypercall_set_arg(unsigned int index, unsigned long value);
bool hypercall_preempt_check(void);

enum call_access {
	CALL_ANY,  /* any domain */
	CALL_DOM0, /* the privileged domain */
};

enum {
	SUBOP_OUT = 1, /* copy the argument back to the guest when the handler succeeded (>= 0) or
			  says -ERESTART */
};

struct subop {
	long (*fn)(void *arg); /* arg: a private copy of `size` bytes; 0 or positive on success,
				  -errno */
	u16 size;	       /* bytes of the argument structure; 0: no argument, fn gets NULL */
	u8 access;	       /* enum call_access */
	u8 flags;
};
#define SUBOP_MAX_SIZE 256
/* -ENOSYS for an operation that has no row, -EPERM when the caller may not, -EFAULT, or what the
 * handler returns. */
long subop_dispatch(const struct subop *table, unsigned int rows, unsigned int op,
		    void __guest *arg);

/*
 * The domain that `id` names for the current one: DOMID_SELF, itself, or (privileged) another. With
 * a reference: domain_put. NULL with *err = -ESRCH or -EPERM.
 */
struct domain *hypercall_target(unsigned int id, int *err);

/* --- for the entry code --- */

#define HYPERCALL_NR_END   64
#define SYSCALL_INSN_BYTES 2
/* By number, those that every domain may call. NULL: hypercall_dispatch looks closer. */
extern const hypercall_fn hypercall_direct[HYPERCALL_NR_END];
/* The hypercall that the guest's registers say: its result, or -ERESTART. */
long hypercall_dispatch(struct cpu_user_regs *regs);

#endif
