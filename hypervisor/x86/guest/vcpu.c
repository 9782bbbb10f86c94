/* SPDX-License-Identifier: MIT */
/* The x86 part of a vCPU: creation, context in and out, reset, freeing, NMIs. */
#include "hv/arch/guest.h"
#include "hv/arch/map.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/feature.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/paging.h"

static unsigned int xstate_order(void)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < xstate_size())
		order++;
	return order;
}

/* The state that v has before its first context. */
static void reset_state(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	memset(&a->user_regs, 0, sizeof(a->user_regs));
	memset(a->debugreg, 0, sizeof(a->debugreg));
	a->stts = false;
	a->xcr0 = cpu_features.xsave ? XCR0_X87 : 0;
	/* SSE needs no bit of XCR0. */
	a->xcr0_accum = cpu_features.xsave ? XCR0_X87 | XCR0_SSE : 0;
	a->dirty_cpu = ~0U;
	xstate_init_image(a->xstate);
	guest_ops(v->domain)->vcpu_init(v);
}

int arch_vcpu_create(struct vcpu *v)
{
	v->arch = hv_alloc(sizeof(*v->arch));
	if (!v->arch)
		return -ENOMEM;
	v->arch->dirty_cpu = ~0U;
	v->arch->cr3 = virt_to_maddr(idle_l4);
	if (perdomain_vcpu_create(v))
		goto out;
	if (v->is_idle) {
		/*
		 * Read the mask before any guest runs: with a guest's CR0.TS set, FXSAVE would
		 * fault.
		 */
		(void)xstate_mxcsr_mask();
		return 0;
	}
	v->arch->xstate = hv_alloc_pages(xstate_order());
	if (!v->arch->xstate)
		goto out;
	if (guest_ops(v->domain)->vcpu_create && guest_ops(v->domain)->vcpu_create(v))
		goto out;
	reset_state(v);
	return 0;

out:
	arch_vcpu_free(v);
	return -ENOMEM;
}

void arch_vcpu_free(struct vcpu *v)
{
	if (!v->arch)
		return;
	if (!v->is_idle && guest_ops(v->domain)->vcpu_free)
		guest_ops(v->domain)->vcpu_free(v);
	perdomain_vcpu_free(v);
	if (v->arch->xstate)
		hv_free_pages(v->arch->xstate, xstate_order());
	hv_free(v->arch);
	v->arch = NULL;
}

int arch_vcpu_reset(struct vcpu *v)
{
	int err = guest_ops(v->domain)->vcpu_relinquish(v);

	if (err)
		return err;
	reset_state(v);
	return 0;
}

int arch_vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx)
{
	return guest_ops(v->domain)->vcpu_set_context(v, ctx);
}

void arch_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *ctx)
{
	guest_ops(v->domain)->vcpu_get_context(v, ctx);
}

void arch_vcpu_send_nmi(struct vcpu *v)
{
	guest_ops(v->domain)->send_nmi(v);
}

bool arch_vcpu_interrupt_deliverable(const struct vcpu *v)
{
	return guest_ops(v->domain)->interrupt_deliverable(v);
}
