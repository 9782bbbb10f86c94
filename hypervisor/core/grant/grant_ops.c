/* SPDX-License-Identifier: MIT */
/*
 * The hypercall grant_table_op: an array of operations of one kind. It may be preempted between two
 * operations, and is then continued with the rest of the array.
 */
#include "core/grant/grant.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/hypercall_handlers.h"
#include "hv/guest_array.h"
#include "lib/errno.h"

static long op_map(struct grant_batch *b, void *op)
{
	grant_map(op);
	return 0;
}

static long op_unmap(struct grant_batch *b, void *arg)
{
	struct gnttab_unmap_grant_ref *op = arg;

	op->status = (s16)grant_unmap(b, op->handle, op->host_addr, op->dev_bus_addr, 0);
	return 0;
}

static long op_unmap_and_replace(struct grant_batch *b, void *arg)
{
	struct gnttab_unmap_and_replace *op = arg;

	/*
	 * grant_unmap takes new_addr 0 for a plain unmap. No mapping that could replace this one is
	 * at address 0.
	 */
	if (op->host_addr && op->new_addr)
		op->status = (s16)grant_unmap(b, op->handle, op->host_addr, 0, op->new_addr);
	else
		op->status = GNTST_bad_virt_addr;
	return 0;
}

static long op_copy(struct grant_batch *b, void *op)
{
	grant_copy(b, op);
	return 0;
}

/* The domain that an operation names, with a reference. NULL: *status says why. */
static struct domain *target(domid_t id, s16 *status)
{
	struct domain *d;
	int err = 0;

	d = hypercall_target(id, &err);
	if (d && d->grants)
		return d;
	if (d)
		domain_put(d);
	*status = err == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
	return NULL;
}

static long op_setup_table(struct grant_batch *b, void *arg)
{
	struct gnttab_setup_table *op = arg;
	struct domain *d = target(op->dom, &op->status);
	long ret = 0;

	if (!d)
		return 0;
	op->status = op->nr_frames > d->grants->max_frames ? GNTST_general_error : GNTST_okay;
	/*
	 * Grow frame by frame and check for preemption: a large growth must not delay events. A
	 * repeated call does not repeat what is done.
	 */
	for (u32 n = READ_ONCE(d->grants->nr_frames); op->status == GNTST_okay && n < op->nr_frames;
	     n++) {
		if (grant_grow(d, n + 1)) {
			op->status = GNTST_general_error;
		} else if (hypercall_preempt_check()) {
			domain_put(d);
			return -ERESTART;
		}
	}
	for (u32 i = 0; op->status == GNTST_okay && i < op->nr_frames; i++) {
		xen_pfn_t pfn;
		mfn_t mfn;

		if (grant_get_shared_frame(d, i, &mfn)) {
			op->status = GNTST_general_error;
			break;
		}
		/* Such a domain maps the frames by add_to_physmap; before that they have no number.
		 */
		pfn = guest_frames_are_machine(d) ? mfn_x(mfn) : m2p_get(mfn);
		if (copy_to_guest_offset(op->frame_list, i, &pfn, 1)) {
			op->status = GNTST_bad_virt_addr;
			ret = -EFAULT;
		}
	}
	domain_put(d);
	return ret;
}

static long op_query_size(struct grant_batch *b, void *arg)
{
	struct gnttab_query_size *op = arg;
	struct domain *d;

	op->nr_frames = op->max_nr_frames = 0;
	d = target(op->dom, &op->status);
	if (!d)
		return 0;
	op->nr_frames = READ_ONCE(d->grants->nr_frames);
	op->max_nr_frames = d->grants->max_frames;
	op->status = GNTST_okay;
	domain_put(d);
	return 0;
}

static long op_set_version(struct grant_batch *b, void *arg)
{
	struct gnttab_set_version *op = arg;
	long ret = op->version == 1 ? 0 : op->version == 2 ? -EOPNOTSUPP : -EINVAL;

	op->version = 1;
	return ret;
}

static long op_get_version(struct grant_batch *b, void *arg)
{
	struct gnttab_get_version *op = arg;
	struct domain *d;
	int err;

	d = hypercall_target(op->dom, &err);
	if (!d)
		return err;
	domain_put(d);
	op->version = 1;
	return 0;
}

static long op_swap(struct grant_batch *b, void *arg)
{
	struct gnttab_swap_grant_ref *op = arg;

	op->status = (s16)grant_swap(current->domain, op->ref_a, op->ref_b);
	return 0;
}

/* Not offered. This status tells the caller that it still owns the frame (xen/grant_table.h). */
static long op_transfer(struct grant_batch *b, void *arg)
{
	struct gnttab_transfer *op = arg;

	op->status = GNTST_bad_page;
	return 0;
}

/* Not offered. */
static long op_dump_table(struct grant_batch *b, void *arg)
{
	struct gnttab_dump_table *op = arg;

	op->status = GNTST_permission_denied;
	return 0;
}

/* Tables of version 1 have no status frames. */
static long op_get_status_frames(struct grant_batch *b, void *arg)
{
	struct gnttab_get_status_frames *op = arg;

	op->status = GNTST_general_error;
	return 0;
}

/* An operation without a function (cache maintenance) is not supported. */
static const struct {
	long (*fn)(struct grant_batch *b, void *op);
	u16 size;
	bool single; /* count must be 1 */
} grant_ops[] = {
	[GNTTABOP_map_grant_ref] = { op_map, sizeof(struct gnttab_map_grant_ref), false },
	[GNTTABOP_unmap_grant_ref] = { op_unmap, sizeof(struct gnttab_unmap_grant_ref), false },
	[GNTTABOP_setup_table] = { op_setup_table, sizeof(struct gnttab_setup_table), true },
	[GNTTABOP_dump_table] = { op_dump_table, sizeof(struct gnttab_dump_table), true },
	[GNTTABOP_transfer] = { op_transfer, sizeof(struct gnttab_transfer), false },
	[GNTTABOP_copy] = { op_copy, sizeof(struct gnttab_copy), false },
	[GNTTABOP_query_size] = { op_query_size, sizeof(struct gnttab_query_size), true },
	[GNTTABOP_unmap_and_replace] = { op_unmap_and_replace,
					 sizeof(struct gnttab_unmap_and_replace), false },
	[GNTTABOP_set_version] = { op_set_version, sizeof(struct gnttab_set_version), true },
	[GNTTABOP_get_status_frames] = { op_get_status_frames,
					 sizeof(struct gnttab_get_status_frames), true },
	[GNTTABOP_get_version] = { op_get_version, sizeof(struct gnttab_get_version), true },
	[GNTTABOP_swap_grant_ref] = { op_swap, sizeof(struct gnttab_swap_grant_ref), false },
	[GNTTABOP_cache_flush] = { NULL, 0, false },
};
#define GRANT_OP_MAX_SIZE 64

struct grant_call {
	struct grant_batch batch;
	unsigned long cmd;
};

static long run_one(void *ctx, void *op, char __guest *where)
{
	struct grant_call *call = ctx;
	long ret = grant_ops[call->cmd].fn(&call->batch, op);

	return copy_to_guest(where, op, grant_ops[call->cmd].size) ? -EFAULT : ret;
}

static __flatten long run_ops(struct guest_array *ops, unsigned long cmd)
{
	u64 op[GRANT_OP_MAX_SIZE / sizeof(u64)];
	struct grant_call call;
	long ret;

	call.cmd = cmd;
	call.batch.nr = 0;
	call.batch.stale = false;
	call.batch.source.held = call.batch.dest.held = false;
	ret = guest_array_run(ops, op, grant_ops[cmd].size, 1, run_one, &call);
	grant_unmap_finish(&call.batch);
	grant_copy_finish(&call.batch);
	return ret;
}

long do_grant_table_op(unsigned long cmd, unsigned long list, unsigned long count, unsigned long a3,
		       unsigned long a4, unsigned long a5)
{
	struct guest_array ops = { (char __guest *)list, (u32)count };
	long ret;

	_Static_assert(sizeof(struct gnttab_copy) <= GRANT_OP_MAX_SIZE, "the largest operation");
	if ((int)ops.left < 0)
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(grant_ops))
		return -ENOSYS;
	cmd = index_below(cmd, ARRAY_SIZE(grant_ops));
	if (!grant_ops[cmd].fn)
		return -EOPNOTSUPP;
	if (grant_ops[cmd].single && ops.left != 1)
		return -EINVAL;
	ret = run_ops(&ops, cmd);
	if (ret == -ERESTART) {
		hypercall_set_arg(1, (__force unsigned long)ops.next);
		hypercall_set_arg(2, ops.left);
	}
	return ret;
}
