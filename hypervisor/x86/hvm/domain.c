/* SPDX-License-Identifier: MIT */
/* The kind of guest that runs under hardware virtualization: its domains, and its guest_ops. */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/p2m.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/guest/guest_ops.h"
#include "x86/hvm/guest_memory.h"
#include "x86/hvm/kind.h"
#include "x86/hvm/physmap.h"
#include "x86/mm/paging.h"

static int refuse(int err, const char *why)
{
	log_warn("domain not created: %s\n", why);
	return err;
}

static int config_check(const struct xen_domctl_createdomain *c)
{
	const char *why = hvm_unavailable();

	if (why) {
		log_warn("domain not created: it asks for hardware virtualization (type \"pvh\" or "
			 "\"hvm\"), and %s; a paravirtualized domain (type \"pv\") needs none\n",
			 why);
		return -EOPNOTSUPP;
	}
	if (!(c->flags & XEN_DOMCTL_CDF_hap))
		return refuse(-EINVAL, "without nested paging (hap=0) there is no hardware "
				       "virtualization here");
	if (c->flags & XEN_DOMCTL_CDF_oos_off)
		return refuse(-EINVAL, "there is no shadow paging, so nothing to turn off of it");
	if (c->arch.emulation_flags != XEN_X86_EMU_LAPIC)
		return refuse(-EOPNOTSUPP, "it asks for emulated devices (type \"hvm\"), and only "
					   "type \"pvh\" is offered, whose one device is the local "
					   "APIC");
	if (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)
		return refuse(-EINVAL, "unknown flags");
	return 0;
}

static int create(struct domain *d, const struct xen_domctl_createdomain *c)
{
	struct hvm_domain *hd = d->arch->hvm = hv_alloc(sizeof(*hd));

	if (!hd)
		return -ENOMEM;
	hd->monitor_l4 = hv_alloc_pages(0);
	if (!hd->monitor_l4)
		return -ENOMEM;
	l4_fill_hypervisor_slots(hd->monitor_l4, d);
	return p2m_create(d, hvm_backend->p2m_format);
}

static void destroy(struct domain *d)
{
	struct hvm_domain *hd = d->arch->hvm;

	p2m_free(d);
	if (!hd)
		return;
	if (hd->monitor_l4)
		hv_free_pages(hd->monitor_l4, 0);
	hv_free(hd);
	d->arch->hvm = NULL;
}

/* The frames of its memory go with their entries in the p2m. */
static int vcpu_relinquish(struct vcpu *v)
{
	return 0;
}

/* The context of paravirtualized guests says nothing about such a vCPU: sethvmcontext does. */
static int set_context(struct vcpu *v, const vcpu_guest_context_t *ctx)
{
	return -EOPNOTSUPP;
}

static void get_ext_context(const struct vcpu *v, struct xen_domctl_ext_vcpucontext *ctx)
{
}

static int set_ext_context(struct vcpu *v, const struct xen_domctl_ext_vcpucontext *ctx)
{
	return -EINVAL;
}

/* Its kernel's addresses are valid whenever it is current: they go through its own tables. */
static bool enter_kernel_view(struct vcpu *v)
{
	return false;
}

static void leave_kernel_view(struct vcpu *v)
{
}

static void __noreturn enter(void)
{
	hvm_backend->enter();
}

const struct guest_ops hvm_guest_ops = {
	.memory = &hvm_memory_ops,
	.max_policy = &cpu_policy_hvm_max,
	.config_check = config_check,
	.domain_create = create,
	.domain_free = destroy,
	.vcpu_create = hvm_vcpu_create,
	.vcpu_free = hvm_vcpu_free,
	.domain_relinquish = p2m_relinquish,
	.vcpu_init = hvm_vcpu_reset,
	.vcpu_relinquish = vcpu_relinquish,
	.vcpu_set_context = set_context,
	.vcpu_get_context = hvm_vcpu_get_context,
	.get_ext_context = get_ext_context,
	.set_ext_context = set_ext_context,
	.save = hvm_save,
	.load = hvm_load,
	.enter = enter,
	.enter_kernel_view = enter_kernel_view,
	.leave_kernel_view = leave_kernel_view,
	.send_nmi = hvm_send_nmi,
	.interrupt_deliverable = hvm_has_interrupt,
	.hypercall_page_init = hvm_hypercall_page_init,
	.hypercall_argument = hvm_hypercall_argument,
	.grant_map = hvm_grant_map,
	.grant_unmap = hvm_grant_unmap,
	.hvm_context = hvm_context,
};
