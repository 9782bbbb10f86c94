/* SPDX-License-Identifier: MIT */
/*
 * Restores a domain: reads its stream record by record. Records that need all memory are kept until
 * END.
 */
#include "worker/stream/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

/*
 * Bytes; more than any processor's extended state, and more than all leaves and registers of a
 * policy.
 */
#define VCPU_STATE_MAX (64u << 10)
#define POLICY_MAX     (64u << 10)

static void blob_free(struct restore_blob *blob)
{
	free(blob->data);
	*blob = (struct restore_blob){ 0 };
}

/* Keeps the body of the record, in place of an earlier one. */
static int blob_read(struct restore *r, const struct stream_record *record,
		     struct restore_blob *blob, struct error **e)
{
	blob_free(blob);
	blob->size = record->length;
	return stream_in_body(&r->in, record, &blob->data, e);
}

/* Reads a record whose body is exactly one struct. */
static int read_struct(struct restore *r, const struct stream_record *record, void *to, size_t size,
		       const char *name, struct error **e)
{
	int rc;

	if (record->length != size)
		return stream_in_damaged(e, "its record %s has %u bytes", name, record->length);
	rc = stream_in_read(&r->in, to, size, e);
	return rc == 0 ? stream_in_skip(&r->in, stream_padding(record->length), e) : rc;
}

static int read_pv_info(struct restore *r, const struct stream_record *record, struct error **e)
{
	struct stream_pv_info info = { 0 };
	int rc = read_struct(r, record, &info, sizeof(info), "X86_PV_INFO", e);

	if (rc)
		return rc;
	if (info.guest_width != 8 || info.pt_levels != 4)
		return error_set(e, EOPNOTSUPP,
				 "The domain cannot be restored: it is not of 64 bits.");
	r->has_pv_info = true;
	return 0;
}

/* Sets the CPU policy, which must happen before the domain gets memory. */
static int static_data_end(struct restore *r, struct error **e)
{
	struct hv_cpu_policy policy = {
		.leaves = r->cpuid.data,
		.msrs = r->msr_policy.data,
		.nr_leaves = (uint32_t)(r->cpuid.size / sizeof(*policy.leaves)),
		.nr_msrs = (uint32_t)(r->msr_policy.size / sizeof(*policy.msrs)),
	};

	r->has_static_end = true;
	if (r->cpuid.size % sizeof(*policy.leaves) != 0 ||
	    r->msr_policy.size % sizeof(*policy.msrs) != 0)
		return stream_in_damaged(e, "the processor's features are cut off");
	if (!policy.leaves || !policy.msrs)
		return 0;
	if (hv_policy_set_domain(r->hv, r->domid, &policy, e)) {
		error_prefix(
			e,
			"The domain cannot be restored, this host's processors differ too much: ");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int read_static_end(struct restore *r, const struct stream_record *record, struct error **e)
{
	int rc = stream_in_skip(&r->in, record->length + stream_padding(record->length), e);

	return rc == 0 ? static_data_end(r, e) : rc;
}

static int read_policy(struct restore *r, const struct stream_record *record, struct error **e)
{
	if (record->length > POLICY_MAX)
		return stream_in_damaged(e, "the processor's features have %u bytes",
					 record->length);
	return blob_read(r, record,
			 record->type == STREAM_X86_CPUID_POLICY ? &r->cpuid : &r->msr_policy, e);
}

static int read_p2m_frames(struct restore *r, const struct stream_record *record, struct error **e)
{
	int rc = 0;

	if (!r->has_pv_info)
		return stream_in_damaged(e, "X86_PV_INFO is missing");
	/* A stream of version 2 has no STATIC_DATA_END; its static data end here. */
	if (!r->has_static_end)
		rc = static_data_end(r, e);
	return rc == 0 ? restore_p2m_frames(r, record, e) : rc;
}

static int read_shared_info(struct restore *r, const struct stream_record *record, struct error **e)
{
	free(r->shared);
	r->shared = xcalloc(1, STREAM_PAGE);
	return read_struct(r, record, r->shared, STREAM_PAGE, "SHARED_INFO", e);
}

static int read_tsc(struct restore *r, const struct stream_record *record, struct error **e)
{
	r->has_tsc = true;
	return read_struct(r, record, &r->tsc, sizeof(r->tsc), "X86_TSC_INFO", e);
}

static struct restore_blob *vcpu_blob(struct restore_vcpu *vcpu, uint32_t type)
{
	switch (type) {
	case STREAM_X86_PV_VCPU_BASIC:
		return &vcpu->basic;
	case STREAM_X86_PV_VCPU_EXTENDED:
		return &vcpu->extended;
	case STREAM_X86_PV_VCPU_XSAVE:
		return &vcpu->xsave;
	default:
		return &vcpu->msrs;
	}
}

static int read_vcpu(struct restore *r, const struct stream_record *record, struct error **e)
{
	struct stream_record body = *record;
	struct stream_vcpu head;
	int rc;

	if (record->length < sizeof(head) || record->length > VCPU_STATE_MAX)
		return stream_in_damaged(e, "the state of a vCPU has %u bytes", record->length);
	rc = stream_in_read(&r->in, &head, sizeof(head), e);
	if (rc)
		return rc;
	if (head.vcpu >= r->max_vcpus)
		return error_set(e, EINVAL,
				 "The domain cannot be restored: its image has a vCPU %u, and its "
				 "configuration %u vCPUs.",
				 head.vcpu, r->max_vcpus);
	/* Removing the header's 8 bytes does not change the padding. */
	body.length -= (uint32_t)sizeof(head);
	return blob_read(r, &body, vcpu_blob(&r->vcpus[head.vcpu], record->type), e);
}

static int read_nothing(struct restore *r, const struct stream_record *record, struct error **e)
{
	return stream_in_skip(&r->in, record->length + stream_padding(record->length), e);
}

typedef int read_record_fn(struct restore *r, const struct stream_record *record, struct error **e);

static read_record_fn *const readers[] = {
	[STREAM_END] = read_nothing,
	[STREAM_PAGE_DATA] = restore_page_data,
	[STREAM_X86_PV_INFO] = read_pv_info,
	[STREAM_X86_PV_P2M_FRAMES] = read_p2m_frames,
	[STREAM_X86_PV_VCPU_BASIC] = read_vcpu,
	[STREAM_X86_PV_VCPU_EXTENDED] = read_vcpu,
	[STREAM_X86_PV_VCPU_XSAVE] = read_vcpu,
	[STREAM_X86_PV_VCPU_MSRS] = read_vcpu,
	[STREAM_SHARED_INFO] = read_shared_info,
	[STREAM_X86_TSC_INFO] = read_tsc,
	[STREAM_VERIFY] = read_nothing,
	[STREAM_STATIC_DATA_END] = read_static_end,
	[STREAM_X86_CPUID_POLICY] = read_policy,
	[STREAM_X86_MSR_POLICY] = read_policy,
};

static int read_record(struct restore *r, const struct stream_record *record, struct error **e)
{
	if (record->type < sizeof(readers) / sizeof(readers[0]) && readers[record->type])
		return readers[record->type](r, record, e);
	if (record->type & STREAM_OPTIONAL)
		return read_nothing(r, record, e);
	return error_set(e, EOPNOTSUPP,
			 "The domain cannot be restored: its image has a record of type %#x, which "
			 "these tools do not know.",
			 record->type);
}

int restore_domain(struct restore *r, int fd, struct error **e)
{
	struct stream_record record = { .type = STREAM_VERIFY };
	int rc;

	r->in = (struct stream_in){ .fd = fd };
	frame_map_init(&r->frames, 2 * r->max_pages, 0);
	r->vcpus = xcalloc(r->max_vcpus, sizeof(*r->vcpus));
	rc = stream_in_headers(&r->in, e);
	while (rc == 0 && record.type != STREAM_END) {
		rc = stream_in_record(&r->in, &record, e);
		if (rc == 0)
			rc = read_record(r, &record, e);
	}
	return rc == 0 ? restore_finish(r, e) : rc;
}

void restore_free(struct restore *r)
{
	for (unsigned int i = 0; r->vcpus && i < r->max_vcpus; i++) {
		blob_free(&r->vcpus[i].basic);
		blob_free(&r->vcpus[i].extended);
		blob_free(&r->vcpus[i].xsave);
		blob_free(&r->vcpus[i].msrs);
	}
	free(r->vcpus);
	free(r->words);
	frame_map_free(&r->frames);
	free(r->list_frames);
	free(r->shared);
	blob_free(&r->cpuid);
	blob_free(&r->msr_policy);
}
