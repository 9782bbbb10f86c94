/* SPDX-License-Identifier: MIT */
/*
 * How a hypercall reaches its handler. The build generates hypercall_table.h from the one table,
 * hypercalls.tbl. The sub-operations of a hypercall have a table of struct subop: subop_dispatch
 * checks who may call, copies the argument in, calls the handler and copies the result back.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include "hv/domain.h"
#include "lib/types.h"

/*
 * Every handler takes up to six argument registers. It returns a value or -errno; -ERESTART: the
 * guest must repeat the call.
 */
typedef long (*hypercall_fn)(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			     unsigned long a4, unsigned long a5);

/*
 * Continuation. A long operation that finds hypercall_preempt_check() true stores its progress with
 * hypercall_set_arg (or in the guest's own argument struct) and returns -ERESTART. The guest then
 * runs the same hypercall again with these arguments. In a multicall, hypercall_set_arg rewrites
 * the arguments of the entry, and the multicall itself is continued.
 */
void hypercall_set_arg(unsigned int index, unsigned long value);
bool hypercall_preempt_check(void);

enum call_access {
	CALL_ANY,  /* any domain */
	CALL_DOM0, /* the privileged domain */
};

enum {
	/* Copy the argument back to the guest when the handler returns >= 0 or -ERESTART. */
	SUBOP_OUT = 1,
};

struct subop {
	/* arg: a private copy of `size` bytes. Returns 0 or more on success, or -errno. */
	long (*fn)(void *arg);
	/* Bytes of the argument structure; 0: no argument, fn gets NULL. */
	u16 size;
	u8 access; /* enum call_access */
	u8 flags;
};
#define SUBOP_MAX_SIZE 256
/*
 * -ENOSYS: `op` has no row. -EPERM: the caller may not call it. -EFAULT. Else the handler's result.
 */
long subop_dispatch(const struct subop *table, unsigned int rows, unsigned int op,
		    void __guest *arg);

/*
 * The domain that `id` names, with a reference (domain_put): DOMID_SELF or the current domain's own
 * ID; a privileged domain may name any other. On an error NULL, and *err is -ESRCH or -EPERM.
 */
struct domain *hypercall_target(unsigned int id, int *err);

/* --- for the entry code --- */

#define HYPERCALL_NR_END   64
#define SYSCALL_INSN_BYTES 2
/* By number, the handlers that every domain may call. NULL: hypercall_dispatch decides. */
extern const hypercall_fn hypercall_direct[HYPERCALL_NR_END];
/* Runs the hypercall in the guest's registers: its result, or -ERESTART. */
long hypercall_dispatch(struct cpu_user_regs *regs);
/*
 * For a guest under hardware virtualization. narrow: its code is not 64-bit code. The handler's
 * result; -ENOSYS also for those that such guests do not have.
 */
long hypercall_hvm(unsigned long nr, bool narrow, const unsigned long args[6]);

#endif
