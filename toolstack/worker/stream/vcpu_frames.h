/* SPDX-License-Identifier: MIT */
/* The frame numbers in a vCPU's registers: page tables, descriptor table, and start info in the
 * suspend call's argument. Pure. */
#ifndef WORKER_STREAM_VCPU_FRAMES_H
#define WORKER_STREAM_VCPU_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include "worker/stream/frames.h"

/*
 * Translates them all. suspended: this vCPU made the suspend hypercall, with start info's frame in
 * RDX. -ERANGE with *what if one cannot be translated.
 */
int vcpu_frames_translate(vcpu_guest_context_t *context, bool suspended,
			  frames_translate_fn *translate, void *data, const char **what);

#endif
