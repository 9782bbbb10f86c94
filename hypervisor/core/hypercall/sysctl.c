/* SPDX-License-Identifier: MIT */
/*
 * The hypercall sysctl: control operations on the whole system (xen/sysctl.h). An operation without
 * a row goes to arch_sysctl, which returns -ENOSYS if nobody knows it.
 */
#include "core/hypercall/sysctl.h"

#include "hv/arch/control.h"
#include "hv/hypercall_handlers.h"
#include "core/hypercall/control.h"
#include "lib/errno.h"

/*
 * One operation at a time, as tools expect: an operation sees what the one before it has set.
 * Trylock and restart, as for a domctl.
 */
static DEFINE_SPINLOCK(sysctl_lock, LOCK_DOMCTL);

/*
 * Not offered: profiles, trace buffers, live patches, power states, cache allocation, CPU hotplug.
 */
static long sysctl_unsupported(struct xen_sysctl *op)
{
	return -EOPNOTSUPP;
}

#define ROW(op, fn, out) [XEN_SYSCTL_##op] = { fn, out }

static const struct {
	sysctl_fn *fn;
	bool out; /* copy back on success */
} sysctl_ops[] = {
	/* clang-format off: a row each */
	ROW(readconsole, sysctl_readconsole, true),
	ROW(physinfo, sysctl_physinfo, true),
	ROW(sched_id, sysctl_sched_id, true),
	ROW(getdomaininfolist, sysctl_getdomaininfolist, true),
	ROW(debug_keys, sysctl_debug_keys, false),
	ROW(getcpuinfo, sysctl_getcpuinfo, true),
	ROW(availheap, sysctl_availheap, true),
	ROW(cputopoinfo, sysctl_cputopoinfo, true),
	ROW(numainfo, sysctl_numainfo, true),
	ROW(cpupool_op, sysctl_cpupool, true),
	ROW(scheduler_op, sysctl_scheduler, true),
	ROW(pcitopoinfo, sysctl_pcitopoinfo, true),
	ROW(tbuf_op, sysctl_unsupported, false),
	ROW(perfc_op, sysctl_unsupported, false),
	ROW(get_pmstat, sysctl_unsupported, false),
	ROW(cpu_hotplug, sysctl_unsupported, false),
	ROW(pm_op, sysctl_unsupported, false),
	ROW(page_offline_op, sysctl_unsupported, false),
	ROW(lockprof_op, sysctl_unsupported, false),
	ROW(coverage_op, sysctl_unsupported, false),
	ROW(psr_cmt_op, sysctl_unsupported, false),
	ROW(psr_alloc, sysctl_unsupported, false),
	ROW(livepatch_op, sysctl_unsupported, false),
	/* clang-format on */
};

static long sysctl_run(void *arg, bool *copyback)
{
	struct xen_sysctl *op = arg;
	long ret;

	if (op->cmd < ARRAY_SIZE(sysctl_ops) && sysctl_ops[op->cmd].fn) {
		*copyback = sysctl_ops[op->cmd].out;
		ret = sysctl_ops[op->cmd].fn(op);
	} else {
		ret = arch_sysctl(op, copyback);
	}
	*copyback &= ret >= 0;
	return ret;
}

long do_sysctl(unsigned long arg, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5)
{
	static const struct control_call call = {
		.size = sizeof(struct xen_sysctl),
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
		.lock = &sysctl_lock,
		.run = sysctl_run,
	};
	struct xen_sysctl op;

	CHECK_CONTROL_HEADER(struct xen_sysctl);
	return control_op(&call, &op, arg);
}
