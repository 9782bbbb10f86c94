/* SPDX-License-Identifier: MIT */
/*
 * The state of a vCPU besides its context: ext_vcpucontext, the extended registers and the MSRs;
 * and the domain's TSC. xen/domctl.h has the layouts. A saved
 * domain carries them from host to host.
 */
#include "x86/guest/domctl.h"

#include "hv/arch/guest.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/feature.h"

long domctl_get_ext_context(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;
	struct vcpu *v = vcpu_of(d, e->vcpu);
	u32 id = e->vcpu;

	if (!v)
		return -ESRCH;
	if (v == current)
		return -EINVAL;
	vcpu_pause(v);
	memset(e, 0, sizeof(*e));
	e->vcpu = id;
	e->size = sizeof(*e);
	guest_ops(d)->get_ext_context(v, e);
	vcpu_unpause(v);
	return 0;
}

long domctl_set_ext_context(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;
	struct vcpu *v = vcpu_of(d, e->vcpu);
	int err;

	if (d == current->domain || e->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
		return -EINVAL;
	if (!v)
		return -ESRCH;
	vcpu_pause(v);
	err = guest_ops(d)->set_ext_context(v, e);
	vcpu_unpause(v);
	return err;
}

/* --- XSAVE --- */

/*
 * The header of the copied state: XCR0, and all bits that were ever set in XCR0. The image follows
 * in the standard format (SDM 1 13.4).
 */
struct xstate_header {
	u64 xcr0, xcr0_accum;
};

#define IMAGE_MXCSR  24
#define IMAGE_HEADER 512 /* XSTATE_BV, XCOMP_BV, 48 bytes that are zero */

/* The components that a vCPU may have used. x87 and SSE need no bit in XCR0. */
static u64 used_components(u64 xcr0_accum)
{
	return xcr0_accum | XCR0_X87 | XCR0_SSE;
}

/*
 * The size of the components ever used, and no more: a guest that used only what a smaller
 * processor has can move to one.
 */
static u32 image_size(u64 xcr0_accum)
{
	return cpu_policy_xsave_size(&cpu_policy_host, used_components(xcr0_accum));
}

/*
 * Some processors set XSTATE_BV even for a component in its initial state, so the copy's XSTATE_BV
 * is limited to the components that were used.
 */
static int copy_image(char __guest *buffer, const struct vcpu *v)
{
	u64 bv;

	memcpy(&bv, (const u8 *)v->arch->xstate + IMAGE_HEADER, sizeof(bv));
	bv &= used_components(v->arch->xcr0_accum);
	if (copy_to_guest(buffer, v->arch->xstate, image_size(v->arch->xcr0_accum)))
		return -EFAULT;
	return copy_to_guest(buffer + IMAGE_HEADER, &bv, sizeof(bv));
}

long domctl_get_xstate(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	struct vcpu *v = vcpu_of(d, x->vcpu);
	struct xstate_header header;
	u64 size;
	char __guest *buffer = (__force char __guest *)x->buffer.p;
	long err = 0;

	if (!v)
		return -ESRCH;
	if (v == current)
		return -EINVAL;
	size = cpu_features.xsave ? sizeof(header) + image_size(READ_ONCE(v->arch->xcr0_accum)) : 0;
	if (!x->size && !x->xfeature_mask) {
		x->size = size;
		x->xfeature_mask = size ? cpu_features.xcr0_mask : 0;
		return 0;
	}
	vcpu_pause(v);
	header.xcr0 = v->arch->xcr0;
	header.xcr0_accum = v->arch->xcr0_accum;
	if (!size || x->size != sizeof(header) + image_size(header.xcr0_accum) ||
	    x->xfeature_mask != cpu_features.xcr0_mask)
		err = -EINVAL;
	else if (copy_to_guest(buffer, &header, sizeof(header)) ||
		 copy_image(buffer + sizeof(header), v))
		err = -EFAULT;
	vcpu_unpause(v);
	return err;
}

u32 guest_copy_xstate(const struct vcpu *v, void *image)
{
	u32 size = image_size(v->arch->xcr0_accum);
	u64 bv;

	memcpy(image, v->arch->xstate, size);
	memcpy(&bv, (u8 *)image + IMAGE_HEADER, sizeof(bv));
	bv &= used_components(v->arch->xcr0_accum);
	memcpy((u8 *)image + IMAGE_HEADER, &bv, sizeof(bv));
	return size;
}

/* The image has nothing that XRSTOR would fault on (SDM 1 13.8.1). */
static bool image_ok(const u8 *image, u64 xcr0_accum)
{
	u32 mxcsr;
	u64 header[8];

	memcpy(header, image + IMAGE_HEADER, sizeof(header));
	if (header[0] & ~used_components(xcr0_accum))
		return false;
	for (unsigned int i = 1; i < ARRAY_SIZE(header); i++)
		if (header[i])
			return false;
	memcpy(&mxcsr, image + IMAGE_MXCSR, sizeof(mxcsr));
	return !(mxcsr & ~xstate_mxcsr_mask());
}

int guest_check_xstate(u64 xcr0, u64 xcr0_accum, const u8 *image, size_t size)
{
	if (!xcr0_is_valid(xcr0, xcr0_accum & cpu_features.xcr0_mask) ||
	    (xcr0_accum & ~cpu_features.xcr0_mask) || size < image_size(xcr0_accum) ||
	    size > xstate_size() || !image_ok(image, xcr0_accum))
		return -EINVAL;
	return 0;
}

void guest_load_xstate(struct vcpu *v, u64 xcr0, u64 xcr0_accum, const u8 *image, size_t size)
{
	vcpu_pause(v);
	/* The CPU that ran v last may still hold its registers, which are now out of date. */
	arch_vcpu_sync_state(v);
	xstate_init_image(v->arch->xstate);
	memcpy(v->arch->xstate, image, size);
	v->arch->xcr0 = xcr0;
	v->arch->xcr0_accum = used_components(xcr0_accum);
	vcpu_unpause(v);
}

long domctl_set_xstate(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	struct vcpu *v = vcpu_of(d, x->vcpu);
	const char __guest *buffer = (__force const char __guest *)x->buffer.p;
	struct xstate_header header;
	size_t size;
	u8 *image;
	long err = 0;

	if (!v)
		return -ESRCH;
	if (d == current->domain || !cpu_features.xsave || x->size < sizeof(header))
		return -EINVAL;
	size = x->size - sizeof(header);
	if (copy_from_guest(&header, buffer, sizeof(header)))
		return -EFAULT;
	/* A vCPU that never used extended state has no image. */
	if (!size)
		return header.xcr0_accum ? -EINVAL : 0;
	if (size < image_size(0) || size > xstate_size())
		return -EINVAL;
	image = hv_alloc(xstate_size());
	if (!image)
		return -ENOMEM;
	if (copy_from_guest(image, buffer + sizeof(header), size))
		err = -EFAULT;
	else
		err = guest_check_xstate(header.xcr0, header.xcr0_accum, image, size);
	if (!err)
		guest_load_xstate(v, header.xcr0, header.xcr0_accum, image, size);
	hv_free(image);
	return err;
}

/* --- MSRs --- */

/* Every MSR that a guest may write is either kept elsewhere or constant here: none to return. */
long domctl_get_msrs(struct domain *d, struct xen_domctl *op)
{
	if (!vcpu_of(d, op->u.vcpu_msrs.vcpu))
		return -ESRCH;
	op->u.vcpu_msrs.msr_count = 0;
	return 0;
}

#define MSRS_MAX 64

long domctl_set_msrs(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpu_msrs *m = &op->u.vcpu_msrs;
	struct vcpu *v = vcpu_of(d, m->vcpu);
	xen_domctl_vcpu_msr_t msr;

	if (d == current->domain || m->msr_count > MSRS_MAX)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	for (u32 i = 0; i < m->msr_count; i++) {
		if (copy_from_guest_offset(&msr, m->msrs, i, 1))
			return -EFAULT;
		if (msr.reserved ||
		    (msr.index == MSR_TSC_AUX ? msr.value > 0xffffffff : msr.value != 0)) {
			m->msr_count = i;
			return -EINVAL;
		}
		if (msr.index == MSR_TSC_AUX) {
			vcpu_pause(v);
			v->arch->tsc_aux = msr.value;
			vcpu_unpause(v);
		}
	}
	return 0;
}

/* --- TSC --- */

/*
 * The guest reads the processor's own TSC in every mode. The settings are kept only for a tool that
 * saves the domain.
 */
long domctl_get_tsc(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_tsc_info *t = &op->u.tsc_info;

	t->tsc_mode = d->arch->tsc_mode;
	t->gtsc_khz = d->arch->tsc_khz ? d->arch->tsc_khz : (u32)time_tsc_khz();
	t->incarnation = d->arch->incarnation;
	t->pad = 0;
	t->elapsed_nsec = (u64)time_now();
	return 0;
}

#define TSC_MODES 3 /* default, always emulate, never emulate */

long domctl_set_tsc(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_tsc_info *t = &op->u.tsc_info;

	if (d == current->domain || t->tsc_mode >= TSC_MODES)
		return -EINVAL;
	spin_lock(&d->lock);
	d->arch->tsc_mode = t->tsc_mode;
	d->arch->tsc_khz = t->gtsc_khz;
	d->arch->incarnation = t->incarnation;
	spin_unlock(&d->lock);
	return 0;
}
