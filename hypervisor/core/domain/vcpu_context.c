/* SPDX-License-Identifier: MIT */
/* A vCPU's first registers, its reset, and where its vcpu_info lies. */
#include "hv/domain.h"

#include "hv/arch/guest.h"
#include "hv/atomic.h"
#include "hv/evtchn.h"
#include "hv/guest_page.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"

int vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *ctx)
{
	int err = arch_vcpu_set_context(v, ctx);

	if (err)
		return err;
	v->is_initialised = true;
	if (ctx->flags & VGCF_online)
		atomic_and(&v->pause_flags, ~(u32)VPF_DOWN);
	else
		atomic_or(&v->pause_flags, VPF_DOWN);
	return 0;
}

int vcpu_reset(struct vcpu *v)
{
	struct domain *d = v->domain;
	int err;

	vcpu_pause(v);
	spin_lock(&d->lock);
	/*
	 * First, because the reset may be preempted: between its steps v has only half of its page
	 * tables and must not run.
	 */
	v->is_initialised = false;
	atomic_or(&v->pause_flags, VPF_DOWN);
	err = arch_vcpu_reset(v);
	if (!err)
		atomic_and(&v->pause_flags, ~(u32)(VPF_BLOCKED | VPF_POLL));
	spin_unlock(&d->lock);
	/* A guest that brings v up anew registers the place anew, too. */
	if (!err)
		vcpu_unregister_info(v);
	vcpu_unpause(v);
	return err;
}

/* The largest offset at which a whole structure still fits in the page. */
#define VCPU_INFO_MAX_OFFSET (PAGE_SIZE - sizeof(vcpu_info_t))

static bool has_own_info(struct vcpu *v)
{
	bool own;

	spin_lock(&v->lock);
	own = !mfn_eq(v->vcpu_info_mfn, INVALID_MFN);
	spin_unlock(&v->lock);
	return own;
}

int vcpu_register_info(struct vcpu *v, gfn_t gfn, unsigned int offset)
{
	struct guest_page page;
	vcpu_info_t *info;
	int err;

	if (offset > VCPU_INFO_MAX_OFFSET || offset % sizeof(long))
		return -EINVAL;
	if (v != current && !(READ_ONCE(v->pause_flags) & VPF_DOWN))
		return -EINVAL;
	/* Check before mapping the page: unmapping it again would flush the TLB of every CPU. */
	if (has_own_info(v))
		return -EINVAL;
	err = guest_page_map(v->domain, gfn, &page);
	if (err)
		return err;

	spin_lock(&v->lock);
	if (!mfn_eq(v->vcpu_info_mfn, INVALID_MFN)) {
		spin_unlock(&v->lock);
		guest_page_unmap(&page);
		return -EINVAL;
	}
	info = (vcpu_info_t *)((char *)page.va + offset);
	memcpy(info, v->vcpu_info, sizeof(*info));
	v->vcpu_info_mfn = page_to_mfn(page.pg);
	/* Complete the copy before anybody sends an event to the new place. */
	smp_wmb();
	WRITE_ONCE(v->vcpu_info, info);
	smp_mb();
	spin_unlock(&v->lock);
	/* Do not lose an event that was sent to the old place meanwhile. */
	evtchn_recheck_vcpu(v);
	return 0;
}

/* The caller ensures that v is off its CPU for good, or is being reset. */
void vcpu_unregister_info(struct vcpu *v)
{
	struct guest_page page;

	spin_lock(&v->lock);
	if (mfn_eq(v->vcpu_info_mfn, INVALID_MFN)) {
		spin_unlock(&v->lock);
		return;
	}
	page.pg = mfn_to_page(v->vcpu_info_mfn);
	page.va = (void *)((unsigned long)v->vcpu_info & PAGE_MASK);
	v->vcpu_info_mfn = INVALID_MFN;
	WRITE_ONCE(v->vcpu_info, v->unregistered_info);
	spin_unlock(&v->lock);
	guest_page_unmap(&page);
}
