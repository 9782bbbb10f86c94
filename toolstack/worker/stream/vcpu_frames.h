/* SPDX-License-Identifier: MIT */
/*
 * The frame numbers in a vCPU's registers: page tables, the GDT, and for the vCPU that suspended
 * the domain, start info in the suspend call's argument. Pure.
 */
#ifndef WORKER_STREAM_VCPU_FRAMES_H
#define WORKER_STREAM_VCPU_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include "worker/stream/frames.h"

/*
 * Translates all of them. suspended: this vCPU made the suspend hypercall, so RDX has the frame of
 * start info. Returns 0, or -ERANGE with *what naming a frame that has no translation.
 */
int vcpu_frames_translate(vcpu_guest_context_t *context, bool suspended,
			  frames_translate_fn *translate, void *data, const char **what);

#endif
