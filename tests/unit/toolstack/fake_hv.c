/* SPDX-License-Identifier: MIT */
/* The functions of hv/hv.h over the arrays of fake_hv.h. */
#include "fake_hv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/error.h"

struct fake fake;

struct window {
	void *address;
	xen_pfn_t *frames;
	size_t count;
	bool writable;
	struct window *next;
};

static struct window *windows;

void fake_reset(void)
{
	while (windows != NULL) {
		struct window *w = windows;

		windows = w->next;
		free(w->address);
		free(w->frames);
		free(w);
	}
	memset(&fake, 0, sizeof(fake));
	fake.fail_after = -1;
	fake.max_mfn = FAKE_FRAMES - 1;
	fake.free_frames = UINT64_MAX;
	for (uint32_t i = 1; i < FAKE_DOMAINS; i++)
		fake_renew(i);
}

void fake_renew(uint32_t domid)
{
	struct fake_domain *d = &fake.domains[domid];

	for (uint64_t mfn = 0; mfn < FAKE_FRAMES; mfn++)
		if (fake.owner[mfn] == domid)
			fake.owner[mfn] = 0;
	memset(d, 0, sizeof(*d));
	d->info.domid = domid;
	d->info.max_pages = UINT64_MAX;
	d->info.shared_info_frame = fake_alloc(domid);
}

uint64_t fake_alloc(uint32_t domid)
{
	for (unsigned int i = 0; i < FAKE_FRAMES; i++) {
		/* Not in order, so that guest and machine frame numbers always differ. */
		uint64_t mfn = (fake.next_frame += 7) % FAKE_FRAMES;

		if (mfn == 0 || fake.owner[mfn] != 0)
			continue;
		fake.owner[mfn] = domid;
		fake.type[mfn] = 0;
		memset(fake.memory[mfn], 0, sizeof(fake.memory[mfn]));
		return mfn;
	}
	return UINT64_MAX;
}

/* The domain; NULL with an error when it does not exist, or when this call is to fail. */
static struct fake_domain *domain(uint32_t domid, struct error **e)
{
	if (fake.fail_after == 0)
		error_set(e, ENOMEM, "Injected.");
	else if (domid == 0 || domid >= FAKE_DOMAINS)
		error_set(e, ESRCH, "No such domain.");
	else
		return fake.fail_after > 0 ? fake.fail_after--,
		       &fake.domains[domid] : &fake.domains[domid];
	return NULL;
}

static struct fake_vcpu *vcpu_of(uint32_t domid, unsigned int vcpu, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return NULL;
	if (vcpu >= FAKE_VCPUS) {
		error_set(e, ENOENT, "No such vCPU.");
		return NULL;
	}
	return &d->vcpus[vcpu];
}

static bool owned(uint32_t domid, uint64_t mfn)
{
	return mfn < FAKE_FRAMES && fake.owner[mfn] == domid;
}

int hv_open(struct hv **out, struct error **e)
{
	*out = NULL;
	return 0;
}

void hv_close(struct hv *hv)
{
}

/* --- memory --- */

void *hv_map_frames(struct hv *hv, uint32_t domid, int prot, const xen_pfn_t *frames, int *errs,
		    size_t count, struct error **e)
{
	struct window *w;

	if (domain(domid, e) == NULL)
		return NULL;
	w = calloc(1, sizeof(*w));
	w->address = calloc(count, 4096);
	w->frames = malloc(count * sizeof(*w->frames));
	memcpy(w->frames, frames, count * sizeof(*w->frames));
	w->count = count;
	w->writable = prot & PROT_WRITE;
	for (size_t i = 0; i < count; i++) {
		bool ok = owned(domid, frames[i]) && (!w->writable || fake.type[frames[i]] == 0);

		if (errs != NULL)
			errs[i] = ok ? 0 : -EINVAL;
		if (ok) {
			memcpy((char *)w->address + i * 4096, fake.memory[frames[i]], 4096);
		} else if (errs == NULL) {
			free(w->address);
			free(w->frames);
			free(w);
			error_set(e, EINVAL, "Frame %#lx is not the domain's.", frames[i]);
			return NULL;
		}
	}
	w->next = windows;
	windows = w;
	fake.windows++;
	return w->address;
}

void hv_unmap_frames(struct hv *hv, void *address, size_t count)
{
	for (struct window **at = &windows; *at != NULL; at = &(*at)->next) {
		struct window *w = *at;

		if (w->address != address)
			continue;
		if (w->count != count)
			abort();
		for (size_t i = 0; i < count && w->writable; i++)
			memcpy(fake.memory[w->frames[i]], (char *)address + i * 4096, 4096);
		*at = w->next;
		free(w->address);
		free(w->frames);
		free(w);
		fake.windows--;
		return;
	}
	abort();
}

int hv_frames_info(struct hv *hv, uint32_t domid, xen_pfn_t *frames, size_t count, struct error **e)
{
	if (domain(domid, e) == NULL)
		return -ENOMEM;
	if (fake.meanwhile)
		fake.meanwhile();
	for (size_t i = 0; i < count; i++)
		frames[i] = owned(domid, frames[i]) ? fake.type[frames[i]] | frames[i] :
						      XEN_DOMCTL_PFINFO_XTAB;
	return 0;
}

long hv_memory_populate(struct hv *hv, uint32_t domid, const xen_pfn_t *gfns, xen_pfn_t *mfns,
			size_t count, unsigned int order, struct error **e)
{
	size_t done = 0;

	if (domain(domid, e) == NULL)
		return -ENOMEM;
	/* There are no large extents. */
	for (; done < count && order == 0; done++) {
		const struct hv_domain_info *info = &fake.domains[domid].info;
		uint64_t mfn = info->pages + done < info->max_pages && done < fake.free_frames ?
				       fake_alloc(domid) :
				       UINT64_MAX;

		if (mfn == UINT64_MAX)
			break;
		/* As its last owner left it. */
		memset(fake.memory[mfn], 0x5a, sizeof(fake.memory[mfn]));
		mfns[done] = mfn;
	}
	fake.domains[domid].info.pages += done;
	fake.free_frames -= done;
	return (long)done;
}

int hv_memory_release(struct hv *hv, uint32_t domid, const xen_pfn_t *mfns, size_t count,
		      struct error **e)
{
	if (domain(domid, e) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (!owned(domid, mfns[i]))
			abort();
		fake.owner[mfns[i]] = 0;
	}
	fake.domains[domid].info.pages -= count;
	fake.free_frames += count;
	return 0;
}

int hv_memory_set_map(struct hv *hv, uint32_t domid, uint64_t bytes, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ESRCH;
	d->map_bytes = bytes;
	return 0;
}

int hv_domain_set_max_mem(struct hv *hv, uint32_t domid, uint64_t kb, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ESRCH;
	d->info.max_pages = kb / 4;
	return 0;
}

int hv_memory_max_mfn(struct hv *hv, uint64_t *mfn, struct error **e)
{
	*mfn = fake.max_mfn;
	return 0;
}

int hv_mmuext(struct hv *hv, uint32_t domid, const struct mmuext_op *ops, size_t count,
	      struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	for (size_t i = 0; d != NULL && i < count; i++) {
		if (!owned(domid, ops[i].arg1.mfn))
			return error_set(e, EINVAL, "Frame %#lx cannot be pinned.",
					 (unsigned long)ops[i].arg1.mfn);
		if (d->nr_pins < FAKE_PINS)
			d->pins[d->nr_pins++] = ops[i].arg1.mfn << 8 | ops[i].cmd;
	}
	return d != NULL ? 0 : -ENOMEM;
}

int hv_clear_frames(struct hv *hv, uint32_t domid, const xen_pfn_t *frames, size_t count,
		    struct error **e)
{
	if (domain(domid, e) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (!owned(domid, frames[i]))
			abort();
		memset(fake.memory[frames[i]], 0, sizeof(fake.memory[frames[i]]));
	}
	return 0;
}

int hv_hypercall_page(struct hv *hv, uint32_t domid, uint64_t gmfn, struct error **e)
{
	return domain(domid, e) != NULL ? 0 : -ENOMEM;
}

int hv_grant_seed(struct hv *hv, uint32_t domid, const struct hv_grant_seed *seeds, size_t count,
		  struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL || count > 2)
		return -ENOMEM;
	memcpy(d->grants, seeds, count * sizeof(*seeds));
	return 0;
}

int hv_host_avail_heap(struct hv *hv, int node, uint64_t *bytes, struct error **e)
{
	*bytes = 0;
	return 0;
}

/* --- domains and vCPUs --- */

int hv_host_version(struct hv *hv, struct hv_version *version, struct error **e)
{
	*version = (struct hv_version){ .major = 4, .minor = 17 };
	return 0;
}

int hv_domain_info(struct hv *hv, uint32_t domid, struct hv_domain_info *info, struct error **e)
{
	const struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ESRCH;
	*info = d->info;
	return 0;
}

int hv_domain_get_tsc(struct hv *hv, uint32_t domid, struct hv_tsc_info *tsc, struct error **e)
{
	const struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ESRCH;
	*tsc = d->tsc;
	return 0;
}

int hv_domain_set_tsc(struct hv *hv, uint32_t domid, const struct hv_tsc_info *tsc,
		      struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ESRCH;
	d->tsc = *tsc;
	return 0;
}

int hv_evtchn_alloc_unbound(struct hv *hv, uint32_t domid, uint32_t remote, uint32_t *port,
			    struct error **e)
{
	*port = 1;
	return domain(domid, e) != NULL ? 0 : -ESRCH;
}

int hv_vcpu_allocate(struct hv *hv, uint32_t domid, unsigned int max, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL || max > FAKE_VCPUS)
		return -ESRCH;
	d->info.max_vcpu_id = max - 1;
	return 0;
}

int hv_vcpu_info(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_vcpu_info *info,
		 struct error **e)
{
	const struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	if (v == NULL)
		return -ESRCH;
	*info = (struct hv_vcpu_info){ .online = v->online };
	return 0;
}

int hv_vcpu_get_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			vcpu_guest_context_t *context, struct error **e)
{
	const struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	if (v == NULL)
		return -ESRCH;
	*context = v->context;
	return 0;
}

int hv_vcpu_set_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			const vcpu_guest_context_t *context, struct error **e)
{
	struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	if (v == NULL)
		return -ESRCH;
	if (!owned(domid, xen_cr3_to_pfn(context->ctrlreg[3])))
		return error_set(e, EINVAL, "The page table is not the domain's.");
	v->context = *context;
	v->online = true;
	return 0;
}

int hv_vcpu_get_ext_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			    struct xen_domctl_ext_vcpucontext *ext, struct error **e)
{
	const struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	if (v == NULL)
		return -ESRCH;
	*ext = v->ext;
	ext->vcpu = vcpu;
	ext->size = sizeof(*ext);
	return 0;
}

int hv_vcpu_set_ext_context(struct hv *hv, uint32_t domid,
			    const struct xen_domctl_ext_vcpucontext *ext, struct error **e)
{
	struct fake_vcpu *v = vcpu_of(domid, ext->vcpu, e);

	if (v == NULL)
		return -ESRCH;
	v->ext = *ext;
	return 0;
}

int hv_vcpu_get_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, void **data, size_t *size,
		      struct error **e)
{
	const struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	*data = NULL;
	*size = 0;
	if (v == NULL)
		return -ESRCH;
	if (v->xsave_size == 0)
		return 0;
	*size = v->xsave_size;
	*data = malloc(*size);
	memcpy(*data, v->xsave, *size);
	return 0;
}

int hv_vcpu_set_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, const void *data,
		      size_t size, struct error **e)
{
	struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	if (v == NULL)
		return -ESRCH;
	if (size > sizeof(v->xsave))
		return error_set(e, EINVAL, "Too much state.");
	memcpy(v->xsave, data, size);
	v->xsave_size = size;
	return 0;
}

int hv_vcpu_get_msrs(struct hv *hv, uint32_t domid, unsigned int vcpu, xen_domctl_vcpu_msr_t **msrs,
		     size_t *count, struct error **e)
{
	const struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	*msrs = NULL;
	*count = 0;
	if (v == NULL)
		return -ESRCH;
	if (v->nr_msrs == 0)
		return 0;
	*count = v->nr_msrs;
	*msrs = malloc(sizeof(v->msrs));
	memcpy(*msrs, v->msrs, sizeof(v->msrs));
	return 0;
}

int hv_vcpu_set_msrs(struct hv *hv, uint32_t domid, unsigned int vcpu,
		     const xen_domctl_vcpu_msr_t *msrs, size_t count, struct error **e)
{
	struct fake_vcpu *v = vcpu_of(domid, vcpu, e);

	if (v == NULL)
		return -ESRCH;
	if (count > 2)
		return error_set(e, EINVAL, "Too many registers.");
	memcpy(v->msrs, msrs, count * sizeof(*msrs));
	v->nr_msrs = count;
	return 0;
}

/* --- policies --- */

int hv_policy_get_domain(struct hv *hv, uint32_t domid, struct hv_cpu_policy *policy,
			 struct error **e)
{
	*policy = (struct hv_cpu_policy){ .nr_leaves = 3, .nr_msrs = 1 };
	policy->leaves = calloc(3, sizeof(*policy->leaves));
	policy->msrs = calloc(1, sizeof(*policy->msrs));
	return 0;
}

int hv_policy_set_domain(struct hv *hv, uint32_t domid, const struct hv_cpu_policy *policy,
			 struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ESRCH;
	d->nr_policy_leaves = policy->nr_leaves;
	return 0;
}

void hv_policy_free(struct hv_cpu_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
}

/* --- the log, and the scheduler --- */

int hv_log_dirty_start(struct hv *hv, uint32_t domid, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ENOMEM;
	if (fake.no_log)
		return error_set(e, EINVAL, "There is no log.");
	d->logged = true;
	memset(d->dirty, 0, sizeof(d->dirty));
	return 0;
}

int hv_log_dirty_stop(struct hv *hv, uint32_t domid, struct error **e)
{
	fake.domains[domid].logged = false;
	return 0;
}

int hv_log_dirty_round(struct hv *hv, uint32_t domid, uint64_t *bits, uint64_t pages, bool final,
		       struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ENOMEM;
	memcpy(bits, d->dirty, (pages + 63) / 64 * 8);
	memset(d->dirty, 0, sizeof(d->dirty));
	return 0;
}

int hv_sched_get(struct hv *hv, uint32_t domid, struct hv_credit *credit, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ENOMEM;
	*credit = d->credit;
	return 0;
}

int hv_sched_set(struct hv *hv, uint32_t domid, const struct hv_credit *credit, struct error **e)
{
	struct fake_domain *d = domain(domid, e);

	if (d == NULL)
		return -ENOMEM;
	d->credit = *credit;
	return 0;
}
