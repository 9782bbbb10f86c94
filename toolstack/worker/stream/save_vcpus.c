/* SPDX-License-Identifier: MIT */
/* The records of each vCPU that is online. In its registers, pfns replace machine frames. */
#include "worker/stream/save.h"

#include <errno.h>
#include <stdlib.h>

#include "worker/stream/format.h"
#include "worker/stream/vcpu_frames.h"

static int save_basic(struct save *s, const struct stream_vcpu *head, struct error **e)
{
	vcpu_guest_context_t context;
	const char *what;
	int rc = hv_vcpu_get_context(s->hv, s->domid, head->vcpu, &context, e);

	if (rc)
		return rc;
	if (vcpu_frames_translate(&context, head->vcpu == 0, guest_p2m_mfn_to_pfn, &s->p2m, &what))
		return error_set(e, ERANGE,
				 "Domain %u cannot be saved: %s of vCPU %u is not in its memory.",
				 s->domid, what, head->vcpu);
	return stream_out_simple(&s->out, STREAM_X86_PV_VCPU_BASIC, head, sizeof(*head), &context,
				 sizeof(context), e);
}

static int save_extended(struct save *s, const struct stream_vcpu *head, struct error **e)
{
	struct xen_domctl_ext_vcpucontext ext;
	int rc = hv_vcpu_get_ext_context(s->hv, s->domid, head->vcpu, &ext, e);

	if (rc)
		return rc;
	if (ext.size > sizeof(ext))
		return error_set(e, EPROTO, "The state of vCPU %u is longer than these tools know.",
				 head->vcpu);
	return stream_out_simple(&s->out, STREAM_X86_PV_VCPU_EXTENDED, head, sizeof(*head), &ext,
				 ext.size, e);
}

static int save_xsave(struct save *s, const struct stream_vcpu *head, struct error **e)
{
	void *data;
	size_t size;
	int rc = hv_vcpu_get_xsave(s->hv, s->domid, head->vcpu, &data, &size, e);

	if (rc || !data)
		return rc;
	rc = stream_out_simple(&s->out, STREAM_X86_PV_VCPU_XSAVE, head, sizeof(*head), data, size,
			       e);
	free(data);
	return rc;
}

static int save_msrs(struct save *s, const struct stream_vcpu *head, struct error **e)
{
	xen_domctl_vcpu_msr_t *msrs;
	size_t count;
	int rc = hv_vcpu_get_msrs(s->hv, s->domid, head->vcpu, &msrs, &count, e);

	if (rc || !msrs)
		return rc;
	rc = stream_out_simple(&s->out, STREAM_X86_PV_VCPU_MSRS, head, sizeof(*head), msrs,
			       count * sizeof(*msrs), e);
	free(msrs);
	return rc;
}

int save_vcpus(struct save *s, struct error **e)
{
	struct hv_vcpu_info info;
	int rc = 0;

	for (uint32_t vcpu = 0; vcpu <= s->info.max_vcpu_id && rc == 0; vcpu++) {
		const struct stream_vcpu head = { .vcpu = vcpu };

		rc = hv_vcpu_info(s->hv, s->domid, vcpu, &info, e);
		if (rc || !info.online)
			continue;
		rc = save_basic(s, &head, e);
		if (rc == 0)
			rc = save_extended(s, &head, e);
		if (rc == 0)
			rc = save_xsave(s, &head, e);
		if (rc == 0)
			rc = save_msrs(s, &head, e);
	}
	return rc;
}
