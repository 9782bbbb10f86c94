/* SPDX-License-Identifier: MIT */
/*
 * Dispatch of hypercalls (hypercalls.tbl), their sub-operations, and multicalls.
 *
 * Arguments are in RDI, RSI, RDX, R10, R8, R9 (xen/arch-x86/xen.h). A handler that returns
 * -ERESTART is called again: RIP goes back over the two bytes of the guest's SYSCALL, and the
 * argument registers hold what hypercall_set_arg stored. So all that is due on the way to the guest
 * (a softirq, an event) happens in between, and the hypervisor keeps no state for the guest's
 * return.
 */
#include "hv/hypercall.h"

#include "hv/arch/guest.h"
#include "hv/arch/guest_access.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/guest_array.h"
#include "hv/softirq.h"
#include "hv/speculation.h"
#include "hypercall_table.h"
#include "lib/errno.h"

#define HYPERCALL_DOM0	1 /* for the privileged domain only */
#define HYPERCALL_BATCH 2 /* may be called in a multicall */
/* For guests under hardware virtualization: from 64-bit code, and from other code, too. */
#define HYPERCALL_HVM	4
#define HYPERCALL_HVM32 8

struct hypercall {
	hypercall_fn fn;
	u8 args, flags;
};

#define HYPERCALL_ROW(nr, name, handler, nargs, row_flags) \
	[nr] = { .fn = handler, .args = (nargs), .flags = (row_flags) },
static const struct hypercall hypercalls[HYPERCALL_NR_END] = { HYPERCALL_ROWS(HYPERCALL_ROW) };

#define HYPERCALL_DIRECT_ROW(nr, name, handler, nargs, row_flags) \
	[nr] = HYPERCALL_DOM0 & (row_flags) ? NULL : (handler),
const hypercall_fn hypercall_direct[HYPERCALL_NR_END] = { HYPERCALL_ROWS(HYPERCALL_DIRECT_ROW) };

#define HYPERCALL_CHECK(nr, name, ...) _Static_assert((nr) == __HYPERVISOR_##name, #name);
HYPERCALL_ROWS(HYPERCALL_CHECK)

/*
 * The multicall entry that this CPU executes, or NULL. A handler never leaves its CPU before it
 * returns.
 */
static DEFINE_PER_CPU(struct multicall_entry *, batch_entry);

static inline const struct hypercall *hypercall_lookup(unsigned long nr)
{
	const struct hypercall *h;

	if (unlikely(nr >= HYPERCALL_NR_END))
		return NULL;
	h = &hypercalls[index_below(nr, HYPERCALL_NR_END)];
	return likely(h->fn) ? h : NULL;
}

static inline bool hypercall_permitted(const struct hypercall *h)
{
	return !(h->flags & HYPERCALL_DOM0) || current->domain->is_privileged;
}

long hypercall_dispatch(struct cpu_user_regs *regs)
{
	const struct hypercall *h = hypercall_lookup(regs->rax);

	if (unlikely(!h))
		return -ENOSYS;
	if (unlikely(!hypercall_permitted(h)))
		return -EPERM;
	return h->fn(regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9);
}

long hypercall_hvm(unsigned long nr, bool narrow, const unsigned long args[6])
{
	const struct hypercall *h = hypercall_lookup(nr);

	if (unlikely(!h || !(h->flags & (narrow ? HYPERCALL_HVM32 : HYPERCALL_HVM))))
		return -ENOSYS;
	if (unlikely(!hypercall_permitted(h)))
		return -EPERM;
	return h->fn(args[0], args[1], args[2], args[3], args[4], args[5]);
}

void hypercall_set_arg(unsigned int index, unsigned long value)
{
	struct multicall_entry *batch = this_cpu(batch_entry);

	if (batch)
		batch->args[index] = value;
	else
		arch_hypercall_set_arg(index, value);
}

bool hypercall_preempt_check(void)
{
	return unlikely(softirq_is_pending()) || unlikely(vcpu_event_deliverable(current));
}

static long call_entry(struct multicall_entry *e)
{
	const struct hypercall *h = hypercall_lookup(e->op);
	long ret;

	if (!h || !(h->flags & HYPERCALL_BATCH))
		return -ENOSYS;
	if (!hypercall_permitted(h))
		return -EPERM;
	this_cpu(batch_entry) = e;
	ret = h->fn(e->args[0], e->args[1], e->args[2], e->args[3], e->args[4], e->args[5]);
	this_cpu(batch_entry) = NULL;
	return ret;
}

/* Only the entry's result is written, or its arguments if the handler was preempted. */
static long multicall_one(void *unused, void *entry, char __guest *where)
{
	struct multicall_entry __guest *guest_entry = (struct multicall_entry __guest *)where;
	struct multicall_entry *e = entry;
	long ret = call_entry(e);

	e->result = (unsigned long)ret;
	if (ret == -ERESTART)
		return copy_to_guest(&guest_entry->args, e->args, sizeof(e->args)) ? -EFAULT : ret;
	return copy_to_guest(&guest_entry->result, &e->result, sizeof(e->result)) ? -EFAULT : 0;
}

/*
 * Runs the hypercalls of an array in order. A continuation runs the rest of the array. -EFAULT ends
 * the multicall.
 */
long do_multicall(unsigned long list, unsigned long count, unsigned long a2, unsigned long a3,
		  unsigned long a4, unsigned long a5)
{
	struct guest_array calls = { (char __guest *)list, (u32)count };
	struct multicall_entry e;
	long ret = guest_array_run(&calls, &e, sizeof(e), 1, multicall_one, NULL);

	if (ret == -ERESTART) {
		hypercall_set_arg(0, (__force unsigned long)calls.next);
		hypercall_set_arg(1, calls.left);
	}
	return ret;
}

/* Not inline: a sub-operation without argument needs neither the room nor the registers. */
static noinline long call_with_copy(const struct subop *row, void __guest *arg)
{
	u64 copy[SUBOP_MAX_SIZE / sizeof(u64)];
	long ret;

	BUG_ON(row->size > sizeof(copy));
	if (copy_from_guest(copy, arg, row->size))
		return -EFAULT;
	ret = row->fn(copy);
	if ((row->flags & SUBOP_OUT) && (ret >= 0 || ret == -ERESTART) &&
	    copy_to_guest(arg, copy, row->size))
		return -EFAULT;
	return ret;
}

long subop_dispatch(const struct subop *table, unsigned int rows, unsigned int op,
		    void __guest *arg)
{
	const struct subop *row;

	if (op >= rows)
		return -ENOSYS;
	row = &table[index_below(op, rows)];
	if (!row->fn)
		return -ENOSYS;
	if (row->access == CALL_DOM0 && !current->domain->is_privileged)
		return -EPERM;
	return row->size ? call_with_copy(row, arg) : row->fn(NULL);
}

struct domain *hypercall_target(unsigned int id, int *err)
{
	struct domain *d = current->domain;

	if (id == DOMID_SELF || id == d->id) {
		if (domain_get(d))
			return d;
	} else if (!d->is_privileged) {
		*err = -EPERM;
		return NULL;
	} else if (id < DOMID_FIRST_RESERVED) {
		d = domain_get_by_id((domid_t)id);
		if (d)
			return d;
	}
	*err = -ESRCH;
	return NULL;
}
