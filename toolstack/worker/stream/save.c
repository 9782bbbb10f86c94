/* SPDX-License-Identifier: MIT */
/* Saves a domain: writes its stream's records in their order. */
#include "worker/stream/save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/sched.h>

#include "lib/alloc.h"
#include "worker/stream/format.h"

int save_head(struct save *s, struct error **e)
{
	const struct stream_pv_info pv = { .guest_width = 8, .pt_levels = 4 };
	struct hv_cpu_policy policy = { 0 };
	struct hv_version version = { 0 };
	int rc = hv_host_version(s->hv, &version, e);

	if (rc == 0)
		rc = stream_out_headers(&s->out, version.major, version.minor, e);
	if (rc == 0)
		rc = stream_out_simple(&s->out, STREAM_X86_PV_INFO, &pv, sizeof(pv), NULL, 0, e);
	if (rc == 0)
		rc = hv_policy_get_domain(s->hv, s->domid, &policy, e);
	if (rc)
		return rc;
	rc = stream_out_simple(&s->out, STREAM_X86_CPUID_POLICY, policy.leaves,
			       policy.nr_leaves * sizeof(*policy.leaves), NULL, 0, e);
	if (rc == 0)
		rc = stream_out_simple(&s->out, STREAM_X86_MSR_POLICY, policy.msrs,
				       policy.nr_msrs * sizeof(*policy.msrs), NULL, 0, e);
	hv_policy_free(&policy);
	return rc == 0 ? stream_out_simple(&s->out, STREAM_STATIC_DATA_END, NULL, 0, NULL, 0, e) :
			 rc;
}

int save_p2m_frames(struct save *s, struct error **e)
{
	const struct stream_p2m_frames frames = { .start_pfn = 0,
						  .end_pfn = (uint32_t)s->p2m.nr_pfns - 1 };
	size_t size = s->p2m.nr_list_frames * sizeof(uint64_t);
	uint64_t *pfns = xmalloc(size);
	int rc = 0;

	for (uint64_t i = 0; i < s->p2m.nr_list_frames && rc == 0; i++) {
		pfns[i] = s->translate(s->translate_arg, s->p2m.list_frames[i]);
		if (pfns[i] == FRAME_INVALID)
			rc = error_set(e, EINVAL,
				       "Domain %u cannot be saved: a part of the list of its "
				       "memory is not in it.",
				       s->domid);
	}
	if (rc == 0)
		rc = stream_out_simple(&s->out, STREAM_X86_PV_P2M_FRAMES, &frames, sizeof(frames),
				       pfns, size, e);
	free(pfns);
	return rc;
}

static int save_tsc(struct save *s, struct error **e)
{
	struct stream_tsc_info record = { 0 };
	struct hv_tsc_info tsc;
	int rc = hv_domain_get_tsc(s->hv, s->domid, &tsc, e);

	if (rc)
		return rc;
	record.mode = tsc.mode;
	record.khz = tsc.gtsc_khz;
	record.nsec = tsc.elapsed_ns;
	record.incarnation = tsc.incarnation;
	return stream_out_simple(&s->out, STREAM_X86_TSC_INFO, &record, sizeof(record), NULL, 0, e);
}

int save_tail(struct save *s, struct error **e)
{
	int rc = save_tsc(s, e);

	if (rc == 0)
		rc = stream_out_simple(&s->out, STREAM_SHARED_INFO, s->shared, STREAM_PAGE, NULL, 0,
				       e);
	if (rc == 0)
		rc = save_vcpus(s, e);
	return rc ? rc : stream_out_simple(&s->out, STREAM_END, NULL, 0, NULL, 0, e);
}

static int save_all(struct save *s, struct error **e)
{
	int rc = save_head(s, e);

	if (rc == 0)
		rc = save_p2m_frames(s, e);
	if (rc == 0)
		rc = save_pages(s, e);
	if (rc == 0)
		rc = save_tail(s, e);
	/*
	 * The domain is destroyed next, so its image must be on the disk. A pipe or a socket has no
	 * disk: fsync() fails with EINVAL, EROFS or ENOTSUP then.
	 */
	if (rc == 0 && fsync(s->out.fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		rc = error_set(
			e, errno,
			"The domain cannot be saved: its image did not get to the disk (%s).",
			strerror(errno));
	return rc;
}

/* Only a suspended PV domain can be saved. */
static int check_state(struct save *s, struct error **e)
{
	int rc = hv_domain_info(s->hv, s->domid, &s->info, e);

	if (rc)
		return rc;
	if (s->info.hvm)
		return error_set(
			e, EOPNOTSUPP,
			"Domain %u is fully virtualized: only paravirtualized ones can be saved.",
			s->domid);
	if (!s->info.shutdown || s->info.shutdown_reason != SHUTDOWN_suspend)
		return error_set(e, EBUSY, "Domain %u is not suspended, so it cannot be saved.",
				 s->domid);
	return 0;
}

int save_open(struct save *s, uint64_t *max_mfn, struct error **e)
{
	xen_pfn_t frame = s->info.shared_info_frame;
	int rc = hv_memory_max_mfn(s->hv, max_mfn, e);

	if (rc)
		return rc;
	s->shared = hv_map_frames(s->hv, s->domid, PROT_READ, &frame, NULL, 1, e);
	return s->shared ? 0 : -EFAULT;
}

void save_close(struct save *s)
{
	guest_p2m_free(&s->p2m);
	if (s->shared)
		hv_unmap_frames(s->hv, s->shared, 1);
}

int save_domain(struct hv *hv, uint32_t domid, int fd, save_progress_fn *progress, struct error **e)
{
	struct save s = { .hv = hv,
			  .domid = domid,
			  .out.fd = fd,
			  .progress = progress,
			  .translate = guest_p2m_mfn_to_pfn,
			  .translate_arg = &s.p2m };
	uint64_t max_mfn = 0;
	int rc = check_state(&s, e);

	if (rc == 0)
		rc = save_open(&s, &max_mfn, e);
	if (rc == 0)
		rc = guest_p2m_read(&s.p2m, hv, domid, s.shared, max_mfn, s.info.pages, e);
	if (rc == 0)
		rc = save_all(&s, e);
	save_close(&s);
	return rc;
}
