# SPDX-License-Identifier: MIT
ts-src-util += alloc.c error.c file.c json.c log.c sexp.c str.c
ts-src-util += hv.c hv_domain.c hv_event.c hv_frames.c hv_host.c hv_memory.c hv_policy.c hv_sched.c hv_vcpu.c
