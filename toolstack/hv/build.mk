# SPDX-License-Identifier: MIT
ts-src-hv += hv.c hv_domain.c hv_event.c hv_frames.c hv_host.c hv_log_dirty.c hv_memory.c hv_policy.c hv_sched.c \
	hv_topology.c hv_vcpu.c
