/* SPDX-License-Identifier: MIT */
/*
 * The hypercall sysctl: control operations on the whole system (xen/sysctl.h). An operation without
 * a row goes to arch_sysctl, which returns -ENOSYS if nobody knows it.
 */
#include "core/hypercall/sysctl.h"

#include "hv/hypercall_handlers.h"
#include "hv/arch.h"
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

static long sysctl_run(struct xen_sysctl *op, bool *copyback)
{
	if (op->cmd >= ARRAY_SIZE(sysctl_ops) || !sysctl_ops[op->cmd].fn)
		return arch_sysctl(op, copyback);
	*copyback = sysctl_ops[op->cmd].out;
	return sysctl_ops[op->cmd].fn(op);
}

long do_sysctl(unsigned long arg, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5)
{
	void __guest *guest_op = (void __guest *)arg;
	struct xen_sysctl op;
	bool copyback = false;
	long ret;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest(&op, guest_op, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (!spin_trylock(&sysctl_lock))
		return -ERESTART;
	ret = sysctl_run(&op, &copyback);
	spin_unlock(&sysctl_lock);
	if (copyback && ret >= 0 && copy_to_guest(guest_op, &op, sizeof(op)))
		ret = -EFAULT;
	return ret;
}
