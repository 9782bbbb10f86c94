/* SPDX-License-Identifier: MIT */
/* The hypercall vcpu_op (xen/vcpu.h): how a domain manages its own vCPUs. */
#include "hv/hypercall_handlers.h"

#include "hv/vcpu_timer.h"
#include "hv/arch/control.h"
#include "hv/arch/guest.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/frame.h"
#include "hv/hv_heap.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"

/* -EEXIST: v has a context already. -ERESTART: the guest repeats the call. */
static long op_initialise(struct vcpu *v, void __guest *guest)
{
	struct domain *d = v->domain;
	vcpu_guest_context_t *ctx;
	long ret = -EFAULT;

	ctx = hv_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	if (!copy_from_guest(ctx, guest, sizeof(*ctx))) {
		/* VCPUOP_up starts v, not this call. */
		ctx->flags &= ~(unsigned long)VGCF_online;
		spin_lock(&d->lock);
		ret = v->is_initialised ? -EEXIST : vcpu_set_context(v, ctx);
		spin_unlock(&d->lock);
	}
	hv_free(ctx);
	return ret;
}

static long op_up(struct vcpu *v, void __guest *guest)
{
	struct domain *d = v->domain;
	bool initialised;

	spin_lock(&d->lock);
	initialised = v->is_initialised;
	if (initialised)
		atomic_and(&v->pause_flags, ~(u32)VPF_DOWN);
	spin_unlock(&d->lock);
	if (!initialised)
		return -EINVAL;
	vcpu_wake(v);
	return 0;
}

void vcpu_go_down(struct vcpu *v)
{
	struct domain *d = v->domain;
	const struct vcpu *other;
	bool last = true;

	spin_lock(&d->lock);
	atomic_or(&v->pause_flags, VPF_DOWN);
	for_each_vcpu(d, other)
		if (!(READ_ONCE(other->pause_flags) & VPF_DOWN))
			last = false;
	spin_unlock(&d->lock);
	if (last)
		domain_shutdown(d, SHUTDOWN_poweroff);
	vcpu_sleep_nosync(v);
}

static long op_down(struct vcpu *v, void __guest *guest)
{
	vcpu_go_down(v);
	return 0;
}

static long op_is_up(struct vcpu *v, void __guest *guest)
{
	return !(READ_ONCE(v->pause_flags) & VPF_DOWN);
}

static long op_get_runstate(struct vcpu *v, void __guest *guest)
{
	struct vcpu_runstate_info info;

	vcpu_runstate_get(v, &info);
	return copy_to_guest(guest, &info, sizeof(info));
}

/*
 * From now on the runstate is written to the area whenever v begins to run. -EFAULT: the address
 * does not work now.
 */
static long op_register_runstate(struct vcpu *v, void __guest *guest)
{
	struct vcpu_register_runstate_memory_area area;
	struct vcpu_runstate_info info;
	void __guest *addr;

	if (copy_from_guest(&area, guest, sizeof(area)))
		return -EFAULT;
	addr = (__force void __guest *)area.addr.v;
	vcpu_runstate_get(v, &info);
	if (addr &&
	    (!guest_range_ok(addr, sizeof(info)) || copy_to_guest(addr, &info, sizeof(info))))
		return -EFAULT;
	spin_lock(&v->lock);
	WRITE_ONCE(v->runstate.guest, addr);
	spin_unlock(&v->lock);
	return 0;
}

static long op_register_time(struct vcpu *v, void __guest *guest)
{
	struct vcpu_register_time_memory_area area;
	void __guest *addr;

	if (copy_from_guest(&area, guest, sizeof(area)))
		return -EFAULT;
	addr = (__force void __guest *)area.addr.v;
	if (addr &&
	    (!guest_range_ok(addr, sizeof(struct vcpu_time_info)) ||
	     copy_to_guest(addr, (const void *)&v->vcpu_info->time, sizeof(struct vcpu_time_info))))
		return -EFAULT;
	spin_lock(&v->lock);
	WRITE_ONCE(v->time_guest, addr);
	spin_unlock(&v->lock);
	if (v == current)
		arch_vcpu_update_time(v);
	return 0;
}

static long op_set_periodic(struct vcpu *v, void __guest *guest)
{
	struct vcpu_set_periodic_timer op;

	if (copy_from_guest(&op, guest, sizeof(op)))
		return -EFAULT;
	return vcpu_timer_set_periodic(v, op.period_ns);
}

static long op_stop_periodic(struct vcpu *v, void __guest *guest)
{
	vcpu_timer_stop_periodic(v);
	return 0;
}

static long op_set_singleshot(struct vcpu *v, void __guest *guest)
{
	struct vcpu_set_singleshot_timer op;

	if (copy_from_guest(&op, guest, sizeof(op)))
		return -EFAULT;
	if ((op.flags & VCPU_SSHOTTMR_future) && op.timeout_abs_ns < (u64)time_now())
		return -ETIME;
	vcpu_timer_set_singleshot(v, op.timeout_abs_ns);
	return 0;
}

static long op_stop_singleshot(struct vcpu *v, void __guest *guest)
{
	timer_stop(&v->timers.singleshot);
	return 0;
}

static long op_register_info(struct vcpu *v, void __guest *guest)
{
	struct vcpu_register_vcpu_info op;

	if (copy_from_guest(&op, guest, sizeof(op)))
		return -EFAULT;
	return vcpu_register_info(v, GFN(op.mfn), op.offset);
}

static long op_send_nmi(struct vcpu *v, void __guest *guest)
{
	arch_vcpu_send_nmi(v);
	return 0;
}

/*
 * Only for a vCPU that is pinned to one CPU, and only for Domain-0, which may know of physical
 * CPUs.
 */
static long op_get_physid(struct vcpu *v, void __guest *guest)
{
	struct vcpu_get_physid op;

	if (!v->domain->is_privileged || !v->sched.pinned)
		return -EINVAL;
	op.phys_id = arch_cpu_physid(v->processor);
	return copy_to_guest(guest, &op, sizeof(op));
}

static const struct {
	long (*fn)(struct vcpu *v, void __guest *arg);
	bool on_self; /* only for the calling vCPU itself */
} vcpu_ops[] = {
	[VCPUOP_initialise] = { op_initialise, false },
	[VCPUOP_up] = { op_up, false },
	[VCPUOP_down] = { op_down, false },
	[VCPUOP_is_up] = { op_is_up, false },
	[VCPUOP_get_runstate_info] = { op_get_runstate, false },
	[VCPUOP_register_runstate_memory_area] = { op_register_runstate, false },
	[VCPUOP_set_periodic_timer] = { op_set_periodic, false },
	[VCPUOP_stop_periodic_timer] = { op_stop_periodic, false },
	[VCPUOP_set_singleshot_timer] = { op_set_singleshot, true },
	[VCPUOP_stop_singleshot_timer] = { op_stop_singleshot, true },
	[VCPUOP_register_vcpu_info] = { op_register_info, false },
	[VCPUOP_send_nmi] = { op_send_nmi, false },
	[VCPUOP_get_physid] = { op_get_physid, false },
	[VCPUOP_register_vcpu_time_memory_area] = { op_register_time, false },
};

/* -ENOENT: the domain has no such vCPU. */
long do_vcpu_op(unsigned long cmd, unsigned long vcpuid, unsigned long arg, unsigned long a3,
		unsigned long a4, unsigned long a5)
{
	const struct domain *d = current->domain;
	struct vcpu *v;
	u32 op = (u32)cmd, id = (u32)vcpuid;

	if (id >= d->max_vcpus || !(v = d->vcpus[id]))
		return -ENOENT;
	if (op >= ARRAY_SIZE(vcpu_ops) || !vcpu_ops[op].fn)
		return -ENOSYS;
	if (vcpu_ops[op].on_self && v != current)
		return -EINVAL;
	return vcpu_ops[op].fn(v, (void __guest *)arg);
}
