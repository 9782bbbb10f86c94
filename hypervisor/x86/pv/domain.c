/* SPDX-License-Identifier: MIT */
/* The kind of guest that is paravirtualized: its guest_ops, and what they need besides. */
#include "hv/console.h"
#include "lib/errno.h"
#include "x86/guest/guest_ops.h"
#include "x86/pv/entry.h"
#include "x86/pv/pv.h"

static int config_check(const struct xen_domctl_createdomain *c)
{
	if ((c->flags & (XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_oos_off)) || c->arch.emulation_flags ||
	    (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)) {
		log_warn("domain not created: it asks for what a paravirtualized domain has not\n");
		return -EINVAL;
	}
	return 0;
}

static int vcpu_relinquish(struct vcpu *v)
{
	int err = pv_vcpu_drop_page_tables(v);

	if (err)
		return err;
	pv_destroy_gdt(v);
	pv_destroy_ldt(v);
	return 0;
}

/* User mode's page tables need not map what the kernel has. */
bool pv_enter_kernel_view(struct vcpu *v)
{
	if (pv_of(v)->in_kernel)
		return false;
	pv_toggle_mode(v);
	return true;
}

void pv_leave_kernel_view(struct vcpu *v)
{
	pv_toggle_mode(v);
}

static void set_iopl(struct vcpu *v, unsigned int iopl)
{
	pv_of(v)->iopl = iopl;
}

static void set_iobitmap(struct vcpu *v, void __guest *bitmap, unsigned int nr_ports)
{
	pv_of(v)->iobmp = bitmap;
	pv_of(v)->iobmp_limit = nr_ports;
}

const struct guest_ops pv_guest_ops = {
	.max_policy = &cpu_policy_pv_max,
	.config_check = config_check,
	.domain_relinquish = pv_domain_relinquish,
	.vcpu_init = pv_vcpu_init,
	.vcpu_relinquish = vcpu_relinquish,
	.reload_tables = pv_update_cr3,
	.vcpu_set_context = pv_vcpu_set_context,
	.vcpu_get_context = pv_vcpu_get_context,
	.get_ext_context = pv_vcpu_get_ext_context,
	.set_ext_context = pv_vcpu_set_ext_context,
	.save = pv_save,
	.load = pv_load,
	.enter = ret_to_guest_reset_stack,
	.enter_kernel_view = pv_enter_kernel_view,
	.leave_kernel_view = pv_leave_kernel_view,
	.send_nmi = pv_send_nmi,
	.interrupt_deliverable = pv_nmi_deliverable,
	.hypercall_page_init = pv_hypercall_page_init,
	.grant_map = pv_grant_map,
	.grant_unmap = pv_grant_unmap,
	.set_iopl = set_iopl,
	.set_iobitmap = set_iobitmap,
};
