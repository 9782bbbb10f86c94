/* SPDX-License-Identifier: MIT */
/*
 * The state of a domain's virtual hardware as a list of records (xen/hvm/save.h,
 * xen/arch-x86/hvm/save.h): a descriptor, then the data; HEADER first, END last. A list that is
 * loaded may have any of the records; each is checked before it changes anything.
 */
#include "x86/hvm/kind.h"

#include <xen/arch-x86/hvm/save.h>
#include <xen/hvm/save.h>
#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/pause.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/feature.h"
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/dev/mtrr.h"
#include "x86/hvm/dev/record.h"

#define MAX_RECORD 4096
#define LIST_MAX   MiB(8) /* a list of HV_MAX_VCPUS vCPUs is much shorter */

/* --- the records --- */

/* A vCPU that is down has no registers worth to be kept. */
static u32 get_cpu(struct vcpu *v, void *data)
{
	if (READ_ONCE(v->pause_flags) & VPF_DOWN)
		return 0;
	hvm_get_cpu_record(v, data);
	return sizeof(struct hvm_hw_cpu);
}

static u32 get_lapic(struct vcpu *v, void *data)
{
	const struct vlapic_time now = hvm_apic_now(v);
	struct hvm_hw_lapic_regs regs;

	vlapic_save(&hvm_of(v)->vlapic, &now, data, &regs);
	return sizeof(struct hvm_hw_lapic);
}

static u32 get_lapic_regs(struct vcpu *v, void *data)
{
	const struct vlapic_time now = hvm_apic_now(v);
	struct hvm_hw_lapic hw;

	vlapic_save(&hvm_of(v)->vlapic, &now, &hw, data);
	return sizeof(struct hvm_hw_lapic_regs);
}

static u32 get_mtrr(struct vcpu *v, void *data)
{
	struct hvm_hw_mtrr *m = data;
	struct hvm_msrs msrs;

	hvm_backend->get_msrs(v, &msrs);
	*m = hvm_of(v)->mtrr;
	m->msr_pat_cr = msrs.pat;
	return sizeof(*m);
}

static u32 get_xsave(struct vcpu *v, void *data)
{
	struct hvm_hw_cpu_xsave *x = data;

	if (!cpu_features.xsave || (READ_ONCE(v->pause_flags) & VPF_DOWN))
		return 0;
	x->xfeature_mask = cpu_features.xcr0_mask;
	x->xcr0 = v->arch->xcr0;
	x->xcr0_accum = v->arch->xcr0_accum;
	return (u32)HVM_XSAVE_HEADER + guest_copy_xstate(v, &x->save_area);
}

static u32 get_vmce(struct vcpu *v, void *data)
{
	*(struct hvm_vmce_vcpu *)data = hvm_of(v)->vmce;
	return sizeof(struct hvm_vmce_vcpu);
}

/* Guests have no such register, so it is 0 for one that goes to a host where they have. */
static u32 get_tsc_adjust(struct vcpu *v, void *data)
{
	return sizeof(struct hvm_tsc_adjust);
}

#define RECORD(type, get)                                       \
	{                                                       \
		HVM_SAVE_CODE(type), HVM_SAVE_LENGTH(type), get \
	}
static const struct record {
	u16 code, size; /* the largest */
	/* Fills in zeroed memory and returns the length; 0: v has none now. v is paused. */
	u32 (*get)(struct vcpu *v, void *data);
} records[] = {
	RECORD(CPU, get_cpu),
	RECORD(LAPIC, get_lapic),
	RECORD(LAPIC_REGS, get_lapic_regs),
	RECORD(MTRR, get_mtrr),
	{ CPU_XSAVE_CODE, MAX_RECORD, get_xsave },
	RECORD(VMCE_VCPU, get_vmce),
	RECORD(TSC_ADJUST, get_tsc_adjust),
};

static const struct record *find(u16 code)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(records); i++)
		if (records[i].code == code)
			return &records[i];
	return NULL;
}

/* --- out --- */

struct writer {
	u8 __guest *buffer; /* NULL: only counts */
	u64 size, used;
};

static int put(struct writer *w, u16 code, u16 instance, const void *data, u32 length)
{
	const struct hvm_save_descriptor desc = { code, instance, length };
	u64 at = w->used;

	w->used += sizeof(desc) + length;
	if (!w->buffer)
		return 0;
	if (w->used > w->size)
		return -ENOSPC;
	return copy_to_guest(w->buffer + at, &desc, sizeof(desc)) ||
			       (length &&
				copy_to_guest(w->buffer + at + sizeof(desc), data, length)) ?
		       -EFAULT :
		       0;
}

/* When it only counts, a vCPU that is down counts, too: it may be up when it is asked in earnest.
 */
static int put_vcpus(struct writer *w, struct domain *d, void *data)
{
	struct vcpu *v;
	u32 length;
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(records) && !err; i++) {
		for_each_vcpu(d, v) {
			const struct record *r = &records[i];

			memset(data, 0, r->size);
			length = w->buffer ? r->get(v, data) : r->size;
			if (length)
				err = put(w, r->code, (u16)v->id, data, length);
			if (err)
				break;
		}
	}
	return err;
}

static void fill_header(struct hvm_save_header *h)
{
	*h = (struct hvm_save_header){
		.magic = HVM_FILE_MAGIC,
		.version = HVM_FILE_VERSION,
		.cpuid = cpuid(1, 0).a,
		.gtsc_khz = (u32)time_tsc_khz(),
	};
}

static long get_context(struct domain *d, struct xen_domctl_hvmcontext *c)
{
	struct writer w = { guest_ptr(c->buffer), c->size, 0 };
	struct hvm_save_header header;
	void *data = hv_alloc(MAX_RECORD);
	long err;

	if (!data)
		return -ENOMEM;
	fill_header(&header);
	domain_pause(d);
	err = put(&w, HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));
	if (!err)
		err = put_vcpus(&w, d, data);
	if (!err)
		err = put(&w, HVM_SAVE_CODE(END), 0, NULL, 0);
	domain_unpause(d);
	hv_free(data);
	c->size = (u32)w.used;
	return err;
}

static long get_one(struct domain *d, struct xen_domctl_hvmcontext_partial *c)
{
	const struct record *r = find((u16)c->type);
	struct vcpu *v = c->instance < d->max_vcpus ? d->vcpus[c->instance] : NULL;
	u32 length;
	void *data;
	long err;

	if (c->type > 0xffff || !r || !v)
		return -ENOENT;
	if (guest_handle_is_null(c->buffer)) {
		c->bufsz = r->size;
		return 0;
	}
	data = hv_alloc(MAX_RECORD);
	if (!data)
		return -ENOMEM;
	memset(data, 0, r->size);
	domain_pause(d);
	length = r->get(v, data);
	domain_unpause(d);
	if (!length)
		err = -ENOENT;
	else if (c->bufsz < length)
		err = -ENOSPC;
	else
		err = copy_to_guest(guest_ptr(c->buffer), data, length);
	hv_free(data);
	if (!err)
		c->bufsz = length;
	return err;
}

/* --- in --- */

/* The record with its fault is the one that `fault` names, or (reason NULL) there is none. */
static void check_vcpu(struct vcpu *v, const struct hvm_records *r, struct hvm_record_fault *fault)
{
	const struct hvm_hw_lapic *lapic = r->lapic;
	struct hvm_record_limits may;
	struct hvm_hw_lapic now;

	hvm_record_limits(v, &may);
	if (r->cpu) {
		fault->code = HVM_SAVE_CODE(CPU);
		fault->reason = hvm_cpu_record_fault(r->cpu, &may);
		if (fault->reason)
			return;
	}
	if (!lapic && r->lapic_regs) {
		(void)get_lapic(v, &now);
		lapic = &now;
	}
	if (lapic && vlapic_check_saved(&hvm_of(v)->vlapic, lapic, r->lapic_regs)) {
		fault->code = HVM_SAVE_CODE(LAPIC);
		fault->reason = "it is no state of this APIC";
		return;
	}
	if (r->mtrr && mtrr_check_saved(r->mtrr, may.phys_bits)) {
		fault->code = HVM_SAVE_CODE(MTRR);
		fault->reason = "a register has a value that it cannot have";
		return;
	}
	if (r->msrs) {
		fault->code = CPU_MSR_CODE;
		fault->reason = hvm_msr_record_fault(r->msrs);
	}
	if (!fault->reason && r->vmce) {
		fault->code = HVM_SAVE_CODE(VMCE_VCPU);
		fault->reason = hvm_vmce_record_fault(r->vmce);
	}
	if (!fault->reason && r->xsave) {
		fault->code = CPU_XSAVE_CODE;
		if (guest_check_xstate(r->xsave->xcr0, r->xsave->xcr0_accum,
				       (const u8 *)&r->xsave->save_area, r->xsave_bytes))
			fault->reason = "it is no XSAVE image for this processor";
	}
	if (!fault->reason && r->tsc_adjust && r->tsc_adjust->tsc_adjust) {
		fault->code = HVM_SAVE_CODE(TSC_ADJUST);
		fault->reason = "this hypervisor has no TSC_ADJUST for guests";
	}
}

/* After the checks: nothing here fails. */
static void load_vcpu(struct vcpu *v, const struct hvm_records *r)
{
	const struct vlapic_time now = hvm_apic_now(v);
	const struct vlapic_out out = { .flags = VLAPIC_OUT_TIMER };
	struct hvm_hw_lapic lapic;
	struct hvm_msrs msrs;

	if (r->cpu)
		hvm_set_cpu_record(v, r->cpu);
	if (r->xsave)
		guest_load_xstate(v, r->xsave->xcr0, r->xsave->xcr0_accum,
				  (const u8 *)&r->xsave->save_area, r->xsave_bytes);
	if (r->mtrr) {
		hvm_backend->get_msrs(v, &msrs);
		msrs.pat = r->mtrr->msr_pat_cr;
		hvm_backend->set_msrs(v, &msrs);
		hvm_of(v)->mtrr = *r->mtrr;
	}
	if (r->vmce)
		hvm_of(v)->vmce = *r->vmce;
	if (r->lapic || r->lapic_regs) {
		(void)get_lapic(v, &lapic);
		if (r->lapic)
			lapic = *r->lapic;
		/* A deadline is in ticks of the TSC that the guest had where it was saved. */
		if (r->lapic && r->cpu && lapic.tdt_msr)
			lapic.tdt_msr = max(lapic.tdt_msr - r->cpu->tsc + now.tsc, 1UL);
		vlapic_load(&hvm_of(v)->vlapic, &now, &lapic, r->lapic_regs);
		hvm_apic_follow(v, &out);
	}
}

static int load_list(struct domain *d, const u8 *list, size_t size)
{
	struct hvm_records *r = hv_alloc(d->max_vcpus * sizeof(*r));
	struct hvm_record_fault fault = { 0 };
	struct vcpu *v;
	int err;

	if (!r)
		return -ENOMEM;
	err = hvm_records_read(list, size, r, d->max_vcpus, &fault);
	for (unsigned int i = 0; i < d->max_vcpus && !err; i++) {
		fault = (struct hvm_record_fault){ .instance = (u16)i };
		if (d->vcpus[i])
			check_vcpu(d->vcpus[i], &r[i], &fault);
		else
			err = -ENOENT;
		if (fault.reason)
			err = -EINVAL;
	}
	if (!err) {
		for_each_vcpu(d, v)
			load_vcpu(v, &r[v->id]);
	} else {
		log_warn("d%u: its saved state is refused: record %u of vCPU %u: %s\n", d->id,
			 fault.code, fault.instance, fault.reason ?: "there is no such vCPU");
	}
	hv_free(r);
	return err;
}

static long set_context(struct domain *d, const struct xen_domctl_hvmcontext *c)
{
	u8 *list;
	long err;

	if (c->size > LIST_MAX)
		return -E2BIG;
	list = hv_alloc(c->size + 1);
	if (!list)
		return -ENOMEM;
	err = copy_from_guest(list, guest_ptr(c->buffer), c->size);
	if (!err) {
		domain_pause(d);
		spin_lock(&d->lock);
		err = load_list(d, list, c->size);
		spin_unlock(&d->lock);
		domain_unpause(d);
	}
	hv_free(list);
	return err;
}

long hvm_context(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	switch (op->cmd) {
	case XEN_DOMCTL_gethvmcontext:
		return get_context(d, &op->u.hvmcontext);
	case XEN_DOMCTL_sethvmcontext:
		return set_context(d, &op->u.hvmcontext);
	default:
		return get_one(d, &op->u.hvmcontext_partial);
	}
}
