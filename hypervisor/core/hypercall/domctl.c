/* SPDX-License-Identifier: MIT */
/*
 * The hypercall domctl: the one gate of the control operations on domains (xen/domctl.h). A row
 * states what its operation needs. An operation without a row goes to arch_domctl, which returns
 * -ENOSYS if nobody knows it.
 */
#include "core/hypercall/domctl.h"

#include "hv/arch/control.h"
#include "hv/hypercall_handlers.h"
#include "core/hypercall/control.h"
#include "hv/console.h"
#include "lib/errno.h"

enum {
	ROW_DOMAIN = 1, /* op->domain names a domain that must exist */
	ROW_OTHER = 2,	/* and must not be the caller's own */
	ROW_OUT = 4,	/* copy back on success and for a continuation */
};

/*
 * Only one operation runs at a time. Trylock and restart: spinning could block the lock's holder.
 */
static DEFINE_SPINLOCK(domctl_lock, LOCK_DOMCTL);

static long domctl_nothing(struct domain *d, struct xen_domctl *op)
{
	return 0;
}

static long domctl_unsupported(struct domain *d, struct xen_domctl *op)
{
	return -EOPNOTSUPP;
}

#define DOMAIN		   ROW_DOMAIN
#define OTHER		   (ROW_DOMAIN | ROW_OTHER)
#define OUT		   ROW_OUT
#define ROW(op, fn, flags) [XEN_DOMCTL_##op] = { fn, flags }

static const struct {
	domctl_fn *fn;
	u8 flags;
} domctl_ops[] = {
	/* clang-format off: a row each */
	ROW(createdomain, domctl_create, OUT), ROW(destroydomain, domctl_destroy, OTHER),
	ROW(pausedomain, domctl_pause, OTHER), ROW(unpausedomain, domctl_unpause, DOMAIN),
	ROW(getdomaininfo, domctl_getdomaininfo, OUT),
	ROW(setvcpuaffinity, domctl_set_affinity, DOMAIN | OUT),
	ROW(max_mem, domctl_max_mem, DOMAIN), ROW(setvcpucontext, domctl_set_context, OTHER),
	ROW(getvcpucontext, domctl_get_context, OTHER | OUT),
	ROW(getvcpuinfo, domctl_getvcpuinfo, DOMAIN | OUT), ROW(max_vcpus, domctl_max_vcpus, OTHER),
	ROW(scheduler_op, domctl_scheduler, DOMAIN | OUT),
	ROW(setdomainhandle, domctl_set_handle, DOMAIN),
	ROW(setdebugging, domctl_set_debugging, OTHER),
	ROW(irq_permission, domctl_irq_permission, DOMAIN),
	ROW(iomem_permission, domctl_iomem_permission, DOMAIN),
	ROW(settimeoffset, domctl_set_time_offset, DOMAIN),
	ROW(getvcpuaffinity, domctl_get_affinity, DOMAIN | OUT),
	ROW(resumedomain, domctl_resume, OTHER), ROW(subscribe, domctl_subscribe, DOMAIN),
	ROW(memory_mapping, domctl_memory_mapping, DOMAIN),
	ROW(setnodeaffinity, domctl_set_node_affinity, DOMAIN),
	ROW(getnodeaffinity, domctl_get_node_affinity, DOMAIN | OUT),
	ROW(cacheflush, domctl_nothing, DOMAIN),
	/* No I/O memory management unit is in use, so no device is given to a guest. */
	ROW(assign_device, domctl_unsupported, 0), ROW(deassign_device, domctl_unsupported, 0),
	ROW(test_assign_device, domctl_unsupported, 0),
	ROW(get_device_group, domctl_unsupported, 0),
	ROW(set_virq_handler, domctl_unsupported, DOMAIN),
	ROW(set_target, domctl_unsupported, DOMAIN), ROW(soft_reset, domctl_unsupported, OTHER),
	ROW(setvnumainfo, domctl_unsupported, DOMAIN), ROW(debug_op, domctl_unsupported, DOMAIN),
	ROW(vm_event_op, domctl_unsupported, DOMAIN), ROW(monitor_op, domctl_unsupported, DOMAIN),
	ROW(mem_sharing_op, domctl_unsupported, DOMAIN),
	ROW(psr_cmt_op, domctl_unsupported, DOMAIN), ROW(psr_alloc, domctl_unsupported, DOMAIN),
	ROW(vmtrace_op, domctl_unsupported, DOMAIN),
	/* clang-format on */
};

static long domctl_run(void *arg, bool *copyback)
{
	struct xen_domctl *op = arg;
	domctl_fn *fn = op->cmd < ARRAY_SIZE(domctl_ops) ? domctl_ops[op->cmd].fn : NULL;
	unsigned int flags = fn ? domctl_ops[op->cmd].flags : ROW_DOMAIN;
	struct domain *d = NULL;
	long ret;

	if (flags & ROW_DOMAIN) {
		d = domain_get_by_id(op->domain == DOMID_SELF ? current->domain->id : op->domain);
		/* Nobody may control the hypervisor's own domains. */
		if (!d || d->id >= DOMID_FIRST_RESERVED) {
			ret = -ESRCH;
			goto out;
		}
		ret = -EINVAL;
		if ((flags & ROW_OTHER) && d == current->domain)
			goto out;
	}
	if (fn) {
		ret = fn(d, op);
		*copyback = (flags & ROW_OUT) && (ret >= 0 || ret == -ERESTART);
	} else {
		ret = arch_domctl(d, op, copyback);
	}
out:
	if (d)
		domain_put(d);
	return ret;
}

long do_domctl(unsigned long arg, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5)
{
	static const struct control_call call = {
		.size = sizeof(struct xen_domctl),
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.lock = &domctl_lock,
		.run = domctl_run,
	};
	struct xen_domctl op;

	CHECK_CONTROL_HEADER(struct xen_domctl);
	return control_op(&call, &op, arg);
}
