/* SPDX-License-Identifier: MIT */
/*
 * Readies a suspended domain to go on where it is, as if it had just been restored. A kernel whose
 * notes lack SUSPEND_CANCEL does not know that a suspend can be given up: it expects new event
 * channels, and start info as a restore fills it in.
 */
#ifndef WORKER_STREAM_RESUME_H
#define WORKER_STREAM_RESUME_H

#include <stdint.h>

#include "hv/hv.h"
#include "lib/error.h"
#include "worker/build/start.h"

/*
 * The caller has taken the domain's devices away, and lets it run afterwards. store and console:
 * the frames of the two pages; the new ports are filled in. All ports that the domain had are
 * closed. It may be repeated. After an error the domain must not run, unless it is repeated.
 */
int resume_domain(struct hv *hv, uint32_t domid, struct start_service *store,
		  struct start_service *console, struct error **e);

#endif
