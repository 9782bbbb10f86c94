/* SPDX-License-Identifier: MIT */
/* Saves a PV domain that has shut down for suspend. */
#ifndef WORKER_STREAM_SAVE_H
#define WORKER_STREAM_SAVE_H

#include <stdint.h>

#include "worker/stream/guest_p2m.h"
#include "worker/stream/out.h"
#include "lib/error.h"
#include "hv/hv.h"

typedef void save_progress_fn(const char *stage, uint64_t done, uint64_t total);

struct save {
	struct hv *hv;
	uint32_t domid;
	struct hv_domain_info info;
	struct stream_out out;
	struct guest_p2m p2m;
	struct shared_info *shared; /* mapped */
	save_progress_fn *progress;
};

/* Writes the whole stream to fd. On any error the domain is as it was. */
int save_domain(struct hv *hv, uint32_t domid, int fd, save_progress_fn *progress,
		struct error **e);

/*
 * Parts of save_domain(): all PAGE_DATA records (save_pages.c), and the records of all vCPUs
 * (save_vcpus.c).
 */
int save_pages(struct save *save, struct error **e);
int save_vcpus(struct save *save, struct error **e);

#endif
