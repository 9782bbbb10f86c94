# SPDX-License-Identifier: MIT
hv-src += hypervisor/core/sched/idle.c hypervisor/core/sched/runstate.c hypervisor/core/sched/sched.c \
	hypervisor/core/sched/sched_op.c hypervisor/core/sched/sched_param.c \
	hypervisor/core/sched/sched_place.c hypervisor/core/sched/sched_share.c \
	hypervisor/core/sched/vcpu_op.c
